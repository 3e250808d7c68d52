// How much compression a server does at once, and how much in the thread pool. Rules:
// - At once, within the turn: messages up to the limit, as long as the turn's budget lasts; afterwards only what costs less
//   than going to the pool. So the event loop goes round whatever peers send.
// - In the pool: a few jobs at a time, which leave the event loop a core; others wait in their order. A connection has one job at
//   most, so none keeps the others waiting for more than that. Servers do not share a limit: one does not hold up another.
// - What is not too large for a turn, and waits only because the budget was spent, comes first in the next: whoever is read
//   first, turn after turn, does not use up what the others need.

import { availableParallelism } from 'node:os'
import process from 'node:process'
import { Fifo } from '../fifo.ts'

const KIB = 1024
/** Of one turn: what compresses within 10 ms or so. */
const BUDGET: number = 1024 * KIB
/** Inflating so many bytes costs about as much as compressing one. */
const INFLATED_PER_COMPRESSED = 4
/** Going to the pool costs about as much as compressing this. */
const LEAST_FOR_POOL: number = 4 * KIB
/** libuv has four threads, and others want some as well. */
const MOST_JOBS = 4

/** Something to be done in the thread pool. */
export interface Job {
  /** Whether nobody wants it any more: it is not started. */
  readonly cancelled: boolean
  /** Starts it; `ended` is called once. */
  start(ended: () => void): void
  /** Does it at once, if it is small enough for a turn. @returns false if it cannot: then it is for the pool */
  readonly doNow: (() => boolean) | undefined
}

export class Workload {
  /** Messages of up to so many bytes are for the turn. */
  readonly syncLimit: number
  readonly #large = new Fifo<Job>()
  readonly #small = new Fifo<Job>()
  readonly #mostJobs = Math.max(1, Math.min(MOST_JOBS, availableParallelism() - 1))
  #jobs = 0
  #left = BUDGET
  #renewing = false

  constructor(syncLimit: number) {
    this.syncLimit = syncLimit
  }

  /** Messages of how many bytes may be compressed or inflated at once, now. */
  get atOnce(): number {
    return this.#left > 0 ? this.syncLimit : Math.min(this.syncLimit, LEAST_FOR_POOL)
  }

  /** Counts what was done at once, in bytes that went into compression or came out of inflating. */
  spend(compressed: number, inflated: number): void {
    this.#left -= compressed + inflated / INFLATED_PER_COMPRESSED
    this.#renewLater()
  }

  add(job: Job): void {
    if (job.doNow === undefined) this.#large.push(job)
    else {
      this.#small.push(job)
      this.#renewLater()
    }
    this.#startMore()
  }

  #renewLater(): void {
    if (this.#renewing) return
    this.#renewing = true
    setImmediate(() => {
      this.#renewing = false
      this.#left = BUDGET
      this.#catchUp()
    })
  }

  /** Does what was left over from the turn before: one, and what the same connection has behind it while its engine is at hand. */
  #catchUp(): void {
    const job = this.#left > 0 ? this.#small.shift() : undefined
    if (job === undefined) return this.#startMore()
    if (!job.cancelled && job.doNow?.() !== true) this.#large.push(job)
    queueMicrotask(() => process.nextTick(() => this.#catchUp())) // behind the promises that this has settled
  }

  #startMore(): void {
    while (this.#jobs < this.#mostJobs) {
      const job = this.#large.shift() ?? this.#small.shift()
      if (job === undefined) return
      if (job.cancelled) continue
      this.#jobs++
      job.start(() => {
        this.#jobs--
        this.#startMore()
      })
    }
  }
}
