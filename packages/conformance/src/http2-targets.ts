// The two ends of the product over HTTP/2 (RFC 8441), and the streams of their peers: `node:http2` gives the peer frames of HTTP/2,
// those of WebSocket are made by hand. Rule: the cases of one end share sessions, so that one that breaks more than its own stream
// is noticed by the others.

import { once } from 'node:events'
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect } from '@ws/client'
import { type ConnectionOptions, type WebSocketConnection, WebSocketServer } from '@ws/server'
import type { Case } from './case.ts'
import { EXTENSIONS } from './http.ts'
import { agreedOf, checkAgreement, checkOffer, offerFor } from './negotiation.ts'
import { APPLICATIONS, type Application, DEFAULTS, HOST, type Opened, optionsOf, type Target } from './target.ts'

type Answer = IncomingHttpHeaders & IncomingHttpStatusHeader

/** A server for one set of options, and the session of all raw clients with it. */
interface Served {
  readonly session: ClientHttp2Session
  dispose(): Promise<void>
}

/** `@ws/server` on an HTTP/2 server, one for each set of options, and a raw client's stream for each case. */
export class Http2ServerTarget implements Target {
  readonly end = 'server'
  readonly #servers = new Map<string, Promise<Served>>()
  /** By the path that was asked for. */
  readonly #waiting = new Map<string, (socket: WebSocketConnection) => void>()
  #count = 0

  async open(test: Case): Promise<Opened> {
    const { session } = await this.#serverFor(optionsOf(test), test.application ?? 'echo')
    const path = `/${++this.#count}`
    const accepted = new Promise<WebSocketConnection>((resolve) => this.#waiting.set(path, resolve))
    const { compression } = test
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': path,
      'sec-websocket-version': '13',
      ...(compression !== undefined && { [EXTENSIONS]: offerFor(compression) }),
    })
    const answer = await answerOf(stream)
    if (answer[':status'] !== 200) throw new Error(`expected status 200, got ${answer[':status']}`)
    checkAgreement(compression, linesOf(answer))
    return { socket: stream, head: Buffer.alloc(0), closed: (await accepted).closed }
  }

  async dispose(): Promise<void> {
    for (const server of this.#servers.values()) await (await server).dispose()
  }

  #serverFor(options: ConnectionOptions, application: Application): Promise<Served> {
    const name = JSON.stringify([application, options])
    let server = this.#servers.get(name)
    if (server === undefined) {
      server = this.#serve(options, application)
      this.#servers.set(name, server)
    }
    return server
  }

  async #serve(options: ConnectionOptions, application: Application): Promise<Served> {
    const listener = http2.createServer()
    const server = new WebSocketServer({ server: listener, ...DEFAULTS, ...options }, APPLICATIONS[application])
    server.on('connection', (socket, { url }) => {
      this.#waiting.get(url)?.(socket)
      this.#waiting.delete(url)
    })
    const port = await listen(listener)
    const session = http2.connect(`http://${HOST}:${port}`)
    await once(session, 'remoteSettings')
    const dispose = async (): Promise<void> => {
      await server.close({ timeout: 0 })
      session.destroy()
      await closed(listener)
    }
    return { session, dispose }
  }
}

/** `connect` of `@ws/client` with the option `http2`, to a raw server that answers the request by hand. */
export class Http2ClientTarget implements Target {
  readonly end = 'client'
  readonly #listener = http2.createServer({ settings: { enableConnectProtocol: true } })
  readonly #sessions = new Set<ServerHttp2Session>()
  /** By the path that is asked for. */
  readonly #waiting = new Map<string, (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void>()
  #listening: Promise<number> | undefined
  #count = 0

  constructor() {
    this.#listener.on('session', (session) => {
      this.#sessions.add(session)
    })
    this.#listener.on('stream', (stream, headers) => {
      const path = headers[':path'] ?? ''
      this.#waiting.get(path)?.(stream, headers)
      this.#waiting.delete(path)
    })
  }

  async open(test: Case): Promise<Opened> {
    this.#listening ??= listen(this.#listener)
    const port = await this.#listening
    const path = `/${++this.#count}`
    const received = new Promise<[ServerHttp2Stream, IncomingHttpHeaders]>((resolve) => {
      this.#waiting.set(path, (...request) => resolve(request))
    })
    const options = { ...DEFAULTS, serialize: false, ...optionsOf(test), http2: true }
    const connected = connect(`ws://${HOST}:${port}${path}`, options, APPLICATIONS[test.application ?? 'echo'])
    connected.catch(() => {}) // who awaits it hears of it
    const [stream, headers] = await received
    const { compression } = test
    checkOffer(compression, linesOf(headers))
    stream.respond({
      ':status': 200,
      ...(compression !== undefined && { [EXTENSIONS]: agreedOf(compression, this.end) }),
    })
    return { socket: stream, head: Buffer.alloc(0), closed: (await connected).closed }
  }

  async dispose(): Promise<void> {
    if (this.#listening === undefined) return
    for (const session of this.#sessions) session.destroy()
    await closed(this.#listener)
  }
}

async function listen(server: http2.Http2Server): Promise<number> {
  await once(server.listen(0, HOST), 'listening')
  return (server.address() as AddressInfo).port
}

async function closed(server: http2.Http2Server): Promise<void> {
  server.close()
  await once(server, 'close')
}

/** The answer to a request. Rejects if the stream ends without one. */
function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve)
    stream.once('error', reject)
    stream.once('close', () => reject(new Error(`no answer: the stream was reset with code ${stream.rstCode}`)))
  })
}

function linesOf(headers: IncomingHttpHeaders): string[] {
  return [headers[EXTENSIONS] ?? []].flat()
}
