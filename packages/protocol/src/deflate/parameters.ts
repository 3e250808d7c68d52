// The parameters of permessage-deflate (RFC 7692 §7.1) as they stand in a header. Rules: a fault is a value, `undefined`:
// what it means differs by side (a server declines the offer, a client fails the connection, §7).

import type { Extension, ExtensionParameter } from '../handshake/headers.ts'

/** The name of the extension; names are compared exactly (STANDARDS F7, N17). */
export const PERMESSAGE_DEFLATE = 'permessage-deflate'

/** The window of DEFLATE: 2^8 to 2^15 bytes (§7.1.2). */
export const LEAST_WINDOW_BITS = 8
export const LARGEST_WINDOW_BITS = 15

/** What both sides agreed on. Windows are powers of two: 15 stands for 32 KiB. */
export interface DeflateParameters {
  /** The server begins each message with an empty window. */
  readonly serverNoContextTakeover: boolean
  /** The client begins each message with an empty window. */
  readonly clientNoContextTakeover: boolean
  /** The window that the server compresses with at most. */
  readonly serverMaxWindowBits: number
  /** The window that the client compresses with at most. */
  readonly clientMaxWindowBits: number
}

/** The parameters of one element of the header; a window that is not there is `undefined`. */
export interface GivenParameters {
  readonly serverNoContextTakeover: boolean
  readonly clientNoContextTakeover: boolean
  readonly serverMaxWindowBits: number | undefined
  /** `true` if it stands without a value, as only an offer may have it (§7.1.2.2). */
  readonly clientMaxWindowBits: number | true | undefined
}

const SERVER_NO_CONTEXT_TAKEOVER = 'server_no_context_takeover'
const CLIENT_NO_CONTEXT_TAKEOVER = 'client_no_context_takeover'
const SERVER_MAX_WINDOW_BITS = 'server_max_window_bits'
const CLIENT_MAX_WINDOW_BITS = 'client_max_window_bits'

/** `1*DIGIT` without a leading zero, 8 to 15 (§7.1.2). */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/

/** Reads parameters; `undefined` if one is unknown, comes twice, or has a value that it may not have (§7.1). */
export function readParameters({ parameters }: Extension): GivenParameters | undefined {
  const given = new Map<string, string | true>()
  for (const { name, value = true } of parameters) {
    if (given.has(name) || !isValid(name, value)) return undefined
    given.set(name, value)
  }
  const clientWindow = given.get(CLIENT_MAX_WINDOW_BITS)
  return {
    serverNoContextTakeover: given.has(SERVER_NO_CONTEXT_TAKEOVER),
    clientNoContextTakeover: given.has(CLIENT_NO_CONTEXT_TAKEOVER),
    serverMaxWindowBits: given.has(SERVER_MAX_WINDOW_BITS) ? Number(given.get(SERVER_MAX_WINDOW_BITS)) : undefined,
    clientMaxWindowBits: typeof clientWindow === 'string' ? Number(clientWindow) : clientWindow,
  }
}

/** Writes parameters, those that are there, in the order of §7.1. */
export function writeParameters(given: GivenParameters): Extension {
  const flag = (name: string, present: boolean): ExtensionParameter[] => (present ? [{ name, value: undefined }] : [])
  const window = (name: string, bits: number | true | undefined): ExtensionParameter[] =>
    bits === undefined ? [] : [{ name, value: bits === true ? undefined : String(bits) }]
  return {
    name: PERMESSAGE_DEFLATE,
    parameters: [
      ...flag(SERVER_NO_CONTEXT_TAKEOVER, given.serverNoContextTakeover),
      ...flag(CLIENT_NO_CONTEXT_TAKEOVER, given.clientNoContextTakeover),
      ...window(SERVER_MAX_WINDOW_BITS, given.serverMaxWindowBits),
      ...window(CLIENT_MAX_WINDOW_BITS, given.clientMaxWindowBits),
    ],
  }
}

function isValid(name: string, value: string | true): boolean {
  switch (name) {
    case SERVER_NO_CONTEXT_TAKEOVER:
    case CLIENT_NO_CONTEXT_TAKEOVER:
      return value === true
    case SERVER_MAX_WINDOW_BITS:
      return value !== true && WINDOW_BITS.test(value)
    case CLIENT_MAX_WINDOW_BITS:
      return value === true || WINDOW_BITS.test(value)
    default:
      return false
  }
}
