// Servers that speak HTTP/2: Node's own, with an acceptor of a few lines, and one that is written frame by frame. Both are closed when the
// test ends.

import { once } from 'node:events'
import type http from 'node:http'
import type { IncomingMessage } from 'node:http'
import http2, {
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import net, { type Socket } from 'node:net'
import { acceptUpgrade, connectionSettings, openTransport, WebSocketConnection } from '@ws/protocol/node'
import { onTestFinished } from 'vitest'
import { close, listen } from './raw-server.ts'

export interface Http2PeerOptions {
  /** TLS; without it cleartext, by prior knowledge. */
  tls?: SecureServerOptions
  settings?: Settings
  /** Answers in place of the acceptor, which echoes. */
  answer?: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
}

export interface Http2Peer {
  readonly url: string
  readonly port: number
  /** All that were ever opened. */
  readonly sessions: ServerHttp2Session[]
  /** The headers of all requests, HTTP/1.1 too. */
  readonly requests: (IncomingHttpHeaders | http.IncomingHttpHeaders)[]
  readonly connections: WebSocketConnection[]
  readonly sockets: Socket[]
}

/** Starts a server on loopback that echoes over each stream; with `allowHTTP1` over upgrades too. */
export async function http2Peer(options: Http2PeerOptions = {}): Promise<Http2Peer> {
  const settings = { enableConnectProtocol: true, ...options.settings }
  const server: Http2Server | Http2SecureServer =
    options.tls === undefined
      ? http2.createServer({ settings })
      : http2.createSecureServer({ ...options.tls, settings })
  const made: Omit<Http2Peer, 'url' | 'port'> = { sessions: [], requests: [], connections: [], sockets: [] }
  server.on('connection', (socket: Socket) => made.sockets.push(socket))
  server.on('session', (session: ServerHttp2Session) => {
    made.sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    made.requests.push(headers)
    stream.on('error', () => {})
    const answer = options.answer ?? ((opened) => void made.connections.push(accept(opened)))
    answer(stream, headers)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    made.requests.push(request.headers)
    made.connections.push(acceptHttp1(request, socket, head))
  })
  server.on('tlsClientError', () => {})
  const port = await listen(server as net.Server)
  onTestFinished(() => close(server as net.Server, made.sockets))
  return { ...made, port, url: options.tls === undefined ? `ws://127.0.0.1:${port}` : `wss://localhost:${port}` }
}

/** Opens a WebSocket that sends back what comes. */
export function accept(
  stream: ServerHttp2Stream,
  headers: Record<string, string | string[]> = {},
): WebSocketConnection {
  stream.respond({ ':status': 200, ...headers })
  return echo(new WebSocketConnection({ transport: openTransport(stream), role: 'server', settings: SETTINGS }))
}

const SETTINGS = connectionSettings({}, false)

function acceptHttp1(request: IncomingMessage, socket: Socket, head: Buffer): WebSocketConnection {
  const answer = acceptUpgrade(request)
  if (!answer.valid) throw new Error(answer.message)
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`)
  socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'))
  return echo(new WebSocketConnection({ transport: openTransport(socket, head), role: 'server', settings: SETTINGS }))
}

function echo(connection: WebSocketConnection): WebSocketConnection {
  connection.on('message', (data) => void connection.send(data))
  connection.start()
  return connection
}

/** Frames of HTTP/2 (RFC 9113 §6), by hand. */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const

export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** SETTINGS with SETTINGS_ENABLE_CONNECT_PROTOCOL (0x8), RFC 8441 §3. */
export function settingsFrame(enableConnectProtocol = 1): Buffer {
  return http2Frame(FRAME.settings, 0, 0, Buffer.from([0, 8, 0, 0, 0, enableConnectProtocol]))
}

/** A header block with END_HEADERS, each field a literal without indexing (RFC 7541 §6.2.2). */
export function headersFrame(stream: number, fields: readonly (readonly [string, string])[]): Buffer {
  const literal = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
  const block = fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)])
  return http2Frame(FRAME.headers, 4, stream, Buffer.concat(block))
}

/** The payload of RST_STREAM, or with the last stream before it that of GOAWAY. */
export function codes(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index)
  return bytes
}

export interface RawFrame {
  readonly type: number
  readonly stream: number
  readonly payload: Buffer
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/**
 * A server without any manners: it says nothing by itself.
 * @param opened called with each connection
 * @param received called with each frame
 */
export async function rawHttp2Peer(
  opened: (socket: Socket) => void,
  received: (frame: RawFrame, socket: Socket) => void = () => {},
): Promise<{ url: string; port: number; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    readFrames(socket, (frame) => received(frame, socket))
    opened(socket)
  })
  const port = await listen(server)
  onTestFinished(() => close(server, sockets))
  return { url: `ws://127.0.0.1:${port}`, port, sockets }
}

function readFrames(socket: Socket, received: (frame: RawFrame) => void): void {
  let bytes = Buffer.alloc(0)
  let start = PREFACE.length
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    for (let size = 0; bytes.length >= start + 9; start += 9 + size) {
      size = bytes.readUIntBE(start, 3)
      if (bytes.length < start + 9 + size) return
      const payload = bytes.subarray(start + 9, start + 9 + size)
      received({ type: bytes.readUInt8(start + 3), stream: bytes.readUInt32BE(start + 5), payload })
    }
  })
}

/** A session of the test's own. */
export async function ownSession(peer: { url: string }, options: http2.SecureClientSessionOptions = {}) {
  const session = http2.connect(peer.url.replace(/^ws/, 'http'), options)
  onTestFinished(async () => {
    if (session.destroyed) return
    session.destroy()
    await once(session, 'close')
  })
  return session
}
