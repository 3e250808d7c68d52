// The request of an upgrade, as hooks and events see it. Everything in it is the client's word.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { UpgradeRequest } from '@ws/protocol/node'
import { NO_PARAMS, type PathParams } from './pattern.ts'

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
