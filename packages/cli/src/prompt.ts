// Lines that somebody types, edited by readline. What is printed meanwhile goes above the line that is being typed.

import readline from 'node:readline'
import type { Status } from './terminal.ts'

export class Prompt {
  readonly #interface: readline.Interface
  readonly #status: Status
  #closed = false

  /** @param onInterrupt Ctrl-C, which readline takes from the terminal */
  constructor(status: Status, onInterrupt: () => void) {
    // On the standard error output: the other is data only.
    this.#interface = readline.createInterface({ input: process.stdin, output: process.stderr, prompt: '> ' })
    this.#interface.on('SIGINT', onInterrupt).on('close', () => this.#leave())
    this.#status = status
    status.around = (write) => this.#around(write)
  }

  /** Ends with Ctrl-D. */
  async *lines(): AsyncGenerator<string> {
    this.#interface.prompt()
    for await (const line of this.#interface) {
      yield line
      if (!this.#closed) this.#interface.prompt()
    }
  }

  close(): void {
    this.#interface.close()
  }

  /** By us, or by Ctrl-D. */
  #leave(): void {
    this.#closed = true
    this.#status.around = (write) => write()
    this.#erase()
  }

  #around(write: () => void): void {
    this.#erase()
    write()
    this.#interface.prompt(true)
  }

  #erase(): void {
    readline.moveCursor(process.stderr, 0, -this.#interface.getCursorPos().rows)
    readline.cursorTo(process.stderr, 0)
    readline.clearScreenDown(process.stderr)
  }
}
