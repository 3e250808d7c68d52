// A handshake over HTTP/2 (RFC 8441): which session, a stream on it, or HTTP/1.1 after all. Rules:
// - A session that is open is used before one is opened, and one that is being opened is waited for.
// - What the server says it has not looked at (REFUSED_STREAM, RFC 9113 §8.7), or was too much, is asked once more, on another session.
// - `'auto'` ends in HTTP/1.1 wherever the server does not offer WebSockets over HTTP/2: on the same socket if it chose so by ALPN.

import type { ClientHttp2Session } from 'node:http2'
import type { ErrorCode, HandshakeError } from '@ws/protocol'
import { bounded } from '../bounded.ts'
import type { TimeBudget } from '../budget.ts'
import { timeoutFailure, type Whereabouts } from '../failure.ts'
import { handshake, type Upgraded } from '../handshake.ts'
import { locate } from '../locate.ts'
import type { Plan } from '../plan.ts'
import { serverAddress } from '../request.ts'
import { takeTurns } from '../turns.ts'
import type { Http2Plan } from './choice.ts'
import {
  ENHANCE_YOUR_CALM,
  noAnswer,
  notOffered,
  notSpoken,
  REFUSED_STREAM,
  sessionFailure,
  withoutTls,
} from './failure.ts'
import type { Http1Socket, Opening } from './opening.ts'
import { beginOpening, findOpening, findSession } from './pool.ts'
import { type Place, PooledSession } from './pooled-session.ts'
import { offersWebSocket, settingsOf } from './settings.ts'
import { StreamRequest } from './stream.ts'

/**
 * Shakes hands over HTTP/2.
 * @returns nothing if HTTP/1.1 is to be used; rejects with a HandshakeError, or with the signal's reason
 */
export async function overHttp2(plan: Plan, http2: Http2Plan, budget: TimeBudget): Promise<Upgraded | undefined> {
  if (plan.signal?.aborted === true) throw plan.signal.reason
  if (http2.session !== undefined) return onGivenSession(http2.session, plan, http2, budget)
  try {
    return await onPooledSession(plan, http2, budget)
  } catch (error) {
    if (http2.fallback && (error as { code?: ErrorCode }).code === 'HANDSHAKE_HTTP2') return undefined
    throw error
  }
}

/** The session stays its owner's: nothing but the stream is ended, and what holds the process is not for us to say. */
async function onGivenSession(
  session: ClientHttp2Session,
  plan: Plan,
  http2: Http2Plan,
  budget: TimeBudget,
): Promise<Upgraded> {
  const where = whereabouts(plan)
  if (session.closed || session.destroyed) throw noAnswer('the session given as option http2 has ended', where)
  const settings = settingsOf(session, true).catch((error) => {
    throw sessionFailure(error, where)
  })
  await bounded(settings, plan.signal, budget, () =>
    timeoutFailure(budget.total, 'the server has not sent its SETTINGS', where),
  )
  if (plan.target.secure && session.encrypted === false) throw withoutTls(where)
  if (!offersWebSocket(session)) throw withoutConnect(where)
  const nothing = (): void => {}
  const place = { session, isFirst: false, unref: nothing, leave: nothing, retire: nothing }
  return new StreamRequest(place, plan, http2, budget).send()
}

async function onPooledSession(plan: Plan, http2: Http2Plan, budget: TimeBudget): Promise<Upgraded> {
  for (let last = false; ; last = true) {
    const way = await findWay(plan, http2, budget)
    if ('endTurn' in way) return onSocket(way, plan, budget)
    const request = new StreamRequest(way, plan, http2, budget)
    try {
      return await request.send()
    } catch (error) {
      const refused = isRefused(request.rstCode, way)
      // Where one had no answer, others might have none either.
      if (refused || (error as { code?: ErrorCode }).code === 'HANDSHAKE_TIMEOUT') way.retire()
      if (!refused || last) throw error
    }
  }
}

/** Node's servers say that they are to be left calm of a stream past their limit, which counts streams for a moment past their end. */
function isRefused(rstCode: number, { isFirst }: Place): boolean {
  return rstCode === REFUSED_STREAM || (rstCode === ENHANCE_YOUR_CALM && !isFirst)
}

/** A place on a session, taken at once, before somebody else does; or a socket, where the server chose HTTP/1.1 and that will do. */
async function findWay(plan: Plan, http2: Http2Plan, budget: TimeBudget): Promise<Place | Http1Socket> {
  for (;;) {
    const found = findSession(http2)
    if (found !== undefined) return placeOn(found, plan)
    const opening = findOpening(http2) ?? (await begin(plan, http2, budget))
    if (opening === undefined) continue
    const opened = await opening.wait(plan.signal, budget, http2.fallback)
    if (opened === 'http/1.1') throw notSpoken('it chose http/1.1 by ALPN', whereabouts(plan))
    if (!(opened instanceof PooledSession)) return opened
    if (opened.isUsable) return placeOn(opened, plan)
    if (opened.allowsNone) throw notOffered('it allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS)', whereabouts(plan))
    if (opened.isRetired) throw sessionFailure(undefined, whereabouts(plan))
    // Others who waited have taken all of its places.
  }
}

function placeOn(session: PooledSession, plan: Plan): Place {
  if (!session.offersWebSocket) throw withoutConnect(whereabouts(plan))
  return session.take()
}

/** Begins to open a session, in its turn. @returns nothing if there is one by then */
async function begin(plan: Plan, http2: Http2Plan, budget: TimeBudget): Promise<Opening | undefined> {
  if (!plan.serialize) return beginOpening(plan, http2, () => {})
  const { addresses, dial } = await locate(plan, budget)
  const endTurn = await takeTurns(addresses, plan.signal)
  const opening = findOpening(http2)
  if (opening === undefined && findSession(http2) === undefined) return beginOpening({ ...plan, dial }, http2, endTurn)
  endTurn()
  return opening
}

async function onSocket({ socket, endTurn }: Http1Socket, plan: Plan, budget: TimeBudget): Promise<Upgraded> {
  try {
    return await handshake(plan.target, { ...plan, dial: { ...plan.dial, createConnection: () => socket } }, budget)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    endTurn()
  }
}

function withoutConnect(where: Whereabouts): HandshakeError {
  return notOffered('its SETTINGS have no SETTINGS_ENABLE_CONNECT_PROTOCOL', where)
}

function whereabouts(plan: Plan): Whereabouts {
  return { address: serverAddress(plan.target, plan), securing: false }
}
