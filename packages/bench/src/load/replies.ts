// Counting and checking what a server sends: always the same message, so a stream of known bytes. Rules: messages are counted
// by their bytes, nothing is parsed; each connection's first messages are compared in full, and so is a sample of what
// follows, so that a server that answers wrongly fails and cannot win.

import { repeat } from '../wire.ts'
import { WINDOW } from './dial.ts'

/** After the first messages, one read in so many is compared. */
const SAMPLED = 64

/** Counts the messages of one connection. */
export interface Counter {
  /** How many whole messages came. */
  readonly whole: number
  /** Takes bytes and returns how many messages they complete. @throws Error if they are not what was expected */
  take(buffer: Buffer, start: number, end: number): number
}

/** The bytes of the one message that is expected, again and again. */
export class Expected {
  /** The length of one message with its frame. */
  readonly length: number
  readonly #repeated: Buffer

  constructor(message: Buffer) {
    this.length = message.length
    this.#repeated = repeat(message, Math.ceil(WINDOW / message.length) + 1)
  }

  /** Compares bytes that begin `offset` bytes into a message. @throws Error that says where they differ */
  check(buffer: Buffer, start: number, end: number, offset: number): void {
    const until = offset + end - start
    if (buffer.compare(this.#repeated, offset, until, start, end) === 0) return
    let at = 0
    while (buffer[start + at] === this.#repeated[offset + at]) at++
    const where = (offset + at) % this.length
    throw new Error(
      `a reply differs at byte ${where} of ${this.length}: expected ${this.#repeated[offset + at]}, got ${buffer[start + at]}`,
    )
  }
}

/** What comes on one connection. */
export class Replies implements Counter {
  readonly #expected: Expected
  /** How many bytes into a message the stream stands. */
  #offset = 0
  /** How many bytes are still to be compared without exception. */
  #checkAll: number
  #reads = 0
  #whole = 0

  /** @param firsts how many messages are compared without exception */
  constructor(expected: Expected, firsts: number) {
    this.#expected = expected
    this.#checkAll = firsts * expected.length
  }

  get whole(): number {
    return this.#whole
  }

  take(buffer: Buffer, start: number, end: number): number {
    if (this.#checkAll > 0 || ++this.#reads % SAMPLED === 0) {
      this.#expected.check(buffer, start, end, this.#offset)
      this.#checkAll -= end - start
    }
    const { length } = this.#expected
    const until = this.#offset + end - start
    if (until < length) {
      this.#offset = until
      return 0
    }
    const completed = Math.floor(until / length)
    this.#offset = until - completed * length
    this.#whole += completed
    return completed
  }
}
