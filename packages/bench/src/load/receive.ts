// Receiving only: broadcasts, which a further connection asks for, or a server that sends by itself. Rule: a few broadcasts are
// always asked for ahead, so that the server never waits for this process.

import { type Assignment, TOPICS_A_TURN } from '../job.ts'
import { GO } from '../wire.ts'
import { countersOf } from './counters.ts'
import { dial, dialAll, Peer, targetOf } from './dial.ts'
import { checkAnswered, type Load } from './load.ts'
import type { Counter } from './replies.ts'

/** How many broadcasts are asked for before the oldest has come everywhere. */
const AHEAD = 4
/** How many messages of each connection are compared without exception. */
const CHECKED_FIRST = 20

export async function broadcast(assignment: Assignment, onFailure: (error: unknown) => void): Promise<Load> {
  const { work, connections, perTurn, topics } = assignment.job
  const all = perTurn * (work === 'publish' ? (TOPICS_A_TURN * connections) / topics : connections)
  const control = new Control()
  let asked = 0
  const ask = (count: number): void => {
    for (; asked * all < count + AHEAD * all; asked++) control.socket.write(GO)
  }
  const load = await receive(assignment, onFailure, ask)
  await dial(targetOf(assignment, onFailure), control)
  ask(0)
  return load
}

/** @param onCount told how many messages there are after each read */
export async function receive(
  assignment: Assignment,
  onFailure: (error: unknown) => void,
  onCount: (count: number) => void = () => {},
): Promise<Load> {
  const makeCounter = countersOf(assignment.job)
  let count = 0
  const onMessages = (completed: number): void => {
    count += completed
    onCount(count)
  }
  const peers = Array.from(
    { length: assignment.job.connections },
    () => new ReceivePeer(makeCounter(CHECKED_FIRST), onMessages),
  )
  await dialAll(targetOf(assignment, onFailure), peers)
  return {
    count: () => count,
    check: () => checkAnswered(peers),
    end: () => {
      for (const peer of peers) peer.end()
    },
  }
}

class ReceivePeer extends Peer {
  readonly replies: Counter
  readonly #onMessages: (completed: number) => void

  constructor(replies: Counter, onMessages: (completed: number) => void) {
    super()
    this.replies = replies
    this.#onMessages = onMessages
  }

  take(buffer: Buffer, start: number, end: number): void {
    const completed = this.replies.take(buffer, start, end)
    if (completed > 0) this.#onMessages(completed)
  }
}

/** It is a client like the others, so broadcasts come to it too. */
class Control extends Peer {
  take(): void {}
}
