// What a guest does, whatever its connection is made of: it asks in bursts, rests, stops reading for a while, and says farewell. It
// is at home when all that it was promised has come.

import type { Buffer } from 'node:buffer'
import type { Random } from '@ws/testkit'
import type { Ledger } from '../ledger.ts'
import { FAREWELL } from '../messages.ts'
import { body } from './bodies.ts'
import type { Leave } from './leave.ts'

/** A guest's connection. What comes goes into the ledger, and so does its end. */
export interface Line {
  send(message: string | Buffer): void
  /** Stops reading. */
  pause(): void
  resume(): void
  /** Closes well. @returns what was wrong with that */
  close(): Promise<string | undefined>
  /** Ends at once. */
  destroy(): void
}

const MOST_ROUNDS = 8
const MOST_IN_BURST = 12
const LONGEST_REST = 1_000
/** However loaded the machine is. */
const PATIENCE = 60_000

/** Holds a conversation to its end. */
export async function converse(line: Line, ledger: Ledger, random: Random, leave: Leave): Promise<void> {
  const timer = setTimeout(() => {
    ledger.faults.push(`no bye within ${PATIENCE} ms`)
    line.destroy()
  }, PATIENCE)
  try {
    for (let left = 1 + random(MOST_ROUNDS); left > 0 && !leave.called; left--) await ask(line, ledger, random, leave)
    line.send(FAREWELL)
    await ledger.settled
    const wrong = await line.close()
    if (wrong !== undefined) ledger.faults.push(wrong)
  } finally {
    clearTimeout(timer)
    line.destroy()
  }
}

async function ask(line: Line, ledger: Ledger, random: Random, leave: Leave): Promise<void> {
  const stalls = random(6) === 0
  if (stalls) line.pause()
  for (let left = random(MOST_IN_BURST); left > 0; left--) line.send(ledger.ask(body(random)))
  await leave.pause(random(LONGEST_REST), ledger.settled)
  if (stalls) line.resume()
}
