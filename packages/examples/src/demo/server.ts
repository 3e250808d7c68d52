// The server at `/updates`: what one client sends is pushed to every other. Rules: it knows nothing of samples; it listens
// on loopback only; a client that is too slow for what comes is closed by the library (`maxBackpressure`), not by us.

import { once } from 'node:events'
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type UpgradeRequest, type WebSocketConnection, WebSocketServer } from '@ws/server'

const HOST = '127.0.0.1'
const PATH = '/updates'
/** How long clients have to answer our Close, in ms; a sleeping browser tab may not. */
const CLOSE_TIMEOUT = 3000

/** What the server remembers of a connection: the key of its handshake, which both ends know. */
type Key = string

export class UpdatesServer {
  readonly #http: HttpServer
  readonly #sockets: WebSocketServer<Key>

  private constructor(http: HttpServer) {
    this.#http = http
    this.#sockets = new WebSocketServer<Key>(
      { server: http, path: PATH },
      { message: (sender, data) => this.#push(sender, data) },
    )
    this.#sockets.on('connection', (socket, request) => {
      socket.data = keyOf(request)
    })
  }

  /**
   * Listens; rejects if the port is not to be had.
   * @param onRequest answers what is no WebSocket
   */
  static async listen(port: number, onRequest: RequestListener): Promise<UpdatesServer> {
    const http = createServer(onRequest)
    const server = new UpdatesServer(http)
    http.listen(port, HOST)
    await once(http, 'listening')
    return server
  }

  /** Where clients connect. */
  get url(): string {
    return `ws://${this.#authority}${PATH}`
  }

  /** Where a browser goes. */
  get pageUrl(): string {
    return `http://${this.#authority}/`
  }

  get #authority(): string {
    return `${HOST}:${(this.#http.address() as AddressInfo).port}`
  }

  /** How many clients were ever connected. */
  get accepted(): number {
    return this.#sockets.stats().accepted
  }

  /** The open connection whose handshake had this key. */
  find(key: Key): WebSocketConnection<Key> {
    for (const socket of this.#sockets.clients) {
      if (socket.data === key) return socket
    }
    throw new Error(`the server has no open connection with key ${key}`)
  }

  /** Closes what is open with code 1000, once all that was pushed has left, and stops listening. */
  async close(): Promise<void> {
    await this.#sockets.close({ code: 1000, reason: 'the demo is over', timeout: CLOSE_TIMEOUT })
    this.#http.close()
    this.#http.closeAllConnections()
  }

  #push(sender: WebSocketConnection<Key>, data: string | Buffer): void {
    for (const client of this.#sockets.clients) {
      if (client !== sender) client.send(data)
    }
  }
}

function keyOf({ headers }: UpgradeRequest): Key {
  return headers['sec-websocket-key'] ?? ''
}
