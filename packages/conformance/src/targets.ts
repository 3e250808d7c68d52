// The two ends of the product behind one interface: a connection whose application echoes (or closes), and the raw socket of
// its peer. The opening handshake of the peer is made by hand, for it is not what is tested here.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { connect } from '@ws/client'
import type { CloseInfo } from '@ws/protocol'
import { type Handlers, type WebSocketConnection, WebSocketServer } from '@ws/server'
import type { Case, End } from './case.ts'

/** The target's connection and its peer. */
export interface Opened {
  readonly socket: Socket
  /** What came with the handshake. */
  readonly head: Buffer
  /** How the connection ended, as the target's application learns it. */
  readonly closed: Promise<CloseInfo>
}

export interface Target {
  readonly end: End
  open(test: Case): Promise<Opened>
  dispose(): Promise<void>
}

const HOST = '127.0.0.1'
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11' // §1.3
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HEAD_END = '\r\n\r\n'
/** The largest messages are 16 MiB: the buffer for output must not be what limits them. */
const BACKPRESSURE = 64 * 1024 * 1024

const APPLICATIONS: Readonly<Record<'echo' | 'closer', Handlers>> = {
  echo: { message: (socket, data) => void socket.send(data) },
  closer: { message: (socket) => void socket.close(4001, 'enough') },
}

function handlersOf(test: Case): Handlers {
  return APPLICATIONS[test.application ?? 'echo']
}

function optionsOf(test: Case): { maxBackpressure: number; maxPayload?: number; maxFragments?: number } {
  return { maxBackpressure: BACKPRESSURE, ...test.limits }
}

/** `@ws/server`, one for each set of options, and a raw client for each case. */
export class ServerTarget implements Target {
  readonly end = 'server'
  readonly #servers = new Map<string, Promise<WebSocketServer>>()
  readonly #waiting = new Map<string, (socket: WebSocketConnection) => void>()
  #count = 0

  async open(test: Case): Promise<Opened> {
    const server = await this.#serverFor(test)
    const path = `/${++this.#count}`
    const accepted = new Promise<WebSocketConnection>((resolve) => this.#waiting.set(path, resolve))
    const { port } = server.address() as AddressInfo
    const socket = net.connect({ port, host: HOST, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13${HEAD_END}`,
    )
    const { text, rest } = await readHead(socket)
    if (!text.startsWith('HTTP/1.1 101 ')) throw new Error(`no upgrade: ${text}`)
    return { socket, head: rest, closed: (await accepted).closed }
  }

  async dispose(): Promise<void> {
    for (const server of this.#servers.values()) await (await server).close({ timeout: 0 })
  }

  #serverFor(test: Case): Promise<WebSocketServer> {
    const name = JSON.stringify([test.application, test.limits])
    let server = this.#servers.get(name)
    if (server === undefined) {
      server = this.#listen(test)
      this.#servers.set(name, server)
    }
    return server
  }

  async #listen(test: Case): Promise<WebSocketServer> {
    const server = await WebSocketServer.listen({ port: 0, host: HOST, ...optionsOf(test) }, handlersOf(test))
    server.on('connection', (socket, request) => {
      this.#waiting.get(request.url)?.(socket)
      this.#waiting.delete(request.url)
    })
    return server
  }
}

/** `connect` of `@ws/client`, to a raw server that answers the upgrade by hand. */
export class ClientTarget implements Target {
  readonly end = 'client'
  readonly #listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void this.#answer(socket))
  readonly #waiting = new Map<string, (answered: Pick<Opened, 'socket' | 'head'>) => void>()
  #listening: Promise<unknown> | undefined
  #count = 0

  async open(test: Case): Promise<Opened> {
    this.#listening ??= once(this.#listener.listen(0, HOST), 'listening')
    await this.#listening
    const path = `/${++this.#count}`
    const answered = new Promise<Pick<Opened, 'socket' | 'head'>>((resolve) => this.#waiting.set(path, resolve))
    const { port } = this.#listener.address() as AddressInfo
    const connected = connect(`ws://${HOST}:${port}${path}`, optionsOf(test), handlersOf(test))
    const [raw, connection] = await Promise.all([answered, connected])
    return { ...raw, closed: connection.closed }
  }

  async dispose(): Promise<void> {
    if (this.#listening === undefined) return
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  async #answer(socket: Socket): Promise<void> {
    const { text, rest } = await readHead(socket)
    const key = /^sec-websocket-key: *(\S+)/im.exec(text)?.[1] ?? ''
    const accept = createHash('sha1')
      .update(key + ACCEPT_GUID)
      .digest('base64')
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}${HEAD_END}`,
    )
    const path = text.split(' ')[1] ?? ''
    this.#waiting.get(path)?.({ socket, head: rest })
    this.#waiting.delete(path)
  }
}

/** Reads up to the empty line that ends an HTTP head; the socket is left paused. */
async function readHead(socket: Socket): Promise<{ text: string; rest: Buffer }> {
  let bytes = Buffer.alloc(0)
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    socket.pause()
    bytes = Buffer.concat([bytes, chunk])
    const end = bytes.indexOf(HEAD_END)
    if (end < 0) socket.resume()
    else return { text: bytes.toString('latin1', 0, end), rest: bytes.subarray(end + HEAD_END.length) }
  }
}
