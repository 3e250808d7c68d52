// `ReconnectingWebSocket` on Node: over the class of this package, with pings as its heartbeat.

import { UsageError, type WebSocketError } from '@ws/protocol'
import type { HeartbeatOptions } from '@ws/protocol/node'
import { CloseEvent } from './events.ts'
import { type HeadersOption, makePlan } from './plan.ts'
import {
  type Build,
  type Failure,
  type StandardSocket,
  type StandardSocketClass,
  standardBuild,
} from './portable/dial.ts'
import { isFinal } from './portable/loss.ts'
import type { PulseOptions } from './portable/pulse.ts'
import { type PerAttempt, type ReconnectOptions, reconnectSettings, toOptions } from './portable/reconnect-options.ts'
import { ReconnectingSocket } from './portable/reconnecting-socket.ts'
import { parseTarget } from './url.ts'
import { WebSocket, type WebSocketOptions } from './websocket.ts'

/** The options of {@link ReconnectingWebSocket}: when to connect again, and those of each connection. */
export interface ReconnectingWebSocketOptions
  extends ReconnectOptions,
    Omit<WebSocketOptions, 'handshakeTimeout' | 'headers' | 'heartbeat' | 'protocols' | 'signal'> {
  /** The subprotocols to offer. */
  readonly protocols?: PerAttempt<string | Iterable<string>> | undefined
  /** Further headers of the request. */
  readonly headers?: PerAttempt<HeadersOption> | undefined
  /** Pings (true, or their times in ms), or with `message` a heartbeat made of messages. On by default. */
  readonly heartbeat?: boolean | HeartbeatOptions | PulseOptions | undefined
  /** Another class with the standard's interface, called with URL and subprotocols: the other options of connections do not count then. */
  readonly WebSocket?: StandardSocketClass | undefined
}

/**
 * A WebSocket that connects again when the connection is lost, with the interface of the standard. `url`, `protocols` and
 * `headers` may be functions, also asynchronous ones, which are called for each attempt.
 *
 * ```ts
 * const socket = new ReconnectingWebSocket('ws://127.0.0.1:12010/updates')
 * socket.onmessage = (event) => console.log(event.data)
 * socket.onreconnecting = ({ delay, info }) => console.log(`lost (${info.code}), again in ${delay} ms`)
 * ```
 */
export class ReconnectingWebSocket extends ReconnectingSocket<HeadersOption> {
  /**
   * Begins to connect.
   * @param url ws:, wss:, http: or https:
   * @param protocols the subprotocols to offer, or options
   * @throws DOMException `SyntaxError` on an invalid URL or subprotocol; UsageError on another wrong option
   */
  constructor(
    url: PerAttempt<string | URL>,
    protocols: PerAttempt<string | Iterable<string>> | ReconnectingWebSocketOptions = [],
  ) {
    const options: ReconnectingWebSocketOptions = toOptions(protocols)
    const { heartbeat = true, headers, WebSocket: Socket } = options
    const pulse = isPulse(heartbeat) ? heartbeat : undefined
    const settings = reconnectSettings(options, pulse)
    if (Socket !== undefined && headers !== undefined)
      throw new UsageError('option headers must not be given with a WebSocket class: the standard takes none')
    const own = isPulse(heartbeat) ? false : heartbeat
    const build = Socket === undefined ? ownBuild(options, own, settings.maxQueue) : standardBuild(Socket, CloseEvent)
    super({ url, protocols: options.protocols ?? [], headers }, settings, build)
  }
}

function isPulse(heartbeat: boolean | HeartbeatOptions | PulseOptions): heartbeat is PulseOptions {
  return typeof heartbeat === 'object' && heartbeat !== null && 'message' in heartbeat
}

/** Options are checked now; what functions bring, when they have brought it. @throws UsageError */
function ownBuild(
  options: ReconnectingWebSocketOptions,
  heartbeat: boolean | HeartbeatOptions,
  maxQueue: number,
): Build<HeadersOption> {
  const { protocols, headers, signal, ...rest } = options
  const { maxBackpressure } = makePlan(parseTarget('wss://localhost'), { ...rest, heartbeat }).settings
  // What waited is handed over at once: more would end each new connection by SLOW_CONSUMER.
  if (maxQueue > maxBackpressure)
    throw new UsageError(
      `option maxQueue (1048576 by default) must be at most maxBackpressure, ${maxBackpressure}; got ${maxQueue}`,
    )
  const ends = new WeakMap<StandardSocket, AbortController>()
  return {
    dial: ({ url, protocols, headers }) => {
      const end = new AbortController()
      const given = { ...rest, heartbeat, protocols: protocols as string[], headers, signal: end.signal }
      const socket = new WebSocket(url, given)
      ends.set(socket, end)
      return socket
    },
    terminate: (socket) => ends.get(socket)?.abort(),
    failure: (socket) => explain((socket as WebSocket).failure),
    timesOut: true,
    CloseEvent,
  }
}

/** Request Timeout, Too Early, Too Many Requests: of the 4xx, those that say "again, but later". */
const LATER: readonly number[] = [408, 425, 429]

/** The longest time that a server may ask for: a mistake of its must not silence a client for days. */
const LONGEST_RETRY_AFTER = 3_600_000

/** What is looked at in errors of this package. */
interface Details {
  readonly closeCode?: number
  readonly status?: number
  readonly headers?: { readonly 'retry-after'?: unknown }
}

/** A refused request is refused the next time too, and what we found wrong with the peer will be wrong. */
function explain(cause: WebSocketError | undefined): Failure | undefined {
  if (cause === undefined) return undefined
  const { closeCode, status, headers } = cause as Details
  const refused = status !== undefined && status >= 400 && status < 500 && !LATER.includes(status)
  const final = refused || (closeCode !== undefined && isFinal(closeCode))
  // Seconds; a date (RFC 9110 §10.2.3) is not looked at.
  const asked = Number(headers?.['retry-after']) * 1000 || 0
  const wait = Math.min(Math.max(asked, 0), LONGEST_RETRY_AFTER)
  return { cause, status, wait, retryable: !final }
}
