// The server's side of the opening handshake (RFC 6455 §4.2; RFC 8441 §5 over HTTP/2), pure: header values in, status and
// headers out. Rules: what a client sends wrong is a `Rejected`; what the application asks for wrong (an unoffered
// subprotocol, CR LF in a header) throws, before anything is written. From HTTP/2 on the request is an extended CONNECT, the
// answer is 200, and nothing of either is about keys.

import { PROTOCOL_VERSION } from '../constants.ts'
import { acceptOffer, type DeflateOptions } from '../deflate/negotiate.ts'
import type { DeflateParameters } from '../deflate/parameters.ts'
import { UsageError } from '../errors.ts'
import { type Platform, portablePlatform } from '../platform.ts'
import { checkExtendedConnect, isExtended } from './extended-connect.ts'
import {
  checkHeaders,
  type Extension,
  formatExtensions,
  groupHeaders,
  HANDSHAKE_HEADERS,
  type Header,
  type HeaderFields,
  headerLines,
  parseExtensions,
  parseTokenList,
} from './headers.ts'
import { acceptKey, isKey } from './key.ts'
import { checkBody, type Rejected, reject } from './reject.ts'

export type { Rejected } from './reject.ts'

/** What acceptance needs to know of a request; Node's `IncomingMessage` and `Http2ServerRequest` have this shape. */
export interface UpgradeHead {
  readonly method?: string | undefined
  /** `major.minor`; taken as 1.1 if absent. */
  readonly httpVersion?: string | undefined
  /** `[name, value, name, value, …]` as received, pseudo-headers included: only this shows a header that came twice. */
  readonly rawHeaders: readonly string[]
}

/** A valid request, before anything was decided about it. */
export interface UpgradeOffer {
  readonly valid: true
  /** Of `Sec-WebSocket-Key`; none from HTTP/2 on. */
  readonly key: string | undefined
  /** The subprotocols that the client offers, in its order of preference. */
  readonly protocols: readonly string[]
  readonly extensions: readonly Extension[]
}

/** The answer that opens the connection: write it, and what follows on the stream are frames. */
export interface Accepted {
  readonly valid: true
  /** 101, and 200 from HTTP/2 on. */
  readonly status: 101 | 200
  readonly headers: readonly Header[]
  /** The chosen subprotocol, `''` for none. */
  readonly protocol: string
  /** The value of `Sec-WebSocket-Extensions`, `''` for none. */
  readonly extensions: string
  /** What was agreed on permessage-deflate, if it was. */
  readonly deflate: DeflateParameters | undefined
}

/** Chooses one of the offered subprotocols; `undefined` for none. */
export type ProtocolChoice = (offered: readonly string[]) => string | undefined

export interface AcceptOptions {
  /** The subprotocols spoken, or a function that chooses. None given, none chosen. */
  readonly protocols?: readonly string[] | ProtocolChoice | undefined
  /** Takes an offer of permessage-deflate, with these wishes; without it every offer is declined. */
  readonly deflate?: DeflateOptions | undefined
  /** Further headers of the answer, cookies for example. */
  readonly headers?: readonly Header[] | undefined
}

/** One element of `Upgrade`, as `split` leaves it: no other whitespace, no other letters than ASCII (RFC 9110 §5.6.3). */
const WEBSOCKET = /^[ \t]*websocket[ \t]*$/i
const UPGRADE: Header = ['Upgrade', 'websocket']
const CONNECTION: Header = ['Connection', 'Upgrade']
const VERSION: Header = ['Sec-WebSocket-Version', PROTOCOL_VERSION]

/** Answers an upgrade request (RFC 6455 §4.2.2): a {@link Rejected} for a bad one. @throws UsageError on bad `options` */
export function acceptUpgrade(
  request: UpgradeHead,
  options: AcceptOptions = {},
  platform: Pick<Platform, 'sha1Base64'> = portablePlatform,
): Accepted | Rejected {
  const offer = checkUpgradeRequest(request)
  return offer.valid ? acceptOfferedUpgrade(offer, options, platform) : offer
}

/** Judges a request by RFC 6455 §4.2.1, without deciding on it: an application's own checks come after this. */
export function checkUpgradeRequest(request: UpgradeHead): UpgradeOffer | Rejected {
  const fields = groupHeaders(request.rawHeaders)
  if (isExtended(fields)) return checkExtendedConnect(request, fields) ?? readOffer(undefined, fields)
  return checkHttp(request, fields) ?? checkUpgradeHeaders(fields) ?? readKey(fields)
}

/** Makes the answer to a request that {@link checkUpgradeRequest} found valid. @throws UsageError on bad `options` */
export function acceptOfferedUpgrade(
  offer: UpgradeOffer,
  options: AcceptOptions = {},
  platform: Pick<Platform, 'sha1Base64'> = portablePlatform,
): Accepted {
  const protocol = chooseProtocol(offer.protocols, options.protocols)
  const extra = options.headers ?? []
  checkHeaders(extra, HANDSHAKE_HEADERS)
  const headers: Header[] =
    offer.key === undefined ? [] : [UPGRADE, CONNECTION, ['Sec-WebSocket-Accept', acceptKey(offer.key, platform)]]
  if (protocol !== '') headers.push(['Sec-WebSocket-Protocol', protocol])
  const accepted = options.deflate && acceptOffer(offer.extensions, options.deflate)
  const extensions = accepted === undefined ? '' : oneText(formatExtensions([accepted.answer]))
  if (extensions !== '') headers.push(['Sec-WebSocket-Extensions', extensions])
  headers.push(...extra)
  return {
    valid: true,
    status: offer.key === undefined ? 200 : 101,
    headers: offer.key === undefined ? headers.map(inLowerCase) : headers,
    protocol,
    extensions,
    deflate: accepted?.parameters,
  }
}

const texts: Map<string, string> = new Map()

/** The same text for all connections that agreed on the same, each of which keeps it: a peer chooses among 256 at most. */
function oneText(text: string): string {
  const known = texts.get(text)
  if (known === undefined) texts.set(text, text)
  return known ?? text
}

function checkHttp(request: UpgradeHead, fields: HeaderFields): Rejected | undefined {
  if (request.method !== 'GET') {
    return reject(405, 'REFUSED_METHOD', `expected method GET; got ${request.method}`, [['Allow', 'GET']])
  }
  const version = request.httpVersion ?? '1.1'
  if (version === '0.9' || version === '1.0') {
    return reject(505, 'REFUSED_HTTP_VERSION', `expected HTTP/1.1 or later; got HTTP/${version}`)
  }
  const hosts = headerLines(fields, 'host').length
  if (hosts !== 1) return reject(400, 'REFUSED_HOST', `expected exactly one Host header; got ${hosts}`)
  return checkBody(fields)
}

function checkUpgradeHeaders(fields: HeaderFields): Rejected | undefined {
  if (!namesWebSocket(headerLines(fields, 'upgrade'))) {
    return reject(426, 'REFUSED_UPGRADE', 'expected header Upgrade: websocket', [UPGRADE, VERSION])
  }
  if (!hasUpgradeToken(headerLines(fields, 'connection'))) {
    return reject(400, 'REFUSED_CONNECTION', 'expected header Connection with the token Upgrade')
  }
  const versions = headerLines(fields, 'sec-websocket-version')
  if (versions.length > 1) return reject(400, 'REFUSED_VERSION', 'expected one Sec-WebSocket-Version header; got more')
  if (versions[0] !== PROTOCOL_VERSION) {
    const given = versions[0] ?? 'none'
    return reject(426, 'REFUSED_VERSION', `expected Sec-WebSocket-Version: 13; got ${given}`, [UPGRADE, VERSION])
  }
  return undefined
}

function readKey(fields: HeaderFields): UpgradeOffer | Rejected {
  const keys = headerLines(fields, 'sec-websocket-key')
  const [key] = keys
  if (key === undefined || keys.length > 1 || !isKey(key)) {
    return reject(400, 'REFUSED_KEY', 'expected one Sec-WebSocket-Key header: base64 of 16 bytes')
  }
  return readOffer(key, fields)
}

function readOffer(key: string | undefined, fields: HeaderFields): UpgradeOffer | Rejected {
  const protocolLines = headerLines(fields, 'sec-websocket-protocol')
  const protocols = protocolLines.length === 0 ? [] : parseTokenList(protocolLines)
  if (protocols === undefined) {
    return reject(400, 'REFUSED_SUBPROTOCOL', 'expected Sec-WebSocket-Protocol to be a list of tokens')
  }
  const extensionLines = headerLines(fields, 'sec-websocket-extensions')
  const extensions = extensionLines.length === 0 ? [] : parseExtensions(extensionLines)
  if (extensions === undefined) {
    return reject(400, 'REFUSED_EXTENSION', 'expected Sec-WebSocket-Extensions as in RFC 6455 §9.1')
  }
  return { valid: true, key, protocols, extensions }
}

function namesWebSocket(upgradeLines: readonly string[]): boolean {
  if (upgradeLines.length === 1 && upgradeLines[0] === 'websocket') return true // as nearly all write it
  return upgradeLines
    .join(',')
    .split(',')
    .some((product) => WEBSOCKET.test(product))
}

/** Whether `Connection` is a token list that has `upgrade`, in any case (§4.1, §4.2.1). */
export function hasUpgradeToken(connectionLines: readonly string[]): boolean {
  if (connectionLines.length === 1 && connectionLines[0] === 'Upgrade') return true // as nearly all write it
  return parseTokenList(connectionLines)?.some((token) => token.toLowerCase() === 'upgrade') ?? false
}

function chooseProtocol(offered: readonly string[], wanted: AcceptOptions['protocols']): string {
  if (wanted === undefined || offered.length === 0) return ''
  if (typeof wanted !== 'function') {
    const first = offered.find((protocol) => wanted.includes(protocol))
    // Its own text: one that is cut out of a request keeps all of that alive, as long as the connection.
    return wanted.find((protocol) => protocol === first) ?? ''
  }
  const chosen = wanted(offered)
  if (chosen === undefined) return ''
  if (!offered.includes(chosen)) {
    throw new UsageError(
      `the chosen subprotocol must be one of ${JSON.stringify(offered)}; got ${JSON.stringify(chosen)}`,
    )
  }
  return chosen
}

/** As HTTP/2 wants names (RFC 9113 §8.2.1). */
function inLowerCase([name, value]: Header): Header {
  return [name.toLowerCase(), value]
}
