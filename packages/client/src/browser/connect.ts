// `connect` in a browser: one call, one promise, a connection or the reason why there is none.

import {
  type AbortSignalLike,
  type Connection,
  HandshakeError,
  integerOption,
  LONGEST_DELAY,
  usage,
} from '@ws/protocol'
import { toProtocols } from '../portable/arguments.ts'
import type { StandardSocket } from '../portable/dial.ts'
import { type ConnectionLimits, connectionLimits, SocketConnection } from './connection.ts'

/** The options of {@link connect}. */
export interface ConnectOptions<Data = unknown> extends ConnectionLimits {
  /** The subprotocols to offer; if there are any, the server must choose one. */
  readonly protocols?: string | readonly string[] | undefined
  /** How long connecting may take, in ms; 10,000 by default. */
  readonly handshakeTimeout?: number | undefined
  /** Ends the attempt, and the connection that came of it, at once. */
  readonly signal?: AbortSignalLike | undefined
  /** What `socket.data` is at first. */
  readonly data?: Data | undefined
}

/**
 * Opens a connection by the browser's own WebSocket. Messages that arrive before a `'message'` listener or an iterator is
 * attached wait for it.
 * @returns the open connection. Rejects with a HandshakeError, or with the reason of `signal`
 * @throws UsageError at once if an argument is wrong
 */
export function connect<Data = unknown>(
  url: string | URL,
  options: ConnectOptions<Data> = {},
): Promise<Connection<Data>> {
  const limits = connectionLimits(options)
  const timeout = integerOption('handshakeTimeout', options.handshakeTimeout, 10_000, 1, LONGEST_DELAY)
  const { protocols = [], signal } = options
  const list = toProtocols(protocols)
  if (list === undefined) throw usage('option protocols', 'a string or an array of strings', protocols)
  if ('headers' in options)
    throw usage('option headers', 'absent, for a browser sends no headers of yours', options.headers)
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw usage('option signal', 'an AbortSignal', signal)
  if (signal?.aborted === true) return Promise.reject(signal.reason)
  const make = (socket: StandardSocket): Connection<Data> =>
    new SocketConnection<Data>(socket, limits, options.data as Data, signal)
  return opened(open(url, list), timeout, signal, make)
}

function open(url: string | URL, protocols: string[]): StandardSocket {
  try {
    return new WebSocket(url, protocols)
  } catch (error) {
    throw usage('URL and protocols', `what the browser takes (${(error as Error).message})`, String(url))
  }
}

/** @param make called in the `open` event, so that no message comes before it */
function opened<Made>(
  socket: StandardSocket,
  timeout: number,
  signal: AbortSignalLike | undefined,
  make: (socket: StandardSocket) => Made,
): Promise<Made> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.onopen = socket.onclose = null
    }
    const fail = (why: unknown): void => {
      settle()
      socket.close()
      reject(why)
    }
    const abort = (): void => fail(signal?.reason)
    const { url } = socket
    const timer = setTimeout(
      () => fail(new HandshakeError('HANDSHAKE_TIMEOUT', `no connection to ${url} within ${timeout} ms`)),
      timeout,
    )
    signal?.addEventListener('abort', abort)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      settle()
      resolve(make(socket))
    }
    socket.onclose = () =>
      fail(new HandshakeError('CONNECT_FAILED', `no connection to ${url}; the browser tells only its console why`))
  })
}
