// Publishing to topics: each connection subscribes to one, in the order in which they come, and each turn the next topics get
// their messages: the same for every server.

import { type Job, TOPICS_A_TURN } from '../job.ts'

/** Names that have to be looked up, as those of rooms are. */
export class TopicRound {
  readonly #names: readonly string[]
  readonly #perTurn: number
  #opened = 0
  #published = 0

  constructor({ topics, perTurn }: Job) {
    this.#names = Array.from({ length: topics }, (_, index) => `topic ${index}`)
    this.#perTurn = perTurn
  }

  /** The topic of the next connection. */
  ofNext(): string {
    return this.#name(this.#opened++)
  }

  /** Publishes what is due in one turn: to one topic after the other, and again. */
  publish(send: (topic: string) => void): void {
    for (let round = this.#perTurn; round > 0; round--) {
      for (let index = 0; index < TOPICS_A_TURN; index++) send(this.#name(this.#published + index))
    }
    this.#published += TOPICS_A_TURN
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
