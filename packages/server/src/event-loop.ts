// How late the event loop is: Node samples it with a timer of its own, which does not hold the process up. It is of the whole
// thread, and costs some wake-ups a second, so it runs only where it was asked for.

import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How much later than due timers rang, in ms. */
export interface EventLoopDelay {
  readonly mean: number
  /** Half of the samples were below. */
  readonly p50: number
  /** 99 of 100 samples were below. */
  readonly p99: number
  readonly max: number
}

/** How often Node looks, in ms. */
const RESOLUTION = 20
const NANOSECONDS = 1e6

export class EventLoopMonitor {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION })

  constructor() {
    this.#histogram.enable()
  }

  /** What was seen since it was last taken. */
  take(): EventLoopDelay {
    const histogram = this.#histogram
    const delay = {
      mean: late(histogram.mean),
      p50: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      max: late(histogram.max),
    }
    histogram.reset()
    return delay
  }

  stop(): void {
    this.#histogram.disable()
  }
}

/** Node's samples are the times from one look to the next; nothing was seen yet if that is no number, or 0. */
function late(nanoseconds: number): number {
  return Math.max((nanoseconds || 0) / NANOSECONDS - RESOLUTION, 0)
}
