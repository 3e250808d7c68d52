// `ReconnectingWebSocket` on Node: over the class of this package, with pings as its heartbeat.

import { UsageError } from '@ws/protocol'
import type { HeartbeatOptions } from '@ws/protocol/node'
import { CloseEvent } from './events.ts'
import { type HeadersOption, makePlan } from './plan.ts'
import { toProtocols } from './portable/arguments.ts'
import { type Dial, type StandardSocketClass, standardDial } from './portable/dial.ts'
import type { PulseOptions } from './portable/pulse.ts'
import { type PerAttempt, type ReconnectOptions, reconnectSettings } from './portable/reconnect-options.ts'
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
    const options = toOptions(protocols)
    const { heartbeat = true, headers, WebSocket: Socket } = options
    const pulse = isPulse(heartbeat) ? heartbeat : undefined
    const settings = reconnectSettings(options, pulse)
    if (Socket !== undefined && headers !== undefined)
      throw new UsageError('option headers must not be given with a WebSocket class: the standard takes none')
    const dial = Socket === undefined ? ownDial(options, isPulse(heartbeat) ? false : heartbeat) : standardDial(Socket)
    super({ url, protocols: options.protocols ?? [], headers }, settings, { dial, CloseEvent })
  }
}

function toOptions(
  given: PerAttempt<string | Iterable<string>> | ReconnectingWebSocketOptions,
): ReconnectingWebSocketOptions {
  if (typeof given === 'function') return { protocols: given }
  const protocols = toProtocols(given)
  return protocols === undefined ? (given as ReconnectingWebSocketOptions) : { protocols }
}

function isPulse(heartbeat: boolean | HeartbeatOptions | PulseOptions): heartbeat is PulseOptions {
  return typeof heartbeat === 'object' && heartbeat !== null && 'message' in heartbeat
}

/** Options are checked now; what functions bring, when they have brought it. @throws UsageError */
function ownDial(options: ReconnectingWebSocketOptions, heartbeat: boolean | HeartbeatOptions): Dial<HeadersOption> {
  const { protocols, headers, signal, ...rest } = options
  makePlan(parseTarget('wss://localhost'), { ...rest, heartbeat })
  return ({ url, protocols, headers }) => {
    const attempt = new AbortController()
    const given = { ...rest, heartbeat, protocols, headers, signal: attempt.signal }
    return { socket: new WebSocket(url, given), timesOut: true, terminate: () => attempt.abort() }
  }
}
