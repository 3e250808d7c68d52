// Prepared answers: for so many bytes, so many of them.

import type { Job } from '../job.ts'
import { repeat, replyOf, requestOf } from '../wire.ts'

/** How many answers are written at once. */
const MOST = 128

export class Answers {
  readonly #requestSize: number
  readonly #most: number
  readonly #batches: readonly Buffer[]

  constructor(job: Job) {
    const reply = replyOf(job)
    this.#requestSize = requestOf(job).length
    this.#most = Math.min(MOST, Math.max(job.inFlight, 1))
    const all = repeat(reply, this.#most)
    this.#batches = Array.from({ length: this.#most + 1 }, (_, count) => all.subarray(0, count * reply.length))
  }

  /** Counts the bytes of one connection. @returns what is told how many have come */
  counter(write: (answers: Buffer) => void): (bytes: number) => void {
    let waiting = 0
    return (bytes) => {
      waiting += bytes
      let completed = Math.floor(waiting / this.#requestSize)
      waiting -= completed * this.#requestSize
      for (; completed > 0; completed -= this.#most) write(this.#batches[Math.min(completed, this.#most)] as Buffer)
    }
  }
}
