// The messages of a connection until its one consumer has them. Rules: what comes before there is a consumer waits; consumers
// of two kinds are a mistake; the end comes after the last message that somebody still wants.

import { UsageError } from '@ws/protocol'

type Message = string | Uint8Array
type Consumer = 'none' | 'listeners' | 'iterator'

/** What each message counts beside its bytes: memory that it takes. */
const OVERHEAD = 64

export class Incoming {
  readonly #deliver: (message: Message) => void
  #consumer: Consumer = 'none'
  #waiting: Message[] = []
  #size = 0
  /** The calls of the iterator that wait for a message, the first first. */
  #wanted: ((message: Message | undefined) => void)[] = []
  #over = false
  #tellEnd: (() => void) | undefined

  /** @param deliver to listeners */
  constructor(deliver: (message: Message) => void) {
    this.#deliver = deliver
  }

  /** Bytes that wait; text counts two a character. */
  get size(): number {
    return this.#size
  }

  add(message: Message): void {
    const wanted = this.#wanted.shift()
    if (wanted !== undefined) return wanted(message)
    if (this.#consumer === 'listeners' && this.#waiting.length === 0) return this.#deliver(message)
    this.#waiting.push(message)
    this.#size += sizeOf(message)
  }

  /** @throws UsageError if there is a consumer of another kind, or a second iterator */
  claim(consumer: 'listeners' | 'iterator'): void {
    if (consumer === 'listeners' && this.#consumer === 'listeners') return
    if (this.#consumer !== 'none')
      throw new UsageError(`messages have one consumer: the ${this.#consumer} there already; got ${consumer}`)
    this.#consumer = consumer
    // Listeners that are attached in the same turn all get what waited.
    if (consumer === 'listeners') queueMicrotask(() => this.#flush())
  }

  release(consumer: Consumer): void {
    if (this.#consumer === consumer) this.#consumer = 'none'
  }

  /** Throws away what waits: nobody wants it any more. */
  discard(): void {
    this.#waiting = []
    this.#size = 0
  }

  /** No message will come. @param tell called when the last has been taken, or if nobody takes them */
  end(tell: () => void): void {
    this.#over = true
    this.#tellEnd = tell
    this.#unwant()
    if (this.#consumer === 'none' || this.#waiting.length === 0) this.#end()
  }

  iterate(): AsyncIterableIterator<Message> {
    this.claim('iterator')
    let done = false
    const leave = (): { value: undefined; done: true } => {
      if (!done) this.release('iterator')
      done = true
      this.#unwant()
      return { value: undefined, done }
    }
    const iterator: AsyncIterableIterator<Message> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        const value = done ? undefined : await this.#next()
        return value === undefined ? leave() : { value, done: false }
      },
      return: async () => leave(),
    }
    return iterator
  }

  async #next(): Promise<Message | undefined> {
    const message = this.#take()
    if (message !== undefined) return message
    if (this.#over) this.#end()
    return this.#over ? undefined : new Promise((resolve) => this.#wanted.push(resolve))
  }

  /** The calls that wait get no message. */
  #unwant(): void {
    for (const wanted of this.#wanted.splice(0)) wanted(undefined)
  }

  #take(): Message | undefined {
    const message = this.#waiting.shift()
    if (message !== undefined) this.#size -= sizeOf(message)
    return message
  }

  #flush(): void {
    while (this.#consumer === 'listeners') {
      const message = this.#take()
      if (message === undefined) break
      this.#deliver(message)
    }
    if (this.#over && this.#waiting.length === 0) this.#end()
  }

  #end(): void {
    const tell = this.#tellEnd
    this.#tellEnd = undefined
    tell?.()
  }
}

function sizeOf(message: Message): number {
  return OVERHEAD + (typeof message === 'string' ? 2 * message.length : message.byteLength)
}
