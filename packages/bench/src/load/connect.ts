// Opening connections: as fast as they can be opened, each reset once its handshake is done; or as many as are to be held.

import type { Assignment } from '../job.ts'
import { dial, dialAll, Peer, targetOf } from './dial.ts'
import type { Load } from './load.ts'

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
  const peers: SilentPeer[] = []
  return {
    count: () => peers.length,
    hold: async (connections) => {
      const added = Array.from({ length: connections }, () => new SilentPeer())
      await dialAll(target, added)
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
