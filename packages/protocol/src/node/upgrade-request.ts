// The request of an opening handshake as an application's hooks see it, the same for every HTTP version.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { UpgradeHead } from '../handshake/accept.ts'

export interface UpgradeRequest extends UpgradeHead {
  /** `GET`, or `CONNECT` over HTTP/2. */
  readonly method: string
  /** `1.1`, or `2.0`. */
  readonly httpVersion: string
  /** Path and query as the client sent them. Untrusted, as are all headers. */
  readonly url: string
  /** What varied in the path, by the option `path` of a server; as sent, so `decodeURIComponent` may be due. Empty otherwise. */
  readonly params: Readonly<Record<string, string | undefined>>
  /** Names in lower case. Over HTTP/2 without the pseudo-headers, and `host` is the value of `:authority`. */
  readonly headers: IncomingHttpHeaders
  /** As received, `[name, value, name, value, …]`; over HTTP/2 with the pseudo-headers. */
  readonly rawHeaders: readonly string[]
  /** The client's address. Once the client has left it is known only if it was asked for before. */
  readonly remoteAddress: string | undefined
  /** Whether it came over TLS to this process. */
  readonly encrypted: boolean
  /** Node's own request; `raw.socket` is over HTTP/2 that of the session, which other streams share. */
  readonly raw: IncomingMessage | Http2ServerRequest
}
