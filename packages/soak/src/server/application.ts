// What the server does for its clients. At `/guest`: `hello` with the number of the first news that this connection will get, the
// news, every message sent back, and to `farewell` a `bye` with the number of the news that has not come yet and the count of
// messages that were answered. Everywhere else messages are sent back and nothing is said unasked.

import type { Buffer } from 'node:buffer'
import type { Handlers, WebSocketConnection, WebSocketServer } from '@ws/server'
import { FAREWELL, stamp } from '../messages.ts'

/** What the server knows of a connection. */
export interface Client {
  readonly guest: boolean
  answered: number
}

export type Socket = WebSocketConnection<Client>

export const GUEST_PATH = '/guest'
/** Sizes of news, in turn: small ones, one that is compressed for those who agreed, one past a slab. */
const NEWS_SIZES = [10, 125, 126, 2_000, 20_000]

export class Application {
  readonly handlers: Handlers<Client> = {
    open: (socket) => this.welcome(socket),
    message: (socket, data) => this.receive(socket, data),
  }
  #news = 0

  /** A connection is open. */
  welcome(socket: Socket): void {
    if (socket.data.guest) socket.send(stamp('hello', this.#news, ''))
  }

  receive(socket: Socket, data: string | Buffer): void {
    if (data === FAREWELL && socket.data.guest) socket.send(stamp('bye', this.#news, String(socket.data.answered)))
    else this.reply(socket, data)
  }

  reply(socket: Socket, data: string | Buffer): void {
    socket.data.answered++
    socket.send(data)
  }

  /** Tells all guests something. */
  tell(server: WebSocketServer<Client>): void {
    const body = 'news '.repeat((NEWS_SIZES[this.#news % NEWS_SIZES.length] ?? 0) / 5)
    this.broadcast(server, stamp('news', this.#news++, body))
  }

  broadcast(server: WebSocketServer<Client>, message: string): void {
    server.broadcast(message, { filter: ({ data }) => data.guest })
  }
}
