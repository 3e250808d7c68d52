// `ReconnectingWebSocket` in a browser: over the browser's own WebSocket, with messages as its heartbeat.

import { UsageError } from '@ws/protocol'
import { type StandardSocketClass, standardBuild } from '../portable/dial.ts'
import type { PulseOptions } from '../portable/pulse.ts'
import {
  type PerAttempt,
  type ProtocolsPerAttempt,
  type ReconnectOptions,
  reconnectSettings,
  toOptions,
} from '../portable/reconnect-options.ts'
import { ReconnectingSocket } from '../portable/reconnecting-socket.ts'

/** The options of {@link ReconnectingWebSocket}. */
export interface ReconnectingWebSocketOptions extends ReconnectOptions {
  /** The subprotocols to offer. */
  readonly protocols?: ProtocolsPerAttempt | undefined
  /** A heartbeat made of messages, for a page cannot ping; none by default. */
  readonly heartbeat?: PulseOptions | undefined
  /** Another class with the standard's interface, in place of the browser's. */
  readonly WebSocket?: StandardSocketClass | undefined
}

/**
 * A WebSocket that connects again when the connection is lost, with the interface of the standard. `url` and `protocols` may be
 * functions, also asynchronous ones, which are called for each attempt.
 */
export class ReconnectingWebSocket extends ReconnectingSocket<never> {
  /**
   * Begins to connect.
   * @param protocols the subprotocols to offer, or options
   * @throws DOMException `SyntaxError` on an invalid URL or subprotocol; UsageError on another wrong option
   */
  constructor(url: PerAttempt<string | URL>, protocols: ProtocolsPerAttempt | ReconnectingWebSocketOptions = []) {
    const options: ReconnectingWebSocketOptions = toOptions(protocols)
    if ('headers' in options) throw new UsageError('option headers is not for browsers')
    const settings = reconnectSettings(options, options.heartbeat)
    const build = standardBuild(options.WebSocket ?? WebSocket, CloseEvent)
    super({ url, protocols: options.protocols ?? [] }, settings, build)
  }
}
