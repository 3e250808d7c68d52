// Opening connections: as fast as they can be opened, each reset once its handshake is done; or as many as are to be held,
// idle from the beginning or after one message each.

import type { Assignment } from '../job.ts'
import { requestOf } from '../wire.ts'
import { countersOf } from './counters.ts'
import { dial, dialAll, Peer, targetOf } from './dial.ts'
import type { Load } from './load.ts'
import type { Counter } from './replies.ts'

export async function connectAndReset(assignment: Assignment, onFailure: (error: unknown) => void): Promise<Load> {
  const target = targetOf(assignment, onFailure)
  let count = 0
  let ended = false
  const again = async (): Promise<void> => {
    while (!ended) {
      const peer = new SilentPeer()
      await dial(target, peer)
      peer.end()
      count++
    }
  }
  for (let left = assignment.job.connections; left > 0; left--) void again()
  return {
    count: () => count,
    end: () => {
      ended = true
    },
  }
}

export async function hold(assignment: Assignment, onFailure: (error: unknown) => void): Promise<Load> {
  const target = targetOf(assignment, onFailure)
  const { job } = assignment
  const makeCounter = countersOf(job)
  const request = requestOf(job)
  const peers: HeldPeer[] = []
  return {
    count: () => peers.length,
    hold: async (connections) => {
      const added = Array.from({ length: connections }, () => new HeldPeer(makeCounter(1)))
      await dialAll(target, added)
      // One at a time: what many messages at once would take is not what a connection keeps.
      if (job.size > 0) for (const peer of added) await peer.exchange(request)
      peers.push(...added)
    },
    end: () => {
      for (const peer of peers) peer.end()
    },
  }
}

class SilentPeer extends Peer {
  take(): void {}
}

class HeldPeer extends Peer {
  readonly #replies: Counter
  #onReply: () => void = () => {}

  constructor(replies: Counter) {
    super()
    this.#replies = replies
  }

  /** Sends a message; resolves once the reply has come. */
  exchange(request: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#onReply = resolve
      this.socket.write(request)
    })
  }

  take(buffer: Buffer, start: number, end: number): void {
    if (this.#replies.take(buffer, start, end) > 0) this.#onReply()
  }
}
