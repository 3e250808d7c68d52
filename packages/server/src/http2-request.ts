// The request of an upgrade over HTTP/2 (RFC 8441), in the shape of one over HTTP/1.1: hooks need not know the difference.

import type { IncomingHttpHeaders as Http1Headers } from 'node:http'
import {
  type IncomingHttpHeaders as Http2Headers,
  Http2ServerRequest,
  type Http2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { checkUpgradeRequest, type Rejected, type UpgradeOffer } from '@ws/protocol'
import { holdTogether, type UpgradeRequest } from '@ws/protocol/node'
import { NO_PARAMS, type PathParams } from './pattern.ts'

/** An extended CONNECT. What few ask for is made when they do. */
export class Http2UpgradeRequest implements UpgradeRequest {
  readonly httpVersion = '2.0'
  /** Answers do not queue, and no header is left out: a list that is too long is a stream that is reset. */
  readonly pipelined = false
  readonly cut = false
  readonly rawHeaders: readonly string[]
  params: PathParams = NO_PARAMS
  readonly #stream: ServerHttp2Stream
  /** Kept, since the stream forgets it when it ends. */
  readonly #session: Http2Session | undefined
  readonly #given: Http2Headers
  #headers: Http1Headers | undefined
  #raw: Http2ServerRequest | undefined

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, rawHeaders: readonly string[]) {
    this.#stream = stream
    this.#session = stream.session
    this.#given = headers
    this.rawHeaders = rawHeaders
  }

  get remoteAddress(): string | undefined {
    return this.#session === undefined || this.#session.destroyed ? undefined : this.#session.socket.remoteAddress
  }

  get encrypted(): boolean {
    return this.#session?.encrypted === true
  }

  get method(): string {
    return this.#given[':method'] ?? ''
  }

  get url(): string {
    return this.#given[':path'] ?? ''
  }

  get headers(): Http1Headers {
    this.#headers ??= withoutPseudoHeaders(this.#given)
    return this.#headers
  }

  get raw(): Http2ServerRequest {
    this.#raw ??= new Http2ServerRequest(this.#stream, this.#given, {}, this.rawHeaders)
    return this.#raw
  }

  /** What RFC 8441 §4 says of it. */
  get offer(): UpgradeOffer | Rejected {
    return checkUpgradeRequest(this)
  }

  /** What waits is held together. */
  prepare(): void {
    holdTogether(this.#stream)
  }
}

/** `host` is what HTTP/2 calls `:authority`. */
function withoutPseudoHeaders(given: Http2Headers): Http1Headers {
  const headers = Object.create(null) as Http1Headers
  for (const name of Object.keys(given)) if (!name.startsWith(':')) headers[name] = given[name]
  headers.host = given[':authority']
  return headers
}

/** Headers as a list, for who has no other: those of one name that Node has joined stay so. */
export function headerLines(headers: Http2Headers): string[] {
  return Object.entries(headers).flatMap(([name, value = []]) => [value].flat().flatMap((line) => [name, line]))
}
