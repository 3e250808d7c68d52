// The sessions of this process, and those that are being opened, by the identity of who may share them. Rules: one at a time is
// opened for an identity; what takes no more streams is out at once. Two copies of this module would keep two pools: no harm.

import type { Plan } from '../plan.ts'
import type { EndTurn } from '../turns.ts'
import type { Http2Plan } from './choice.ts'
import { Dial, type DialledSession } from './dial.ts'
import { Opening } from './opening.ts'
import { PooledSession } from './pooled-session.ts'

const sessions = new Map<string, PooledSession[]>()
const openings = new Map<string, Opening>()

/** Finds a session that has room for a stream, or one whose peer offers no WebSocket. */
export function findSession({ identity }: Http2Plan): PooledSession | undefined {
  return sessions.get(identity)?.find((session) => session.isUsable)
}

/** Finds the session that is being opened, if one is. */
export function findOpening({ identity }: Http2Plan): Opening | undefined {
  return openings.get(identity)
}

/**
 * Begins to open another session, where none is being opened.
 * @param endTurn called once, when it is open or has failed
 */
export function beginOpening(plan: Plan, { identity, fallback }: Http2Plan, endTurn: EndTurn): Opening {
  const opened = (dialled: DialledSession): PooledSession => pool(identity, dialled)
  const over = (): void => {
    if (openings.get(identity) === opening) openings.delete(identity)
  }
  const opening = new Opening(new Dial(plan, fallback), endTurn, opened, over)
  openings.set(identity, opening)
  return opening
}

function pool(identity: string, dialled: DialledSession): PooledSession {
  const own = sessions.get(identity) ?? []
  const pooled = new PooledSession(dialled, () => {
    own.splice(own.indexOf(pooled), 1)
    if (own.length === 0) sessions.delete(identity)
  })
  own.push(pooled)
  sessions.set(identity, own)
  return pooled
}
