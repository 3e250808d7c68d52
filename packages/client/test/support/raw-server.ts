// A server without any manners: it reads the head of a request and answers with whatever bytes a test wants. It is
// closed when the test ends.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import tls, { type TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'

/** One connection of a client, whose request has come. */
export interface Exchange {
  readonly socket: Socket
  /** The request up to its empty line. */
  readonly head: string
  /** The accept value that proves that the key was read. */
  readonly accept: string
  /** The connection's number, from 0. */
  readonly index: number
}

export interface RawServer {
  readonly port: number
  /** `ws://127.0.0.1:port` or `wss://localhost:port`. */
  readonly url: string
  /** The heads of all requests. */
  readonly requests: string[]
  /** All accepted connections. */
  readonly sockets: Socket[]
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Starts a server on loopback; `answer` is called for each request. With `options` it speaks TLS. */
export async function rawServer(answer: (exchange: Exchange) => void, options?: TlsOptions): Promise<RawServer> {
  const server = options === undefined ? net.createServer() : tls.createServer(options)
  const requests: string[] = []
  const sockets: Socket[] = []
  const accepted: Socket[] = []
  server.on('connection', (socket: Socket) => accepted.push(socket))
  server.on(options === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    const index = sockets.push(socket) - 1
    socket.on('error', () => {})
    readHead(socket, (head) => {
      requests.push(head)
      answer({ socket, head, accept: acceptOf(head), index })
    })
  })
  server.on('tlsClientError', () => {})
  const port = await listen(server)
  onTestFinished(() => close(server, accepted))
  return { port, url: options === undefined ? `ws://127.0.0.1:${port}` : `wss://localhost:${port}`, requests, sockets }
}

/** Listens on a free port of loopback. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A port of loopback that nothing listens on. */
export async function unusedPort(): Promise<number> {
  const server = net.createServer()
  const port = await listen(server)
  await close(server, [])
  return port
}

/** Closes a server and the connections that it accepted. */
export async function close(server: Server, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
}

/** The 101 of RFC 6455 §4.2.2, with further lines. */
export function switching(accept: string, ...lines: string[]): string {
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  return [...head, `Sec-WebSocket-Accept: ${accept}`, ...lines, '', ''].join('\r\n')
}

/** The value of a header in the head of a request. */
export function header(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1]
}

/** Resolves once the other end is gone, in whichever way. */
export async function closed(socket: Socket): Promise<void> {
  socket.resume()
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}

function acceptOf(head: string): string {
  return createHash('sha1')
    .update(`${header(head, 'Sec-WebSocket-Key')}${GUID}`)
    .digest('base64')
}

function readHead(socket: Socket, done: (head: string) => void): void {
  let head = ''
  const take = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    if (!head.endsWith('\r\n\r\n')) return
    socket.off('data', take)
    done(head)
  }
  socket.on('data', take)
}
