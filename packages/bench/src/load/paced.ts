// Round trips at a moderate, even load. Rules: messages leave when they are due, whether or not earlier ones are back, so a
// slow server cannot slow the load down; this process never sleeps, so that its own waking up is not measured.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Assignment, RoundTrips } from '../job.ts'
import { replyOf, requestOf } from '../wire.ts'
import { dialAll, Peer, targetOf } from './dial.ts'
import { checkAnswered, type Load } from './load.ts'
import { Expected, Replies } from './replies.ts'

/** How many messages may be with the server on one connection; past it, it cannot keep up with the load. */
const MOST_OUTSTANDING = 1000
const NS_PER_SECOND = 1e9
const NS_PER_US = 1000

interface Shared {
  readonly expected: Expected
  readonly request: Buffer
  readonly histogram: RecordableHistogram
  count: number
}

export async function paced(assignment: Assignment, onFailure: (error: unknown) => void): Promise<Load> {
  const { job } = assignment
  const shared: Shared = {
    expected: new Expected(replyOf(job)),
    request: requestOf(job),
    histogram: createHistogram(),
    count: 0,
  }
  const peers = Array.from({ length: job.connections }, () => new PacedPeer(shared))
  await dialAll(targetOf(assignment, onFailure), peers)
  const stop = send(peers, job.perSecond)
  return {
    count: () => shared.count,
    roundTrips: () => percentiles(shared.histogram),
    check: () => checkAnswered(peers),
    end: () => {
      stop()
      for (const peer of peers) peer.end()
    },
  }
}

/** Sends at even distances, one connection after the other. */
function send(peers: readonly PacedPeer[], perSecond: number): () => void {
  const distance = NS_PER_SECOND / perSecond
  let due = now()
  let next = 0
  let stopped = false
  const turn = (): void => {
    if (stopped) return
    for (const time = now(); due <= time; due += distance) {
      peers[next]?.send(due)
      next = (next + 1) % peers.length
    }
    setImmediate(turn)
  }
  setImmediate(turn)
  return () => {
    stopped = true
  }
}

class PacedPeer extends Peer {
  readonly replies: Replies
  readonly #shared: Shared
  /** When each message that is with the server was due. */
  readonly #due: number[] = []

  constructor(shared: Shared) {
    super()
    this.#shared = shared
    this.replies = new Replies(shared.expected, 2)
  }

  send(due: number): void {
    if (this.#due.push(due) > MOST_OUTSTANDING) {
      throw new Error(`the server is ${MOST_OUTSTANDING} messages behind on one connection`)
    }
    this.socket.write(this.#shared.request)
  }

  take(buffer: Buffer, start: number, end: number): void {
    const completed = this.replies.take(buffer, start, end)
    if (completed === 0) return
    const time = now()
    for (let left = completed; left > 0; left--) this.#record(time)
    this.#shared.count += completed
  }

  #record(time: number): void {
    const due = this.#due.shift()
    if (due === undefined) throw new Error('more messages came back than were sent')
    this.#shared.histogram.record(Math.max(1, Math.round(time - due)))
  }
}

/** In ns. */
function now(): number {
  return performance.now() * 1e6
}

function percentiles(histogram: RecordableHistogram): RoundTrips {
  const [p50, p99, p999] = [50, 99, 99.9].map((percentile) => histogram.percentile(percentile) / NS_PER_US)
  histogram.reset()
  return { p50, p99, p999 } as RoundTrips
}
