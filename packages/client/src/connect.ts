// `connect`: one call, one promise, a connection or the reason why there is none.

import { type Handlers, usage, type WebSocketConnection } from '@ws/protocol/node'
import { establish } from './establish.ts'
import { type ConnectOptions, makePlan } from './plan.ts'
import { parseTarget, parseUnixTarget } from './url.ts'

/**
 * Opens a WebSocket connection (RFC 6455 §4.1). Messages that arrive before a `'message'` listener or an iterator is
 * attached wait for it.
 * @param url ws:, wss:, http: or https:; credentials in it become Basic authentication. `ws+unix:/path/of/socket:/path` leads
 * to a Unix socket
 * @param handlers functions for this connection, in place of listeners
 * @returns the open connection. Rejects with a HandshakeError whose `code` says why, with the server's `status`, `headers`
 * and `body` if it answered otherwise than by 101; or with the reason of `signal`
 * @throws UsageError at once if an argument is wrong
 */
export function connect<Data = unknown>(
  url: string | URL,
  options: ConnectOptions<Data> = {},
  handlers?: Handlers<Data>,
): Promise<WebSocketConnection<Data>> {
  const plan = makePlan(parseUnixTarget(url) ?? parseTarget(url), options)
  checkHandlers(handlers)
  return establish(plan, options.data, handlers)
}

function checkHandlers(handlers: Handlers<never> | undefined): void {
  if (handlers === undefined) return
  if (typeof handlers !== 'object' || handlers === null)
    throw usage('option handlers', 'an object of functions', handlers)
  for (const name of ['open', 'message', 'drain', 'close'] as const) {
    const handler: unknown = handlers[name]
    if (handler !== undefined && typeof handler !== 'function')
      throw usage(`option handlers.${name}`, 'a function', handler)
  }
}
