// Echo at full speed: each connection keeps a number of messages with the server, and sends as many as came back.

import type { Assignment } from '../job.ts'
import { repeat, requestOf } from '../wire.ts'
import { countersOf, type MakeCounter } from './counters.ts'
import { dialAll, Peer, targetOf } from './dial.ts'
import { checkAnswered, type Load } from './load.ts'
import type { Counter } from './replies.ts'

interface Shared {
  readonly makeCounter: MakeCounter
  /** One to `inFlight` messages, as they are sent at once. */
  readonly batches: readonly Buffer[]
  readonly inFlight: number
  count: number
}

export async function echo(assignment: Assignment, onFailure: (error: unknown) => void): Promise<Load> {
  const { job } = assignment
  const request = requestOf(job)
  const all = repeat(request, job.inFlight)
  const batches = Array.from({ length: job.inFlight + 1 }, (_, count) => all.subarray(0, count * request.length))
  const shared: Shared = {
    makeCounter: countersOf(job),
    batches,
    inFlight: job.inFlight,
    count: 0,
  }
  const peers = Array.from({ length: job.connections }, () => new EchoPeer(shared))
  await dialAll(targetOf(assignment, onFailure), peers)
  for (const peer of peers) peer.begin()
  return {
    count: () => shared.count,
    check: () => checkAnswered(peers),
    end: () => {
      for (const peer of peers) peer.end()
    },
  }
}

class EchoPeer extends Peer {
  readonly replies: Counter
  readonly #shared: Shared

  constructor(shared: Shared) {
    super()
    this.#shared = shared
    this.replies = shared.makeCounter(2 * shared.inFlight)
  }

  begin(): void {
    this.socket.write(this.#shared.batches[this.#shared.inFlight] as Buffer)
  }

  take(buffer: Buffer, start: number, end: number): void {
    const shared = this.#shared
    const completed = this.replies.take(buffer, start, end)
    if (completed === 0) return
    if (completed > shared.inFlight) throw new Error(`expected ${shared.inFlight} messages at most; got ${completed}`)
    shared.count += completed
    this.socket.write(shared.batches[completed] as Buffer)
  }
}
