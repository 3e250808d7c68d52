// What every server answers.

import { setTimeout as delay } from 'node:timers/promises'
import { type Commands, usage } from '../process/program.ts'

/** How often garbage is collected before memory is read: what the first run frees, the next ones find. */
const COLLECTIONS = 4
/**
 * After each of them, in ms. V8 keeps its young generation as large as opening thousands of connections has made it, 16 MB and more,
 * until a collection has seen five seconds of little allocation before it; and memory goes back to the system later.
 */
const PAUSE = 2_000

export const SERVER_COMMANDS: Commands = { usage: () => usage(), rss: settledRss }

/** The resident set size at rest, after full garbage collections, in bytes. */
async function settledRss(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('this process was started without --expose-gc')
  for (let left = COLLECTIONS; left > 0; left--) {
    globalThis.gc()
    await delay(PAUSE)
  }
  return process.memoryUsage.rss()
}
