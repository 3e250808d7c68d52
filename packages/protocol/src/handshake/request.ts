// The client's side of the opening handshake (RFC 6455 §4.1), pure: options in, the request's headers out; the server's
// answer in, a verdict out. Rules: wrong options throw before any I/O; a wrong answer is a HandshakeError *value*.

import { PROTOCOL_VERSION } from '../constants.ts'
import { checkDeflateAnswer, createDeflateOffer, type DeflateOptions } from '../deflate/negotiate.ts'
import type { DeflateParameters } from '../deflate/parameters.ts'
import { type ErrorCode, HandshakeError, usage } from '../errors.ts'
import { type Platform, portablePlatform } from '../platform.ts'
import { hasUpgradeToken } from './accept.ts'
import {
  checkHeaders,
  formatExtensions,
  groupHeaders,
  HANDSHAKE_HEADERS,
  type Header,
  type HeaderFields,
  headerLines,
  isToken,
  parseExtensions,
} from './headers.ts'
import { acceptKey, generateKey } from './key.ts'

export interface UpgradeRequestOptions {
  /** The subprotocols to offer, in order of preference. */
  readonly protocols?: readonly string[] | undefined
  /** The `Origin` header; a browser's matter, so none by default (§4.1). */
  readonly origin?: string | undefined
  /** Offers permessage-deflate, with these wishes; without it no extension is offered (§9.1). */
  readonly deflate?: DeflateOptions | undefined
  /** Further headers. Those of the handshake itself are refused. */
  readonly headers?: readonly Header[] | undefined
}

/** What a request offers: the answer may choose from it, and from nothing else. */
export interface SentOffer {
  readonly protocols: readonly string[]
  /** What was offered of permessage-deflate, if it was. */
  readonly deflate: DeflateOptions | undefined
}

/** A request that is ready to be sent, and what to compare the answer with. */
export interface SentUpgrade extends SentOffer {
  readonly method: 'GET'
  /** All headers but `Host`, which belongs to the URL. */
  readonly headers: readonly Header[]
  readonly key: string
  /** The `Sec-WebSocket-Accept` value that proves that the server read our key. */
  readonly expectedAccept: string
}

/** What the verdict needs to know of the server's answer. */
export interface UpgradeResponse {
  readonly status: number
  /** `[name, value, name, value, …]` as received. */
  readonly rawHeaders: readonly string[]
  /** The first bytes of the body of an answer other than 101. */
  readonly body?: Uint8Array | undefined
}

/** The answer was right: frames follow. */
export interface Established {
  readonly established: true
  /** The subprotocol that the server chose, `''` for none. */
  readonly protocol: string
  /** The value of `Sec-WebSocket-Extensions`, `''` for none. */
  readonly extensions: string
  /** What was agreed on permessage-deflate, if it was. */
  readonly deflate: DeflateParameters | undefined
}

/** The answer was wrong. */
export interface NotEstablished {
  readonly established: false
  readonly error: HandshakeError
}

/** No `toLowerCase`: it takes a Kelvin sign for a K, and the comparison is of ASCII (§4.1 step 2). */
const WEBSOCKET = /^websocket$/i

/**
 * Makes an opening request with a fresh random key (RFC 6455 §4.1).
 * @throws UsageError on invalid or repeated subprotocols, and on headers that are malformed or the handshake's own
 */
export function createUpgradeRequest(
  options: UpgradeRequestOptions = {},
  platform: Pick<Platform, 'randomFill' | 'sha1Base64'> = portablePlatform,
): SentUpgrade {
  const { protocols = [], deflate } = options
  const offered = offerHeaders(options)
  const key = generateKey(platform)
  const headers: Header[] = [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ...offered,
  ]
  return { method: 'GET', headers, key, expectedAccept: acceptKey(key, platform), protocols, deflate }
}

/**
 * The headers that do not depend on the version of HTTP: what is offered, and what the caller adds.
 * @throws UsageError as {@link createUpgradeRequest} does
 */
export function offerHeaders({ protocols = [], origin, headers = [], deflate }: UpgradeRequestOptions): Header[] {
  checkProtocols(protocols)
  const added: Header[] = origin === undefined ? [...headers] : [['Origin', origin], ...headers]
  checkHeaders(added, HANDSHAKE_HEADERS)
  const offered: Header[] = [['Sec-WebSocket-Version', PROTOCOL_VERSION]]
  if (protocols.length > 0) offered.push(['Sec-WebSocket-Protocol', protocols.join(', ')])
  if (deflate !== undefined) offered.push(['Sec-WebSocket-Extensions', formatExtensions([createDeflateOffer(deflate)])])
  return [...offered, ...added]
}

/**
 * Checks the subprotocols of a client: tokens, none twice, not even in another case (§4.1, WHATWG constructor).
 * @throws UsageError
 */
export function checkProtocols(protocols: readonly string[]): void {
  const seen = new Set<string>()
  for (const protocol of protocols) {
    if (typeof protocol !== 'string' || !isToken(protocol)) {
      throw usage('subprotocol', 'a token (RFC 6455 §4.1)', protocol)
    }
    const lower = protocol.toLowerCase()
    if (seen.has(lower)) throw usage('subprotocols', 'different from each other', protocol)
    seen.add(lower)
  }
}

/** Judges the server's answer (RFC 6455 §4.1, the client's steps 1 to 6). */
export function checkUpgradeResponse(response: UpgradeResponse, sent: SentUpgrade): Established | NotEstablished {
  const fields = groupHeaders(response.rawHeaders)
  return conclude(response, fields, sent, checkStatus(response) ?? checkUpgrade(fields) ?? checkAccept(fields, sent))
}

export type Failure = readonly [code: ErrorCode, message: string]

/** The part of the verdict that does not depend on the version of HTTP. @param failure what is wrong before that */
export function conclude(
  response: UpgradeResponse,
  fields: HeaderFields,
  sent: SentOffer,
  failure: Failure | undefined,
): Established | NotEstablished {
  const agreed = readExtensions(fields, sent)
  const found = failure ?? agreed.failure ?? checkProtocol(fields, sent)
  if (found !== undefined) return { established: false, error: failed(response, fields, found) }
  const { extensions, deflate } = agreed
  return { established: true, protocol: headerLines(fields, 'sec-websocket-protocol').join(), extensions, deflate }
}

function failed({ status, body }: UpgradeResponse, fields: HeaderFields, [code, message]: Failure): HandshakeError {
  return new HandshakeError(code, message, { status, headers: toRecord(fields), body })
}

function checkStatus({ status }: UpgradeResponse): Failure | undefined {
  if (status === 101) return undefined
  return ['HANDSHAKE_STATUS', `expected status 101 Switching Protocols; got ${status}`]
}

function checkUpgrade(fields: HeaderFields): Failure | undefined {
  const upgrade = headerLines(fields, 'upgrade')
  if (upgrade.length !== 1 || !WEBSOCKET.test(upgrade.join())) {
    return ['HANDSHAKE_UPGRADE', `expected header Upgrade: websocket; got ${shown(upgrade)}`]
  }
  if (hasUpgradeToken(headerLines(fields, 'connection'))) return undefined
  return [
    'HANDSHAKE_CONNECTION',
    `expected header Connection: Upgrade; got ${shown(headerLines(fields, 'connection'))}`,
  ]
}

function checkAccept(fields: HeaderFields, { expectedAccept }: SentUpgrade): Failure | undefined {
  const accept = headerLines(fields, 'sec-websocket-accept')
  if (accept.length === 1 && accept[0] === expectedAccept) return undefined
  return ['HANDSHAKE_ACCEPT', `expected header Sec-WebSocket-Accept: ${expectedAccept}; got ${shown(accept)}`]
}

/** What the answer says of extensions, and what is wrong with it. */
interface Agreed {
  readonly failure?: Failure
  readonly extensions: string
  readonly deflate: DeflateParameters | undefined
}

/** Only what was offered may come back, once and in one line (§4.1 step 5, §9.1, §11.3.2). */
function readExtensions(fields: HeaderFields, { deflate }: SentOffer): Agreed {
  const lines = headerLines(fields, 'sec-websocket-extensions')
  const none = { extensions: '', deflate: undefined }
  if (lines.length === 0) return none
  const fail = (what: string): Agreed => ({ ...none, failure: ['HANDSHAKE_EXTENSION', what] })
  const parsed = parseExtensions(lines)
  if (parsed === undefined) return fail(`malformed Sec-WebSocket-Extensions: ${shown(lines)}`)
  if (deflate === undefined) return fail(`expected no extension, none was offered; got ${shown(lines)}`)
  if (lines.length > 1) return fail(`expected one Sec-WebSocket-Extensions header; got ${shown(lines)}`)
  const checked = checkDeflateAnswer(parsed, deflate)
  return 'fault' in checked ? fail(checked.fault) : { extensions: lines.join(), deflate: checked.parameters }
}

function checkProtocol(fields: HeaderFields, sent: SentOffer): Failure | undefined {
  const protocol = headerLines(fields, 'sec-websocket-protocol')
  if (protocol.length === 0) return undefined
  if (protocol.length === 1 && sent.protocols.includes(protocol.join())) return undefined
  const expected = sent.protocols.length === 0 ? 'none, none was offered' : `one of ${sent.protocols.join(', ')}`
  return ['HANDSHAKE_SUBPROTOCOL', `expected subprotocol: ${expected}; got ${shown(protocol)}`]
}

function shown(lines: readonly string[]): string {
  return lines.length === 0 ? 'none' : lines.map((line) => JSON.stringify(line.slice(0, 200))).join(' and ')
}

/** Headers by lower-case name, in an object without prototype; a repeated one is a list. */
function toRecord(fields: HeaderFields): Record<string, string | readonly string[]> {
  const record: Record<string, string | readonly string[]> = Object.create(null)
  for (const [name, lines] of fields) record[name] = lines.length === 1 ? lines.join() : lines
  return record
}
