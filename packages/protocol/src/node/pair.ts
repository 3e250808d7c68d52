// Two connections that talk to each other in memory, for tests of what is built upon them: no port, no handshake, nothing to
// wait for before the first message. All else is as over a socket.

import type { Duplex } from 'node:stream'
import type { Role } from '../constants.ts'
import { type Handlers, WebSocketConnection } from './connection.ts'
import { memoryPair } from './memory-duplex.ts'
import { type ConnectionOptions, connectionSettings } from './settings.ts'
import type { Topics } from './topics.ts'
import { openTransport } from './transport/open.ts'

/** One end of a pair: what `connect()` or a server would be given. */
export interface PairedEnd<Data = unknown> extends Omit<ConnectionOptions, 'perMessageDeflate'> {
  readonly handlers?: Handlers<Data> | undefined
  /** What the connection's `data` is at first. */
  readonly data?: Data | undefined
  /** What the connection may subscribe to, as a server's: publish there what the test wants it to get. */
  readonly topics?: Topics<Data> | undefined
}

export interface PairOptions<ClientData = unknown, ServerData = unknown> {
  readonly client?: PairedEnd<ClientData> | undefined
  readonly server?: PairedEnd<ServerData> | undefined
  /** The subprotocol that both ends have; none by default. */
  readonly protocol?: string | undefined
}

/** Both ends of one connection. */
export interface ConnectedPair<ClientData = unknown, ServerData = unknown> extends AsyncDisposable {
  readonly client: WebSocketConnection<ClientData>
  readonly server: WebSocketConnection<ServerData>
}

/**
 * Makes a client's and a server's connection over streams in memory, both open: for tests. Listeners may be attached at any
 * time, nothing is lost. There is no heartbeat unless an end asks for it, and no compression. No timer is needed for bytes to
 * arrive, so clocks may be faked.
 * @example
 * await using pair = connectPair({ server: { handlers: { message: (socket, data) => void socket.send(data) } } })
 * pair.client.send('hello')
 * @returns both connections; disposing of the pair terminates what is left of them
 * @throws UsageError on a wrong option
 */
export function connectPair<ClientData = unknown, ServerData = unknown>(
  options: PairOptions<ClientData, ServerData> = {},
): ConnectedPair<ClientData, ServerData> {
  const [near, far] = memoryPair()
  const client = connectionOn(near, 'client', options.client, options.protocol)
  const server = connectionOn(far, 'server', options.server, options.protocol)
  server.start()
  client.start()
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      for (const socket of [client, server]) socket.terminate()
      await Promise.all([client.closed, server.closed])
    },
  }
}

function connectionOn<Data>(
  stream: Duplex,
  role: Role,
  { handlers, data, topics, ...options }: PairedEnd<Data> = {},
  protocol?: string,
): WebSocketConnection<Data> {
  const settings = connectionSettings(options, false)
  const transport = openTransport(stream)
  return new WebSocketConnection<Data>({ transport, role, settings, protocol, handlers, data, topics })
}
