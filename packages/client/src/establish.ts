// From a plan to an open connection: over HTTP/2 if that is wanted, else the turn at the address, if turns are kept there, and the
// handshake; again where a redirect is followed; then frames.

import type { AbortSignalLike } from '@ws/protocol'
import { type Handlers, WebSocketConnection } from '@ws/protocol/node'
import { TimeBudget } from './budget.ts'
import { CONNECTED, FAILED } from './diagnostics.ts'
import { handshake, type Upgraded } from './handshake.ts'
import { overHttp2 } from './http2/over-http2.ts'
import { locate } from './locate.ts'
import type { Plan } from './plan.ts'
import { Redirects } from './redirect.ts'
import { takeTurns } from './turns.ts'
import { withoutCredentials } from './url.ts'

/**
 * Carries a plan out; rejects with a HandshakeError, or with the signal's reason. The connection has begun to read when this
 * resolves: messages wait for their consumer, and what else came with the 101 is known.
 */
export async function establish<Data>(
  plan: Plan,
  data: Data | undefined,
  handlers: Handlers<Data> | undefined,
): Promise<WebSocketConnection<Data>> {
  const url = withoutCredentials(plan.target.url)
  try {
    const socket = await open(plan, data, handlers)
    if (CONNECTED.hasSubscribers) CONNECTED.publish({ socket, url })
    socket.start()
    return socket
  } catch (error) {
    if (FAILED.hasSubscribers) FAILED.publish({ url, error })
    throw error
  }
}

async function open<Data>(
  plan: Plan,
  data: Data | undefined,
  handlers: Handlers<Data> | undefined,
): Promise<WebSocketConnection<Data>> {
  const { transport, ...agreed } = await upgrade(plan)
  const { settings, signal } = plan
  if (signal?.aborted === true) {
    transport.abort()
    throw signal.reason
  }
  const connection = new WebSocketConnection<Data>({ transport, role: 'client', settings, ...agreed, handlers, data })
  if (signal !== undefined) endWith(signal, connection as WebSocketConnection)
  return connection
}

/** Shakes hands, at every address that a redirect names. */
async function upgrade(plan: Plan): Promise<Upgraded> {
  const budget = new TimeBudget(plan.timeout)
  const redirects = new Redirects()
  for (let hop = plan; ; ) {
    try {
      return (hop.http2 && (await overHttp2(hop, hop.http2, budget))) ?? (await inTurn(hop, budget))
    } catch (failure) {
      hop = redirects.next(hop, failure)
    }
  }
}

async function inTurn(plan: Plan, budget: TimeBudget): Promise<Upgraded> {
  if (plan.signal?.aborted === true) throw plan.signal.reason
  if (!plan.serialize) return handshake(plan.target, plan, budget)
  const { addresses, dial } = await locate(plan, budget)
  const endTurn = await takeTurns(addresses, plan.signal)
  try {
    return await handshake(plan.target, { ...plan, dial }, budget)
  } finally {
    endTurn()
  }
}

/** What ended the attempt ends the connection too. */
function endWith(signal: AbortSignalLike, connection: WebSocketConnection): void {
  const terminate = (): void => connection.terminate(signal.reason)
  signal.addEventListener('abort', terminate)
  void connection.closed.then(() => signal.removeEventListener('abort', terminate))
}
