// The TCP connections of a port of our own that are on their way in: nothing has been decided about them yet. Each is here from when
// it is accepted until its upgrade is accepted or refused, or it ends; what sends plain requests stays until its end. For those whose TLS
// handshake is under way there is no other list.

import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export class Arrivals {
  readonly #sockets = new Set<Socket>()
  readonly #forget: () => void
  #onEmpty: (() => void) | undefined

  constructor(server: Server, secure: boolean) {
    const arrivals = this
    this.#forget = function (this: Socket) {
      arrivals.settle(this)
    }
    server.on('connection', (socket) => this.#add(socket))
    if (!secure) return
    // Node has no public way from a TLS socket to the one below it.
    server.on('secureConnection', (socket: Socket & { _parent?: Socket }) => {
      this.#add(socket)
      if (socket._parent !== undefined) this.settle(socket._parent)
    })
  }

  /** It is decided what becomes of a connection. */
  settle(socket: Socket): void {
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
    for (const socket of this.#sockets) socket.destroy()
  }

  #add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', this.#forget)
  }
}
