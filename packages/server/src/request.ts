// The request of an upgrade, as hooks and events see it. Everything in it is the client's word.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { checkUpgradeRequest, type Rejected, type UpgradeOffer } from '@ws/protocol'
import type { UpgradeRequest } from '@ws/protocol/node'
import { NO_PARAMS, type PathParams } from './pattern.ts'

/** What Node takes for `maxHeadersCount` if nobody sets it: half of what its documentation says. */
const DEFAULT_HEADERS_COUNT = 1_000

/** A request to an HTTP/1.1 server: it has a method and a URL. What few ask for is found out when they do: Node makes it then. */
export class HttpUpgradeRequest implements UpgradeRequest {
  readonly raw: IncomingMessage
  params: PathParams = NO_PARAMS

  constructor(raw: IncomingMessage) {
    this.raw = raw
  }

  /** Asking costs a call of the system. */
  get remoteAddress(): string | undefined {
    return this.raw.socket.remoteAddress
  }

  get encrypted(): boolean {
    return (this.raw.socket as { encrypted?: boolean }).encrypted === true
  }

  get method(): string {
    return this.raw.method as string
  }

  get httpVersion(): string {
    return this.raw.httpVersion
  }

  get url(): string {
    return this.raw.url as string
  }

  get headers(): IncomingHttpHeaders {
    return this.raw.headers
  }

  get rawHeaders(): readonly string[] {
    return this.raw.rawHeaders
  }

  /** What RFC 6455 §4.2.1 says of it. */
  get offer(): UpgradeOffer | Rejected {
    return checkUpgradeRequest(this)
  }

  /** Takes the HTTP server's timeout off the socket. */
  prepare(): void {
    // Node's HTTP server can be given plain streams too, which have no such method.
    const connection = this.raw.socket as { setTimeout?: (delay: number) => void }
    connection.setTimeout?.(0)
  }

  /**
   * Whether an earlier request on this connection still waits for its answer: then anything that we write would be taken for
   * that answer, and by a proxy for the answer to somebody else. Node has no public way to know.
   */
  get pipelined(): boolean {
    const { _httpMessage } = this.raw.socket as { _httpMessage?: unknown }
    return _httpMessage !== undefined && _httpMessage !== null
  }

  /**
   * Whether Node may have left headers out: before later Nodes came to refuse such requests, it dropped those past a number
   * without a word, a Content-Length too, and what is a body to a proxy in front would be frames to us. Our own port has no
   * such number, other HTTP servers have.
   */
  get cut(): boolean {
    const { rawHeaders, socket } = this.raw
    const { server } = socket as { server?: { maxHeadersCount?: number | null } }
    const most = server?.maxHeadersCount ?? DEFAULT_HEADERS_COUNT
    return most > 0 && rawHeaders.length >= 2 * most
  }
}

/** Scheme and authority of a request target in absolute form (RFC 9112 §3.2.2). */
export const AUTHORITY: RegExp = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/** The path of a request target, as sent: without the query, nothing decoded. */
export function pathnameOf(target: string): string {
  const path = target.replace(AUTHORITY, '')
  const end = path.search(/[?#]/)
  const pathname = end < 0 ? path : path.slice(0, end)
  return pathname === '' ? '/' : pathname
}
