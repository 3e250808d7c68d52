// Objects that are still there, counted in the heap after a collection: what is held somewhere although nothing is open, and
// timers that keep no process alive.

import { Socket } from 'node:net'
import { queryObjects } from 'node:v8'
import { WebSocketConnection } from '@ws/server'

export type Alive = Readonly<Record<string, number>>

const timer = setTimeout(() => {}, 0)
clearTimeout(timer)

const CLASSES = { WebSocketConnection, Socket, Timeout: timer.constructor }

export function countAlive(): Alive {
  return Object.fromEntries(
    Object.entries(CLASSES).map(([name, made]) => [name, queryObjects(made, { format: 'count' }) as number]),
  )
}

/** What there is more of than before, `'2 Socket in memory'` a class; only of classes that were counted before. */
export function moreAlive(before: Alive, after: Alive): string[] {
  return Object.keys(before).flatMap((name) => {
    const more = (after[name] ?? 0) - (before[name] ?? 0)
    return more > 0 ? [`${more} ${name} in memory`] : []
  })
}
