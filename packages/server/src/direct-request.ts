// The request of an upgrade on a port of our own that was read without Node's HTTP server, in the shape of one that was not.

import { type IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { checkUpgradeRequest, type Rejected, type UpgradeOffer } from '@ws/protocol'
import type { UpgradeRequest } from '@ws/protocol/node'
import { NO_PARAMS, type PathParams } from './pattern.ts'
import type { RequestHead } from './request-head.ts'

/** The first request of its connection. What few ask for is made when they do. */
export class DirectUpgradeRequest implements UpgradeRequest {
  readonly method = 'GET'
  readonly httpVersion = '1.1'
  readonly encrypted = false
  /** No request came before it, and no header was left out. */
  readonly pipelined = false
  readonly cut = false
  readonly url: string
  readonly rawHeaders: readonly string[]
  /** What RFC 6455 §4.2.1 says of it. */
  readonly offer: UpgradeOffer | Rejected
  params: PathParams = NO_PARAMS
  readonly #socket: Socket
  #raw: IncomingMessage | undefined

  constructor(socket: Socket, { target, rawHeaders }: RequestHead) {
    this.#socket = socket
    this.url = target
    this.rawHeaders = rawHeaders
    this.offer = checkUpgradeRequest(this)
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  /** Node makes them of the raw ones, so that they are what they always are. */
  get headers(): IncomingHttpHeaders {
    return this.raw.headers
  }

  get raw(): IncomingMessage {
    this.#raw ??= incomingMessage(this.#socket, this)
    return this.#raw
  }

  prepare(): void {}
}

/** What Node gives the headers to that its parser has read. */
type Inside = IncomingMessage & { _addHeaderLines(rawHeaders: string[], count: number): void }

/** Whether a request of Node's can be made of one that Node has not read. */
export const canMakeRequests: boolean = typeof (IncomingMessage.prototype as Inside)._addHeaderLines === 'function'

function incomingMessage(
  socket: Socket,
  { method, httpVersion, url, rawHeaders }: DirectUpgradeRequest,
): IncomingMessage {
  const raw = new IncomingMessage(socket) as Inside
  raw._addHeaderLines([...rawHeaders], rawHeaders.length)
  Object.assign(raw, {
    method,
    httpVersion,
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    url,
    upgrade: true,
    complete: true,
  })
  raw.push(null) // it has no body: who reads it comes to the end at once
  return raw
}
