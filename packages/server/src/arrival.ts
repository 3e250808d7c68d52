// A connection to a port of our own, as long as nothing is decided about it. What it sends first is looked at here: the plain request for a
// WebSocket is taken as it is, and everything else is Node's HTTP server's, with the bytes it has sent. Rules:
// - Only a request that nothing is wrong with is taken: what is refused for how it is written is refused by one code, behind Node's parser.
// - Who says nothing is Node's too, soon: its timeouts are the ones in force.
// - So is a socket that somebody else looks at, as those may who are told of it by `node:diagnostics_channel`: they see all that it reads.

import { Buffer } from 'node:buffer'
import http from 'node:http'
import type { Socket } from 'node:net'
import { guardErrors, isWatched, openTransport, type TransportSink, transportOf } from '@ws/protocol/node'
import { DirectUpgradeRequest } from './direct-request.ts'
import { readRequestHead } from './request-head.ts'

/** Larger heads are Node's, and those that may be too large for it: `--max-http-header-size` says what is. */
export const LONGEST_HEAD: number = Math.min(8 * 1024, http.maxHeaderSize)

const END_OF_HEAD: Buffer = Buffer.from('\r\n\r\n')
const NOTHING: Uint8Array = new Uint8Array(0)

/** What takes arrivals over, each once. */
export interface ArrivalOwner {
  /** A request; `head` are bytes that came with it. */
  upgrade(arrival: Arrival, request: DirectUpgradeRequest, head: Uint8Array): void
  /** Something else: these bytes. */
  other(arrival: Arrival, bytes: Uint8Array): void
  /** It is gone. */
  gone(arrival: Arrival): void
}

export class Arrival implements TransportSink {
  readonly socket: Socket
  readonly #owner: ArrivalOwner
  #read = false

  constructor(socket: Socket, owner: ArrivalOwner) {
    this.socket = socket
    this.#owner = owner
    guardErrors(socket)
    openTransport(socket).read(this)
  }

  /** Leaves the socket to others. */
  release(): void {
    transportOf(this.socket)?.release()
  }

  // --- TransportSink

  data(buffer: Uint8Array, start: number, end: number): void {
    if (this.#read) return // what comes after a refusal
    this.#read = true
    const bytes = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start)
    const size = bytes.indexOf(END_OF_HEAD) + END_OF_HEAD.length
    const request = isWatched(this.socket) || size > LONGEST_HEAD ? undefined : this.#request(bytes, size)
    if (request === undefined) return this.#owner.other(this, Buffer.from(bytes))
    this.#owner.upgrade(this, request, bytes.length > size ? Buffer.from(bytes.subarray(size)) : NOTHING)
  }

  /** Reads the request alone: texts that are cut out of it keep all that was read alive. */
  #request(bytes: Buffer, size: number): DirectUpgradeRequest | undefined {
    const head = readRequestHead(bytes.toString('latin1', 0, size))
    if (head === undefined) return undefined
    const request = new DirectUpgradeRequest(this.socket, head)
    return request.offer.valid ? request : undefined
  }

  ended(): void {
    if (!this.#read) this.socket.destroy()
  }

  closed(): void {
    this.#owner.gone(this)
  }
}
