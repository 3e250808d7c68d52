// Compression bombs: each peer sends a message that inflates past the server's limit, and comes back as soon as the server has ended
// the connection. Rules: an end is what is expected, in whatever way; a Close must say that the message is too big, and
// nothing else may come.

import type { Assignment } from '../job.ts'
import { requestOf } from '../wire.ts'
import { dial, Peer, type Target, targetOf } from './dial.ts'
import type { Load } from './load.ts'

const CLOSE = 0x88
const TOO_BIG = 1009
/** Of a Close, up to its code. */
const CLOSE_SIZE = 4

export async function bomb(assignment: Assignment, onFailure: (error: unknown) => void): Promise<Load> {
  const { job } = assignment
  const target = targetOf(assignment, onFailure)
  const request = requestOf(job)
  const open = new Set<BombPeer>()
  let count = 0
  let ended = false
  const worker = async (): Promise<void> => {
    while (!ended) {
      const peer = new BombPeer()
      open.add(peer)
      await dial(orReset(target, peer), peer)
      await peer.send(request)
      peer.end()
      open.delete(peer)
      count++
    }
  }
  for (let left = job.connections; left > 0; left--) worker().catch(onFailure)
  return {
    count: () => count,
    end: () => {
      ended = true
      for (const peer of open) peer.end()
    },
  }
}

/** The same target, for a peer that may be reset once it has sent its bomb. */
function orReset(target: Target, peer: Peer): Target {
  const bySystem = (error: NodeJS.ErrnoException): boolean => error.syscall !== undefined
  return { ...target, onFailure: (error) => (peer.ended && bySystem(error) ? undefined : target.onFailure(error)) }
}

class BombPeer extends Peer {
  #got = Buffer.alloc(0)
  #over: () => void = () => {}

  /** Sends the bomb; resolves once the server has ended the connection, or said that it will. */
  send(request: Buffer): Promise<void> {
    this.ended = true
    return new Promise((resolve) => {
      this.#over = resolve
      this.socket.once('close', resolve)
      this.socket.write(request)
    })
  }

  take(buffer: Buffer, start: number, end: number): void {
    this.#got = Buffer.concat([this.#got, buffer.subarray(start, end)])
    if (this.#got.length < CLOSE_SIZE) return
    const [first] = this.#got
    const code = this.#got.readUInt16BE(2)
    if (first !== CLOSE || code !== TOO_BIG) {
      throw new Error(`expected a Close with ${TOO_BIG}; got ${this.#got.toString('hex', 0, 16)}`)
    }
    this.#over()
  }
}
