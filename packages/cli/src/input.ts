// The standard input as messages: each line is text; with `binary` each piece that is read is bytes. Rules: it is read
// only as fast as messages are taken, and let go at once when nobody wants more.

import { Failure } from './exit.ts'
import { linesOf } from './lines.ts'
import { Prompt } from './prompt.ts'
import type { Status } from './terminal.ts'

export interface InputOptions {
  readonly binary?: boolean | undefined
  readonly status: Status
  /** Ctrl-C at the prompt. */
  readonly onInterrupt: () => void
}

export class Input {
  readonly #messages: AsyncGenerator<string | Buffer>
  readonly #prompt: Prompt | undefined
  #stopped = false

  constructor({ binary = false, status, onInterrupt }: InputOptions) {
    const typed = process.stdin.isTTY === true && process.stderr.isTTY === true && !binary
    this.#prompt = typed ? new Prompt(status, onInterrupt) : undefined
    this.#messages = this.#prompt?.lines() ?? (binary ? chunks() : linesOf(process.stdin, 'standard input'))
  }

  /** Gives each message away; what that returns is waited for. Ends with the input, or with {@link stop}. */
  async deliver(take: (message: string | Buffer) => unknown): Promise<void> {
    try {
      for await (const message of this.#messages) {
        if (this.#stopped) return
        await take(message)
      }
    } catch (error) {
      if (!this.#stopped) throw readable(error)
    }
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#prompt?.close()
    process.stdin.destroy()
  }
}

async function* chunks(): AsyncGenerator<Buffer> {
  for await (const chunk of process.stdin) yield chunk as Buffer
}

function readable(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  return code === undefined ? error : new Failure(`standard input cannot be read: ${message}`)
}
