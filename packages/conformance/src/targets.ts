// The two ends of the product over TCP, and the raw sockets of their peers. The peer's part of the opening handshake is made by hand.

import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { type ConnectOptions, connect } from '@ws/client'
import { type ConnectionOptions, type WebSocketConnection, WebSocketServer } from '@ws/server'
import type { Case, HandshakeOptions } from './case.ts'
import { acceptOf, EXTENSIONS, type Head, readHead, valuesOf } from './http.ts'
import { agreedOf, checkAgreement, checkOffer, offerFor } from './negotiation.ts'
import { APPLICATIONS, type Application, DEFAULTS, HOST, type Opened, optionsOf, type Target } from './target.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** A raw client that is connected, before its request. */
interface Dialled {
  readonly socket: Socket
  /** The server's address, as in `Host`. */
  readonly host: string
  /** The server's connection, once it has accepted the request. */
  readonly accepted: Promise<WebSocketConnection>
}

/** `@ws/server`, one for each set of options, and a raw client for each case. */
export class ServerTarget implements Target {
  readonly end = 'server'
  readonly #servers = new Map<string, Promise<WebSocketServer>>()
  /** By both ports. */
  readonly #waiting = new Map<string, (socket: WebSocketConnection) => void>()

  async open(test: Case): Promise<Opened> {
    const { socket, host, accepted } = await this.dial(optionsOf(test), test.application)
    const { compression } = test
    const offer = compression === undefined ? '' : `Sec-WebSocket-Extensions: ${offerFor(compression)}\r\n`
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n${offer}\r\n`,
    )
    const head = await readHead(socket)
    if (!head.first.startsWith('HTTP/1.1 101 ')) throw new Error(`no upgrade: ${head.first}`)
    checkAgreement(compression, valuesOf(head, EXTENSIONS))
    return { socket, head: head.rest, closed: (await accepted).closed }
  }

  /** Connects a raw client to a server with these options. */
  async dial(options: HandshakeOptions & ConnectionOptions, application: Application = 'echo'): Promise<Dialled> {
    const server = await this.#serverFor(options, application)
    const { port } = server.address() as AddressInfo
    const socket = net.connect({ port, host: HOST, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    const ports = `${port} ${socket.localPort}`
    const accepted = new Promise<WebSocketConnection>((resolve) => this.#waiting.set(ports, resolve))
    socket.once('close', () => this.#waiting.delete(ports))
    return { socket, host: `${HOST}:${port}`, accepted }
  }

  async dispose(): Promise<void> {
    for (const server of this.#servers.values()) await (await server).close({ timeout: 0 })
  }

  #serverFor(options: HandshakeOptions & ConnectionOptions, application: Application): Promise<WebSocketServer> {
    const name = JSON.stringify([application, options])
    let server = this.#servers.get(name)
    if (server === undefined) {
      server = this.#listen(options, application)
      this.#servers.set(name, server)
    }
    return server
  }

  async #listen(options: HandshakeOptions & ConnectionOptions, application: Application): Promise<WebSocketServer> {
    const all = { port: 0, host: HOST, ...DEFAULTS, ...options }
    const server = await WebSocketServer.listen(all, APPLICATIONS[application])
    server.on('connection', (socket, { raw }) => {
      this.#waiting.get(`${raw.socket.localPort} ${raw.socket.remotePort}`)?.(socket)
    })
    return server
  }
}

/** A client that has sent its request to a raw server. */
interface Met {
  readonly socket: Socket
  /** The server's address, as in `Host`. */
  readonly host: string
  /** The client's request. */
  readonly head: Head
  readonly connected: Promise<WebSocketConnection>
}

/** `connect` of `@ws/client`, to a raw server that answers the upgrade by hand. */
export class ClientTarget implements Target {
  readonly end = 'client'
  readonly #listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void this.#receive(socket))
  readonly #waiting = new Map<string, (met: Pick<Met, 'socket' | 'head'>) => void>()
  #listening: Promise<unknown> | undefined
  #count = 0

  async open(test: Case): Promise<Opened> {
    const { socket, head, connected } = await this.meet(optionsOf(test), test.application)
    const { compression } = test
    checkOffer(compression, valuesOf(head, EXTENSIONS))
    const agreed = compression === undefined ? '' : `Sec-WebSocket-Extensions: ${agreedOf(compression, this.end)}\r\n`
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${acceptOf(valuesOf(head, 'sec-websocket-key').join())}\r\n${agreed}\r\n`,
    )
    return { socket, head: head.rest, closed: (await connected).closed }
  }

  /** Lets a client with these options send its request. */
  async meet(options: ConnectOptions, application: Application = 'echo'): Promise<Met> {
    this.#listening ??= once(this.#listener.listen(0, HOST), 'listening')
    await this.#listening
    const path = `/${++this.#count}`
    const received = new Promise<Pick<Met, 'socket' | 'head'>>((resolve) => this.#waiting.set(path, resolve))
    const host = `${HOST}:${(this.#listener.address() as AddressInfo).port}`
    const all = { ...DEFAULTS, serialize: false, ...options }
    const connected = connect(`ws://${host}${path}`, all, APPLICATIONS[application])
    connected.catch(() => {}) // who awaits it hears of it
    return { ...(await received), host, connected }
  }

  async dispose(): Promise<void> {
    if (this.#listening === undefined) return
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  async #receive(socket: Socket): Promise<void> {
    const head = await readHead(socket)
    const path = head.first.split(' ')[1] ?? ''
    this.#waiting.get(path)?.({ socket, head })
    this.#waiting.delete(path)
  }
}
