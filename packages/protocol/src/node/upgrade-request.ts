// The request of an opening handshake as an application's hooks see it, the same for every HTTP version.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { UpgradeHead } from '../handshake/accept.ts'

export interface UpgradeRequest extends UpgradeHead {
  readonly method: string
  /** Path and query as the client sent them. Untrusted, as are all headers. */
  readonly url: string
  /** What varied in the path, by the option `path` of a server; as sent, so `decodeURIComponent` may be due. Empty otherwise. */
  readonly params: Readonly<Record<string, string | undefined>>
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  /** The client's address. Once the client has left it is known only if it was asked for before. */
  readonly remoteAddress: string | undefined
  /** Whether it came over TLS to this process. */
  readonly encrypted: boolean
  readonly raw: IncomingMessage
}
