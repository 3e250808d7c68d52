// Connections for tests: both ends of ours over a real pair of streams, or one end of ours and the raw stream of a peer
// that a test plays itself, byte by byte.

import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { duplexPair, http2Pair, type SocketPair, tcpPair, tlsPair } from '@ws/testkit'
import type { Role } from '../../../src/constants.ts'
import type { DeflateParameters } from '../../../src/deflate/parameters.ts'
import { type Handlers, WebSocketConnection } from '../../../src/node/connection.ts'
import { memoryPair } from '../../../src/node/memory-duplex.ts'
import { type ConnectionOptions, type ConnectionSettings, connectionSettings } from '../../../src/node/settings.ts'
import { openTransport } from '../../../src/node/transport/open.ts'

/** Every transport that connections run over. */
export const TRANSPORTS: { name: string; pair: () => Promise<SocketPair<Duplex>> }[] = [
  { name: 'TCP', pair: tcpPair },
  { name: 'TLS', pair: tlsPair },
  { name: 'HTTP/2', pair: () => http2Pair() },
  { name: 'HTTP/2 over TLS', pair: () => http2Pair(true) },
  { name: 'Duplex', pair: async () => duplexPair() },
  { name: 'memory', pair: async () => inMemory() },
]

/** The streams of `connectPair`. */
function inMemory(): SocketPair<Duplex> {
  const [client, server] = memoryPair()
  const dispose = async () => {
    await Promise.all(
      [client, server].map((stream) => {
        const closed = stream.closed ? undefined : once(stream, 'close')
        stream.destroy()
        return closed
      }),
    )
  }
  return { client, server, dispose }
}

export interface Setup extends ConnectionOptions {
  handlers?: Handlers
  head?: Uint8Array
  deflate?: DeflateParameters
  /** In place of options: those of one server, say, which its connections share. */
  settings?: ConnectionSettings
}

/** Makes a connection of ours on a stream and starts it. */
export function open(
  stream: Duplex,
  role: Role,
  { handlers, head, deflate, settings: given, ...options }: Setup = {},
): WebSocketConnection {
  const settings = given ?? connectionSettings(options, false)
  const socket = new WebSocketConnection({ transport: openTransport(stream, head), role, settings, handlers, deflate })
  socket.start()
  return socket
}

export interface Ends {
  client: WebSocketConnection
  server: WebSocketConnection
  dispose: () => Promise<void>
}

/** Both ends of one connection. */
export async function connected(
  pair: () => Promise<SocketPair<Duplex>> = tcpPair,
  { client = {}, server = {} }: { client?: Setup; server?: Setup } = {},
): Promise<Ends> {
  const streams = await pair()
  return {
    client: open(streams.client, 'client', client),
    server: open(streams.server, 'server', server),
    dispose: streams.dispose,
  }
}

/** One end of ours, and the stream of a peer that the test plays. */
export async function withPeer(
  role: Role,
  setup: Setup = {},
  pair: () => Promise<SocketPair<Duplex>> = tcpPair,
): Promise<{ socket: WebSocketConnection; peer: Peer; dispose: () => Promise<void> }> {
  const streams = await pair()
  const [ours, theirs] = role === 'client' ? [streams.client, streams.server] : [streams.server, streams.client]
  return { socket: open(ours, role, setup), peer: new Peer(theirs), dispose: streams.dispose }
}

/** A raw peer: writes bytes, reads an exact number of them. */
export class Peer {
  readonly stream: Duplex
  #received = Buffer.alloc(0)

  constructor(stream: Duplex) {
    this.stream = stream
    stream.on('error', () => {})
  }

  write(...parts: (Uint8Array | string)[]): void {
    this.stream.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part))))
  }

  /** The next `size` bytes, as hex. Fails if the stream ends before. */
  async read(size: number): Promise<string> {
    while (this.#received.length < size) {
      const chunk: Buffer | null = this.stream.read()
      if (chunk !== null) this.#received = Buffer.concat([this.#received, chunk])
      else if (this.stream.readableEnded) throw new Error(`ended after ${this.#received.toString('hex')}`)
      else await Promise.race([once(this.stream, 'readable'), once(this.stream, 'end')])
    }
    const bytes = this.#received.subarray(0, size)
    this.#received = this.#received.subarray(size)
    return bytes.toString('hex')
  }

  /** All bytes up to the end of our side, as hex. */
  async rest(): Promise<string> {
    for await (const chunk of this.stream) this.#received = Buffer.concat([this.#received, chunk as Buffer])
    return this.#received.toString('hex')
  }
}

/** Collects messages until there are `count`. */
export function collect(socket: WebSocketConnection, count: number): Promise<(string | Buffer)[]> {
  const messages: (string | Buffer)[] = []
  return new Promise((resolve) => {
    const take = (data: string | Buffer): void => {
      messages.push(data)
      if (messages.length === count) {
        socket.off('message', take)
        resolve(messages)
      }
    }
    socket.on('message', take)
  })
}

/** Runs `action` and resolves with the uncaught exception that it must cause. */
export async function uncaught(action: () => void): Promise<unknown> {
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  try {
    const caught = new Promise<unknown>((resolve) => process.once('uncaughtException', resolve))
    action()
    return await caught
  } finally {
    for (const listener of listeners) process.on('uncaughtException', listener)
  }
}
