// Negotiating permessage-deflate (RFC 7692 §5, §7), pure, both sides. Rules: a server declines an offer that it cannot take
// and tries the next; it never fails the handshake for one. A client fails on any answer that it did not ask for, or that
// widens what it asked for.

import { usage } from '../errors.ts'
import { type Extension, formatExtensions } from '../handshake/headers.ts'
import { integerOption } from '../limits.ts'
import {
  type DeflateParameters,
  type GivenParameters,
  LARGEST_WINDOW_BITS,
  LEAST_WINDOW_BITS,
  PERMESSAGE_DEFLATE,
  readParameters,
  writeParameters,
} from './parameters.ts'

/** What one side wants. Not set means: as the other side likes, and a window of 32 KiB. */
export type DeflateOptions = { readonly [Name in keyof DeflateParameters]?: DeflateParameters[Name] | undefined }

/** An offer that the server takes. */
export interface AcceptedOffer {
  /** The element for the answer's `Sec-WebSocket-Extensions`. */
  readonly answer: Extension
  readonly parameters: DeflateParameters
}

/** The server's answer as a client judges it: what was agreed, or in words what is wrong with it. */
export type CheckedAnswer = { readonly parameters: DeflateParameters } | { readonly fault: string }

/**
 * Checks options and fills in the defaults.
 * @throws UsageError on a window that is not an integer from 8 to 15, or a flag that is no boolean
 */
export function deflateParameters(options: DeflateOptions = {}): DeflateParameters {
  const flag = (name: string, value: boolean | undefined): boolean => {
    if (value !== undefined && typeof value !== 'boolean') throw usage(`option ${name}`, 'a boolean', value)
    return value === true
  }
  const bits = (name: string, value: number | undefined): number =>
    integerOption(name, value, LARGEST_WINDOW_BITS, LEAST_WINDOW_BITS, LARGEST_WINDOW_BITS)
  return {
    serverNoContextTakeover: flag('serverNoContextTakeover', options.serverNoContextTakeover),
    clientNoContextTakeover: flag('clientNoContextTakeover', options.clientNoContextTakeover),
    serverMaxWindowBits: bits('serverMaxWindowBits', options.serverMaxWindowBits),
    clientMaxWindowBits: bits('clientMaxWindowBits', options.clientMaxWindowBits),
  }
}

/** Makes a client's offer. It always lets the server choose our window (§7.1.2.2). @throws UsageError on wrong options */
export function createDeflateOffer(options?: DeflateOptions): Extension {
  const wanted = deflateParameters(options)
  return writeParameters({
    ...wanted,
    serverMaxWindowBits: unlessLargest(wanted.serverMaxWindowBits),
    clientMaxWindowBits: unlessLargest(wanted.clientMaxWindowBits) ?? true,
  })
}

/**
 * Takes the first acceptable offer of permessage-deflate among the extensions that a client offers; other extensions are
 * passed over. `undefined` declines: the connection opens without compression (§5.1, §7).
 * @throws UsageError on wrong options
 */
export function acceptOffer(offered: readonly Extension[], options?: DeflateOptions): AcceptedOffer | undefined {
  for (const offer of offered) {
    const accepted = negotiateOffer(offer, options)
    if (accepted !== undefined) return accepted
  }
  return undefined
}

/** Answers one offer, or declines it by `undefined`. @throws UsageError on wrong options */
export function negotiateOffer(offer: Extension, options?: DeflateOptions): AcceptedOffer | undefined {
  const wanted = deflateParameters(options)
  const given = offer.name === PERMESSAGE_DEFLATE ? readParameters(offer) : undefined
  if (given === undefined) return undefined
  const parameters: DeflateParameters = {
    serverNoContextTakeover: given.serverNoContextTakeover || wanted.serverNoContextTakeover,
    // A hint in the offer that we take up: it saves our memory (§7.1.1.2).
    clientNoContextTakeover: given.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits: Math.min(given.serverMaxWindowBits ?? LARGEST_WINDOW_BITS, wanted.serverMaxWindowBits),
    clientMaxWindowBits: clientWindow(given, wanted),
  }
  const answer = writeParameters({
    ...parameters,
    // What was offered must be in the answer (§7.1.2.1); what was not may be.
    serverMaxWindowBits:
      given.serverMaxWindowBits === undefined
        ? unlessLargest(parameters.serverMaxWindowBits)
        : parameters.serverMaxWindowBits,
    clientMaxWindowBits: unlessLargest(parameters.clientMaxWindowBits),
  })
  return { answer, parameters }
}

/**
 * Judges the extensions of a server's answer to {@link createDeflateOffer} with the same options (§5.1, §7.1). An answer without
 * extensions is no fault, and not for this function.
 * @throws UsageError on wrong options
 */
export function checkDeflateAnswer(answered: readonly Extension[], options?: DeflateOptions): CheckedAnswer {
  const wanted = deflateParameters(options)
  const [answer, ...more] = answered
  if (answer === undefined || more.length > 0 || answer.name !== PERMESSAGE_DEFLATE) {
    return { fault: `expected ${PERMESSAGE_DEFLATE} and nothing else; got ${formatExtensions(answered)}` }
  }
  const given = readParameters(answer)
  const fault = given === undefined ? 'an unknown, repeated or invalid parameter' : firstFault(given, wanted)
  if (given === undefined || fault !== undefined) return { fault: `${fault}: ${formatExtensions(answered)}` }
  return { parameters: agreed(given, wanted) }
}

function firstFault(given: GivenParameters, wanted: DeflateParameters): string | undefined {
  const { serverMaxWindowBits: server, clientMaxWindowBits: client } = given
  if (wanted.serverNoContextTakeover && !given.serverNoContextTakeover) return 'server_no_context_takeover is missing'
  if ((server ?? LARGEST_WINDOW_BITS) > wanted.serverMaxWindowBits) {
    return `server_max_window_bits must be ${wanted.serverMaxWindowBits} at most`
  }
  if (client === true) return 'client_max_window_bits needs a value'
  if (client !== undefined && client > wanted.clientMaxWindowBits) {
    return `client_max_window_bits must be ${wanted.clientMaxWindowBits} at most`
  }
  return undefined
}

/** Our own window and context takeover may always be less than we are allowed. */
function agreed(given: GivenParameters, wanted: DeflateParameters): DeflateParameters {
  return {
    serverNoContextTakeover: given.serverNoContextTakeover,
    clientNoContextTakeover: given.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits: given.serverMaxWindowBits ?? LARGEST_WINDOW_BITS,
    clientMaxWindowBits: Math.min(Number(given.clientMaxWindowBits ?? LARGEST_WINDOW_BITS), wanted.clientMaxWindowBits),
  }
}

/** A client that did not offer to have its window set keeps the largest, whatever we would like (§7.1.2.2). */
function clientWindow({ clientMaxWindowBits }: GivenParameters, wanted: DeflateParameters): number {
  if (clientMaxWindowBits === undefined) return LARGEST_WINDOW_BITS
  const offered = clientMaxWindowBits === true ? LARGEST_WINDOW_BITS : clientMaxWindowBits
  return Math.min(offered, wanted.clientMaxWindowBits)
}

function unlessLargest(bits: number): number | undefined {
  return bits === LARGEST_WINDOW_BITS ? undefined : bits
}
