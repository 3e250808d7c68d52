// Order among sends when one of them must wait for its bytes: a Blob is read asynchronously, and what is sent after it
// must not overtake it (STANDARDS I7). Empty, and not in the way, as long as no Blob is sent.

import type { WebSocketError } from '../errors.ts'
import { Fifo } from './fifo.ts'

/** Something to be sent in its turn. */
export interface SendJob {
  /** How many bytes it will bring: they count as buffered. */
  readonly bytes: number
  /** Sends it; the next job waits for what it returns. */
  run(): Promise<void> | void
  /** It will never run. */
  cancel(error: WebSocketError): void
}

export class SendQueue {
  readonly #jobs = new Fifo<SendJob>()
  readonly #progressed: () => void
  #bytes = 0
  #running = false

  /** @param progressed called after each job: fewer bytes wait */
  constructor(progressed: () => void) {
    this.#progressed = progressed
  }

  /** Whether something waits, so that a new send must queue too. */
  get busy(): boolean {
    return this.#running
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  push(job: SendJob): void {
    this.#bytes += job.bytes
    this.#jobs.push(job)
    if (!this.#running) void this.#run()
  }

  /** Nothing more will be sent. */
  cancel(error: WebSocketError): void {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      this.#bytes -= job.bytes
      job.cancel(error)
    }
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      await job.run()
      this.#bytes -= job.bytes
      this.#progressed()
    }
    this.#running = false
  }
}
