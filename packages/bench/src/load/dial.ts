// Opening connections. Rules: all sockets of a process read into one static window, so a read allocates nothing; the opening
// handshake is prepared bytes, and whoever asked for the connection gets every byte that follows the answer.

import { readFileSync } from 'node:fs'
import { type ClientHttp2Stream, constants } from 'node:http2'
import { connect, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { extensionOf } from '../deflate.ts'
import type { Assignment } from '../job.ts'
import { ACCEPT, handshakeOf } from '../wire.ts'
import { dialSessions } from './dial-http2.ts'

/** The size of the window that all sockets read into. */
export const WINDOW: number = 256 * 1024
/** How many connections are being opened at once: no more than a server's backlog takes. */
const AT_ONCE = 128
const END_OF_HEAD = '\r\n\r\n'

/** What a connection is for. */
export abstract class Peer {
  /** A socket, or a stream of HTTP/2. */
  socket!: Socket | ClientHttp2Stream
  /** Whether it is this end that ends the connection. */
  ended = false

  /** Bytes came, in `buffer[start, end)`, valid during this call only. What it throws fails the measurement. */
  abstract take(buffer: Buffer, start: number, end: number): void

  /** Ends by a reset, which leaves no port of this machine waiting. */
  end(): void {
    this.ended = true
    if ('resetAndDestroy' in this.socket) this.socket.resetAndDestroy()
    else this.socket.close(constants.NGHTTP2_CANCEL)
  }
}

/** Where to connect to. */
export interface Target {
  readonly port: number
  /** For TLS, the authority that signed the server's certificate, in PEM. */
  readonly ca: string | undefined
  /** The extension that is offered and must be taken; undefined for none. */
  readonly extension: string | undefined
  /** How many connections share a session of HTTP/2; 0 for HTTP/1.1. */
  readonly streams: number
  /** Told of a connection that fails. */
  readonly onFailure: (error: Error) => void
}

export function targetOf({ job, port, tls }: Assignment, onFailure: (error: Error) => void): Target {
  const ca = job.secure ? readFileSync(tls.ca, 'utf8') : undefined
  return { port, ca, extension: extensionOf(job), streams: job.streams, onFailure }
}

const window = Buffer.allocUnsafeSlow(WINDOW)

/** Opens one connection; resolves once the server's 101 has come. */
export function dial(target: Target, peer: Peer): Promise<void> {
  return new Promise((resolve) => {
    let head: string | undefined = ''
    const receive = (buffer: Buffer, length: number): void => {
      if (head === undefined) return peer.take(buffer, 0, length)
      const before = head.length
      head += buffer.toString('latin1', 0, length)
      const end = head.indexOf(END_OF_HEAD)
      if (end < 0) return
      checkAnswer(head, target.extension)
      head = undefined
      resolve()
      const rest = end + END_OF_HEAD.length - before
      if (rest < length) peer.take(buffer, rest, length)
    }
    peer.socket = open(target, receive)
    peer.socket.on('error', target.onFailure)
    peer.socket.on('close', () => {
      if (!peer.ended) target.onFailure(new Error('the server closed a connection'))
    })
  })
}

/** Opens as many connections as there are peers. */
export async function dialAll(target: Target, peers: readonly Peer[]): Promise<void> {
  if (target.streams > 0) return dialSessions(target, peers)
  const waiting = peers.values()
  const worker = async (): Promise<void> => {
    for (const peer of waiting) await dial(target, peer)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

function open(target: Target, receive: (buffer: Buffer, length: number) => void): Socket {
  const callback = (length: number, buffer: Uint8Array): boolean => {
    try {
      receive(buffer as Buffer, length)
    } catch (error) {
      target.onFailure(error as Error)
    }
    return true
  }
  const onread: OnReadOpts = { buffer: window, callback }
  const options: NetConnectOpts = { host: '127.0.0.1', port: target.port, noDelay: true, onread }
  const onOpen = (): void => void socket.write(handshakeOf(target.port, target.extension))
  const socket = target.ca === undefined ? connect(options, onOpen) : connectTls(secured(options, target.ca), onOpen)
  return socket.setNoDelay(true)
}

/** Node takes `onread` for TLS as well; its types do not say so. */
function secured(options: NetConnectOpts, ca: string): ConnectionOptions {
  return { ...options, ca, servername: 'localhost' } as ConnectionOptions
}

function checkAnswer(head: string, extension: string | undefined): void {
  if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(ACCEPT)) {
    throw new Error(`expected a 101 with ${ACCEPT}; got ${JSON.stringify(head.slice(0, 200))}`)
  }
  const taken = /^sec-websocket-extensions: *(.*)\r$/im.exec(head)?.[1]
  if (sorted(taken) === sorted(extension)) return
  throw new Error(`expected the extension ${extension ?? 'none'} to be taken; got ${taken ?? 'none'}`)
}

/** An extension with its parameters in one order. */
function sorted(extension: string | undefined): string | undefined {
  const parts = extension?.split(';').map((part) => part.trim())
  return parts?.toSorted().join(';')
}
