// What every client that is measured does: it counts messages, and checks the first of each connection in full.

import { type Begun, type Commands, usage } from '../process/program.ts'

/** How many messages of each connection are compared. */
const CHECKED = 10

export class Messages {
  readonly #expected: string | Buffer
  #connections = 0
  #answered = 0
  #count = 0

  constructor(expected: string | Buffer) {
    this.#expected = expected
  }

  /** Makes what a connection calls for each of its messages. @throws Error if one is not what was expected */
  connection(): (message: string | Uint8Array) => void {
    let left = CHECKED
    this.#connections++
    return (message) => {
      this.#count++
      if (left === 0) return
      if (left-- === CHECKED) this.#answered++
      if (!this.#equals(message)) throw new Error(`a message of ${message.length} differs from what was sent`)
    }
  }

  /** What a client's program answers. */
  get begun(): Begun {
    const commands: Commands = { usage: () => usage(this.#count), check: () => this.#check() }
    return { commands }
  }

  #equals(message: string | Uint8Array): boolean {
    if (typeof message === 'string' || typeof this.#expected === 'string') return message === this.#expected
    return this.#expected.equals(message)
  }

  #check(): void {
    const silent = this.#connections - this.#answered
    if (silent > 0) throw new Error(`${silent} of ${this.#connections} connections got no message`)
  }
}
