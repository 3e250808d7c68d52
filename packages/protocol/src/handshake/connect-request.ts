// The opening handshake over HTTP/2, the client's side (RFC 8441 §5), pure: an extended CONNECT in place of the upgrade. Rules: no
// `Upgrade`, `Connection`, `Host`, key or accept value; names in lower case, each once, for HTTP/2 knows no other; what is
// offered, and what may come back of it, is as over HTTP/1.1 and lies in request.ts.

import { UsageError } from '../errors.ts'
import { groupHeaders, type Header, trimWhitespace } from './headers.ts'
import {
  conclude,
  type Established,
  type Failure,
  type NotEstablished,
  offerHeaders,
  type SentOffer,
  type UpgradeRequestOptions,
  type UpgradeResponse,
} from './request.ts'

/** Where an extended CONNECT goes; with `wss:` the scheme is `https`. */
export interface ConnectTarget {
  readonly scheme: 'http' | 'https'
  /** Host and port, as `Host` has them; a `Host` among the headers takes its place. */
  readonly authority: string
  /** Path and query. */
  readonly path: string
}

/** An extended CONNECT that is ready to be sent, and what the answer may choose from. */
export interface SentConnect extends SentOffer {
  /** Pseudo-headers first (RFC 9113 §8.3), each name once. */
  readonly headers: readonly Header[]
}

/** What HTTP/1.1 says of its connection has no place in HTTP/2 (RFC 9113 §8.2.2). */
const OF_CONNECTION: readonly string[] = ['http2-settings', 'keep-alive', 'proxy-connection', 'te']

/**
 * Makes the request that opens a WebSocket on a stream of HTTP/2 (RFC 8441 §4, §5).
 * @throws UsageError on invalid or repeated subprotocols, and on headers that are malformed, the handshake's own or of HTTP/1.1 alone
 */
export function createConnectRequest(target: ConnectTarget, options: UpgradeRequestOptions = {}): SentConnect {
  const { protocols = [], deflate } = options
  const fields = joinLines(offerHeaders(options))
  const misplaced = OF_CONNECTION.find((name) => fields.has(name))
  if (misplaced !== undefined) throw new UsageError(`header ${misplaced} has no place in HTTP/2 (RFC 9113 §8.2.2)`)
  const { scheme, authority, path } = target
  const headers: Header[] = [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', scheme],
    [':authority', fields.get('host') ?? authority],
    [':path', path],
  ]
  fields.delete('host')
  return { headers: [...headers, ...fields], protocols, deflate }
}

/** One line a name: more are a list (RFC 9110 §5.3), or the crumbs of a cookie (RFC 9113 §8.2.3). */
function joinLines(headers: readonly Header[]): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    const line = trimWhitespace(value) // RFC 9113 §8.2.1
    const before = fields.get(lower)
    fields.set(lower, before === undefined ? line : `${before}${lower === 'cookie' ? '; ' : ', '}${line}`)
  }
  return fields
}

/**
 * Judges the answer to an extended CONNECT (RFC 8441 §5): any 2xx opens the connection.
 * @param response `rawHeaders` without pseudo-headers
 */
export function checkConnectResponse(response: UpgradeResponse, sent: SentOffer): Established | NotEstablished {
  return conclude(response, groupHeaders(response.rawHeaders), sent, checkStatus(response))
}

function checkStatus({ status }: UpgradeResponse): Failure | undefined {
  if (status >= 200 && status < 300) return undefined
  return ['HANDSHAKE_STATUS', `expected status 2xx; got ${status}`]
}
