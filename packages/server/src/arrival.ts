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
    if (isWatched(this.socket)) return this.#owner.other(this, Buffer.from(bytes))
    const head = readRequestHead(bytes.toString('latin1', 0, LONGEST_HEAD))
    const request = head && new DirectUpgradeRequest(this.socket, head)
    if (request === undefined || !request.offer.valid) return this.#owner.other(this, Buffer.from(bytes))
    const rest = bytes.subarray(head?.length)
    this.#owner.upgrade(this, request, rest.length === 0 ? NOTHING : Buffer.from(rest))
  }

  ended(): void {
    if (!this.#read) this.socket.destroy()
  }

  closed(): void {
    this.#owner.gone(this)
  }
}
