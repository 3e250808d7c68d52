// Publishing to topics: each connection subscribes to one, in the order in which they come, and each turn the next topics get
// their messages: the same for every server.

import { type Job, TOPICS_A_TURN } from '../job.ts'
import { times } from './turns.ts'

/** Names that have to be looked up, as those of rooms are. */
export class TopicRound {
  readonly #names: readonly string[]
  #opened = 0
  #published = 0

  constructor({ topics }: Job) {
    this.#names = Array.from({ length: topics }, (_, index) => `topic ${index}`)
  }

  /** The topic of the next connection. */
  ofNext(): string {
    return this.#name(this.#opened++)
  }

  /** The topics that get messages in the next turn. */
  next(): readonly string[] {
    return Array.from({ length: TOPICS_A_TURN }, () => this.#name(this.#published++))
  }

  #name(count: number): string {
    return this.#names[count % this.#names.length] as string
  }
}

/** Topics by hand, as they are written where the library has none. */
export class TopicSets<Socket> {
  readonly #sets: Map<string, Set<Socket>> = new Map()

  /** @returns what ends the subscription */
  subscribe(topic: string, socket: Socket): () => void {
    const set = this.#sets.get(topic) ?? new Set()
    this.#sets.set(topic, set.add(socket))
    return () => {
      set.delete(socket)
      if (set.size === 0) this.#sets.delete(topic)
    }
  }

  subscribers(topic: string): Iterable<Socket> {
    return this.#sets.get(topic) ?? []
  }
}

/** Publishes what is due in one turn: a message to each of the topics, and again. */
export function publishTurn({ perTurn }: Job, round: TopicRound, publish: (topic: string) => void): void {
  const topics = round.next()
  times(perTurn, () => topics.forEach(publish))
}
