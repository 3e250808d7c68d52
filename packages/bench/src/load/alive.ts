// Connections that say nothing but answer pings: each whole ping is answered with its payload, and counted.

import type { Assignment } from '../job.ts'
import { PING, pongOf } from '../wire.ts'
import { dialAll, Peer, targetOf } from './dial.ts'
import { checkAnswered, type Load } from './load.ts'

const HEAD = 2
const NOTHING = Buffer.alloc(0)

export async function alive(assignment: Assignment, onFailure: (error: unknown) => void): Promise<Load> {
  const peers = Array.from({ length: assignment.job.connections }, () => new AlivePeer())
  await dialAll(targetOf(assignment, onFailure), peers)
  return {
    count: () => peers.reduce((sum, { replies }) => sum + replies.whole, 0),
    check: () => checkAnswered(peers),
    end: () => {
      for (const peer of peers) peer.end()
    },
  }
}

class AlivePeer extends Peer {
  /** Pings that came whole. */
  readonly replies: { whole: number } = { whole: 0 }
  #kept: Buffer = NOTHING

  take(buffer: Buffer, start: number, end: number): void {
    const bytes = Buffer.concat([this.#kept, buffer.subarray(start, end)])
    let at = 0
    while (bytes.length >= at + HEAD) {
      const [first, length = 0] = bytes.subarray(at)
      if (first !== PING) throw new Error(`expected a ping; got a frame that begins with ${first}`)
      const until = at + HEAD + length
      if (bytes.length < until) break
      this.socket.write(pongOf(bytes.subarray(at + HEAD, until)))
      this.replies.whole++
      at = until
    }
    this.#kept = bytes.subarray(at)
  }
}
