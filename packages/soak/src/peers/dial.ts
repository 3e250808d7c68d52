// A plain socket to the server, and the opening handshake by hand.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net, { type Socket } from 'node:net'
import { acceptOf, agreedOf, type Compression, normalized, offerFor, readHead, valuesOf } from '@ws/conformance'

/** Connects. Who is given the socket destroys it. */
export async function dial(port: number): Promise<Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  socket.on('error', () => {}) // whoever waits for something sees the end
  await once(socket, 'connect')
  return socket
}

export interface RequestParts {
  readonly path?: string
  readonly compression?: Compression | undefined
}

/** A right request. */
export function requestOf({ path = '/', compression }: RequestParts, key: string): string {
  const offer = compression === undefined ? '' : `Sec-WebSocket-Extensions: ${offerFor(compression)}\r\n`
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n${offer}\r\n`
  )
}

export function makeKey(): string {
  return randomBytes(16).toString('base64')
}

/** A socket after its handshake, and what came with that. Rejects if the answer is not what it has to be. */
export interface Opened {
  readonly socket: Socket
  readonly head: Buffer
}

/** Connects and upgrades. @param early sent at once, before the answer */
export async function open(
  port: number,
  parts: RequestParts = {},
  early: Uint8Array = new Uint8Array(),
): Promise<Opened> {
  const socket = await dial(port)
  const key = makeKey()
  socket.write(Buffer.concat([Buffer.from(requestOf(parts, key), 'latin1'), early]))
  const head = await readHead(socket)
  const wrong = wrongIn(head.first, valuesOf(head, 'sec-websocket-accept').join(), key)
  const extensions = valuesOf(head, 'sec-websocket-extensions').map(normalized).join()
  const agreed = parts.compression === undefined ? '' : normalized(agreedOf(parts.compression, 'server'))
  if (wrong === undefined && extensions === agreed) return { socket, head: head.rest }
  socket.destroy()
  throw new Error(wrong ?? `expected the extensions '${agreed}', got '${extensions}'`)
}

function wrongIn(first: string, accept: string, key: string): string | undefined {
  if (!first.startsWith('HTTP/1.1 101 ')) return `expected 101, got ${first}`
  return accept === acceptOf(key) ? undefined : 'the accept value is wrong'
}

/** Destroys a socket and waits until it is gone. */
export async function drop(socket: Socket): Promise<void> {
  socket.destroy()
  if (!socket.closed) await once(socket, 'close')
}
