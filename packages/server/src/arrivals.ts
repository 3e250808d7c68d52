// The TCP connections of a port of our own that are on their way in: nothing has been decided about them yet. Each is here from when
// it is accepted until its upgrade is accepted or refused, or it ends; what sends plain requests stays until its end. For those whose TLS
// handshake is under way there is no other list.
// Without TLS, and where sockets can read into the receive window, what they send first is looked at before Node's HTTP server does: see `Arrival`.

import type { Server } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isWatched, readsIntoWindow } from '@ws/protocol/node'
import { Arrival, type ArrivalOwner } from './arrival.ts'
import { canMakeRequests, type DirectUpgradeRequest } from './direct-request.ts'

/** How often the silent ones are looked for: who has said nothing for one to two such times is Node's. */
const LOOKS_PER_TIMEOUT = 20

const ignore = (): void => {}

type OnSocket = (socket: Socket) => void

/** What takes the requests that were read here. */
export type OnRequest = (request: DirectUpgradeRequest, socket: Socket, head: Uint8Array) => void

export class Arrivals implements ArrivalOwner {
  readonly #sockets = new Set<Duplex>()
  readonly #server: Server
  readonly #onRequest: OnRequest
  readonly #forget: () => void
  /** Node's HTTP server, as a listener; undefined where it sees every connection by itself. */
  readonly #http: OnSocket | undefined
  readonly #between: number
  /** Who has said nothing, since the last look and before it. */
  #silent: Set<Arrival> = new Set()
  #silentLonger: Set<Arrival> = new Set()
  #looking: NodeJS.Timeout | undefined
  #onEmpty: (() => void) | undefined

  constructor(server: Server, { secure, timeout }: { secure: boolean; timeout: number }, onRequest: OnRequest) {
    const arrivals = this
    this.#server = server
    this.#onRequest = onRequest
    this.#between = Math.ceil(timeout / LOOKS_PER_TIMEOUT)
    this.#forget = function (this: Socket) {
      arrivals.settle(this)
    }
    this.#http = secure ? undefined : takeConnections(server)
    server.on('connection', this.#http === undefined ? (socket) => this.#add(socket) : (socket) => this.#arrive(socket))
    if (!secure) return
    // Node has no public way from a TLS socket to the one below it.
    server.on('secureConnection', (socket: Socket & { _parent?: Socket }) => {
      this.#add(socket)
      if (socket._parent !== undefined) this.settle(socket._parent)
    })
  }

  /** It is decided what becomes of a connection. */
  settle(socket: Duplex): void {
    if (!this.#sockets.delete(socket)) return
    socket.off('close', this.#forget)
    if (this.#sockets.size === 0) this.#onEmpty?.()
  }

  /** Resolves when nobody is on the way in, or after `timeout` ms. */
  async emptied(timeout: number): Promise<void> {
    if (this.#sockets.size === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeout)
      this.#onEmpty = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Ends all of them. */
  destroy(): void {
    clearInterval(this.#looking)
    for (const socket of this.#sockets) socket.destroy()
  }

  // --- ArrivalOwner

  upgrade(arrival: Arrival, request: DirectUpgradeRequest, head: Uint8Array): void {
    this.#heard(arrival)
    this.#onRequest(request, arrival.socket, head)
  }

  other(arrival: Arrival, bytes: Uint8Array): void {
    this.#handOver(arrival)
    arrival.socket.push(bytes)
  }

  gone(arrival: Arrival): void {
    this.#heard(arrival)
    this.settle(arrival.socket)
  }

  #add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', this.#forget)
  }

  #arrive(socket: Socket): void {
    if (isWatched(socket)) return this.#toHttp(socket)
    this.#sockets.add(socket)
    this.#silent.add(new Arrival(socket, this))
    this.#looking ??= setInterval(() => this.#look(), this.#between).unref()
  }

  #heard(arrival: Arrival): void {
    if (!this.#silent.delete(arrival)) this.#silentLonger.delete(arrival)
  }

  #look(): void {
    for (const arrival of this.#silentLonger) this.#handOver(arrival)
    this.#silentLonger = this.#silent
    this.#silent = new Set()
    if (this.#silentLonger.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #handOver(arrival: Arrival): void {
    this.#heard(arrival)
    arrival.release()
    const watched = isWatched(arrival.socket)
    this.#toHttp(arrival.socket)
    // Node's server reads past the stream until it sees somebody listen to it.
    if (watched) arrival.socket.on('data', ignore).off('data', ignore)
  }

  #toHttp(socket: Socket): void {
    this.#add(socket)
    this.#http?.call(this.#server, socket)
  }
}

/** Has a server's connections come here only. @returns Node's listener for them, undefined if it is not known or not needed */
function takeConnections(server: Server): OnSocket | undefined {
  const [http, ...others] = server.listeners('connection') as OnSocket[]
  // The HTTP servers of Bun are none of `node:net`.
  const known = server instanceof NetServer && http !== undefined && others.length === 0
  if (!known || !readsIntoWindow || !canMakeRequests) return undefined
  server.off('connection', http)
  return http
}
