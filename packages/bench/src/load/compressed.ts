// Counting and checking compressed replies. Rules: their bytes and lengths differ between servers, and with context takeover
// from message to message, so headers are read; each must begin one whole, compressed message. The first messages of each
// connection are inflated and compared; those that follow are taken by their headers, since inflating would cost more than serving.

import { inflated } from '../deflate.ts'
import type { Counter } from './replies.ts'

/** How many messages of each connection are inflated: with context takeover the second one refers to the first. */
const INFLATED = 2
const MASK = 0x80

/** What compressed replies are. */
interface Compressed {
  /** The first byte of each frame. */
  readonly first: number
  /** What each one inflates to. */
  readonly message: Buffer
  readonly takeover: boolean
}

/** What comes on one connection. */
export class CompressedReplies implements Counter {
  readonly #expected: Compressed
  /** How many bytes of a header came; 0 within a payload. */
  #headBytes = 0
  /** How many bytes of a length follow the first two. */
  #lengthBytes = 0
  #length = 0
  /** How many bytes of a payload are still to come; 0 before and within a header. */
  #left = 0
  #whole = 0
  /** The payload that is coming, while payloads are inflated. */
  #pieces: Buffer[] = []
  /** The payloads before it that it may refer to. */
  #context: Buffer[] = []

  constructor(expected: Compressed) {
    this.#expected = expected
  }

  get whole(): number {
    return this.#whole
  }

  take(buffer: Buffer, start: number, end: number): number {
    const before = this.#whole
    let at = start
    while (at < end) {
      if (this.#left === 0) {
        this.#readHeader(buffer[at++] as number)
        continue
      }
      const until = Math.min(end, at + this.#left)
      if (this.#whole < INFLATED) this.#pieces.push(Buffer.from(buffer.subarray(at, until)))
      this.#left -= until - at
      at = until
      if (this.#left === 0) this.#complete()
    }
    return this.#whole - before
  }

  /** Takes the next byte of a header. */
  #readHeader(byte: number): void {
    const at = this.#headBytes++
    if (at === 0) {
      const { first } = this.#expected
      if (byte !== first) throw new Error(`expected a reply that begins with ${hex(first)}; got ${hex(byte)}`)
    } else if (at === 1) {
      if (byte >= MASK) throw new Error('a reply is masked')
      this.#lengthBytes = byte < 126 ? 0 : byte === 126 ? 2 : 8
      this.#length = byte < 126 ? byte : 0
    } else {
      this.#length = this.#length * 256 + byte
    }
    if (at > 0 && at === 1 + this.#lengthBytes) this.#beginPayload()
  }

  #beginPayload(): void {
    if (this.#length === 0) throw new Error('a compressed reply is empty: even an empty message has a byte')
    this.#left = this.#length
    this.#headBytes = 0
  }

  #complete(): void {
    if (this.#whole++ >= INFLATED) return
    this.#check(Buffer.concat(this.#pieces))
    this.#pieces = []
    if (this.#whole === INFLATED) this.#context = []
  }

  /** @throws Error if this payload does not inflate to the message */
  #check(payload: Buffer): void {
    const { message, takeover } = this.#expected
    const payloads = takeover ? [...this.#context, payload] : [payload]
    const before = (payloads.length - 1) * message.length
    const bytes = inflated(payloads, before + message.length)
    if (!bytes.subarray(before).equals(message)) {
      throw new Error(
        `reply ${this.#whole} inflates to something else: ${bytes.toString('latin1', before, before + 100)}`,
      )
    }
    this.#context = payloads
  }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}
