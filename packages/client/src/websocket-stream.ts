// `WebSocketStream` on Node: over the connections of this package.

import { connect } from './connect.ts'
import { StreamOverConnection, type WebSocketStreamInit } from './portable/websocket-stream.ts'
import { parseTarget } from './url.ts'

/**
 * A connection as streams of the web, as the explainer of WebSocketStream describes it.
 *
 * ```ts
 * const { readable, writable } = await new WebSocketStream('ws://127.0.0.1:12010/echo').opened
 * ```
 */
export class WebSocketStream extends StreamOverConnection {
  /**
   * Begins to connect.
   * @param url ws:, wss:, http: or https:
   * @throws TypeError on protocols that are no list, DOMException `SyntaxError` on an invalid URL or subprotocol
   */
  constructor(url: string | URL, options: WebSocketStreamInit = {}) {
    super(url, options, {
      parse: (given) => parseTarget(given).url,
      connect: (target, protocols, signal) =>
        connect(target, { protocols, requireProtocol: protocols.length > 0, signal }),
    })
  }
}
