// What one guest was promised, and what it got. The promises: whatever it asks is sent back, and from `hello` to `bye` it gets all
// news; everything whole, in order, and once. Whatever else happens is a fault, in words.

import type { Buffer } from 'node:buffer'
import { readStamp, type Stamped, stamp } from './messages.ts'

export class Ledger {
  readonly faults: string[] = []
  /** Promises that were kept. */
  kept = 0
  /** Resolves when `bye` has come. */
  readonly settled: Promise<void>
  #settle: () => void = () => {}
  #asked = 0
  #replies = 0
  /** The news that is due; `undefined` before `hello`. */
  #news: number | undefined
  #over = false

  constructor() {
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  /** A message whose reply is promised from now on. */
  ask(body: string | Buffer): string | Buffer {
    return stamp('ask', this.#asked++, body)
  }

  /** Enters a message that came. */
  take(message: string | Buffer): void {
    const stamped = readStamp(message)
    if (stamped === undefined) return this.#fault(`a message that nobody sent, of ${message.length}`)
    if (!stamped.intact) this.#fault(`${stamped.kind} ${stamped.number} is changed`)
    if (stamped.kind === 'hello') return this.#hello(stamped)
    if (this.#news === undefined) return this.#fault(`expected hello, got ${stamped.kind} ${stamped.number}`)
    if (stamped.kind === 'bye') this.#bye(stamped)
    else if (stamped.kind === 'news') this.#news = this.#next(this.#news, stamped)
    else this.#replies = this.#next(this.#replies, stamped)
  }

  /** Enters the end of the connection: before `bye` it is a fault. */
  end(how: string): void {
    if (!this.#over) this.#fault(`lost its connection with ${this.#asked - this.#replies} replies due: ${how}`)
    this.#over = true
    this.#settle()
  }

  #hello({ number }: Stamped): void {
    if (this.#news !== undefined) this.#fault('hello came again')
    this.#news = number
  }

  #bye({ number, body }: Stamped): void {
    if (this.#over) return this.#fault('bye came again')
    if (this.#replies !== this.#asked) this.#fault(`expected ${this.#asked} replies before bye, got ${this.#replies}`)
    if (Number(body) !== this.#asked) this.#fault(`the server got ${body} messages of ${this.#asked}`)
    if (this.#news !== number) this.#fault(`expected news up to ${number} before bye, got it up to ${this.#news}`)
    this.#over = true
    this.#settle()
  }

  /** @returns the number that is due now */
  #next(due: number, { kind, number }: Stamped): number {
    if (number === due) this.kept++
    else this.#fault(`expected ${kind} ${due}, got ${kind} ${number}`)
    return Math.max(due, number + 1)
  }

  #fault(text: string): void {
    this.faults.push(text)
  }
}
