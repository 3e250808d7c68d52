// What every server answers.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { LoopDelay } from '../job.ts'
import { type Commands, usage } from '../process/program.ts'

/** How often garbage is collected before memory is read: what the first run frees, the next ones find. */
const COLLECTIONS = 4
/**
 * After each of them, in ms. V8 keeps its young generation as large as opening thousands of connections has made it, 16 MB and more,
 * until a collection has seen five seconds of little allocation before it; and memory goes back to the system later.
 */
const PAUSE = 2_000

/** The distance of two samples of the event loop's delay, in ms: the shortest there is. A delay holds it. */
const RESOLUTION = 1
const NS_PER_US = 1000

let delays: IntervalHistogram | undefined

export const SERVER_COMMANDS: Commands = { usage: () => usage(), rss: settledRss, loopDelay }

/** The event loop's delay since the last call; undefined at the first one, from which on it is sampled. */
function loopDelay(): LoopDelay | undefined {
  if (delays === undefined) {
    delays = monitorEventLoopDelay({ resolution: RESOLUTION })
    delays.enable()
    return undefined
  }
  if (delays.count === 0) throw new Error('the event loop never went round in the time that was measured')
  const delay = { loopDelayP99: delays.percentile(99) / NS_PER_US, loopDelayMax: delays.max / NS_PER_US }
  delays.reset()
  return delay
}

/** The resident set size at rest, after full garbage collections, in bytes. */
async function settledRss(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('this process was started without --expose-gc')
  for (let left = COLLECTIONS; left > 0; left--) {
    globalThis.gc()
    await delay(PAUSE)
  }
  return process.memoryUsage.rss()
}
