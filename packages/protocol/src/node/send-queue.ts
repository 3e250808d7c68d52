// Order among sends when one of them takes longer: a Blob is read and a large message compressed asynchronously, a message in
// parts comes bit by bit, and what is sent after it must not overtake it (STANDARDS I7). Empty, and not in the way, as long as
// there is none.

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
  /** It runs, and the connection is over. */
  stop?(error: WebSocketError): void
}

export class SendQueue {
  readonly #jobs = new Fifo<SendJob>()
  readonly #progressed: () => void
  #bytes = 0
  #current: SendJob | undefined

  /** @param progressed called after each job: fewer bytes wait */
  constructor(progressed: () => void) {
    this.#progressed = progressed
  }

  /** Whether something waits, so that a new send must queue too. */
  get busy(): boolean {
    return this.#current !== undefined
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  push(job: SendJob): void {
    this.#bytes += job.bytes
    this.#jobs.push(job)
    if (this.#current === undefined) void this.#run()
  }

  /** Nothing more will be sent. */
  cancel(error: WebSocketError): void {
    this.#current?.stop?.(error)
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      this.#bytes -= job.bytes
      job.cancel(error)
    }
  }

  async #run(): Promise<void> {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      this.#current = job
      await job.run()
      this.#bytes -= job.bytes
      this.#progressed()
    }
    this.#current = undefined
  }
}
