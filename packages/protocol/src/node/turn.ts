// One pass over everything that was written to outside of a read, at the end of the turn: many sends, one write each.

import process from 'node:process'

/** Something that holds output back until the turn ends. */
export interface Flushable {
  turnEnded(): void
}

let dirty: Flushable[] = []

/** Calls `target` once the code that runs now has returned. Call it once a target and turn. */
export function flushAtTurnEnd(target: Flushable): void {
  dirty.push(target)
  if (dirty.length === 1) process.nextTick(flushAll)
}

function flushAll(): void {
  const targets = dirty
  dirty = []
  for (const target of targets) target.turnEnded()
}
