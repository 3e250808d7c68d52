// What comes in, on the standard output: one message a line, or as it is, or as JSON. Rules:
// - Text is a line; bytes are base64 wherever text is printed. With `binary` both are written as they are, nothing
//   between them.
// - With `json` each line is an object with `event`. What a peer sent is inside of strings only.
// - On a terminal nothing is written that could drive it, whatever the format.

import type { Output } from './output.ts'
import { printable, printableJson, type Status } from './terminal.ts'

export interface PrinterOptions {
  readonly json?: boolean | undefined
  readonly binary?: boolean | undefined
}

type Message = string | Uint8Array

export class Printer {
  readonly #output: Output
  readonly #status: Status
  readonly #json: boolean
  readonly #binary: boolean
  #told = false

  constructor(output: Output, status: Status, { json = false, binary = false }: PrinterOptions) {
    this.#output = output
    this.#status = status
    this.#json = json
    this.#binary = binary
  }

  /**
   * @param connection whose it is, where there are several
   * @returns when the next may come; undefined means now
   */
  message(data: Message, connection?: number): Promise<void> | undefined {
    if (this.#json) return this.#object({ event: 'message', connection, ...described(data) })
    if (this.#output.isTerminal) return this.#onTerminal(data, connection)
    if (this.#binary) return this.#output.write(data)
    if (typeof data !== 'string') this.#tellBase64()
    return this.#output.write(`${textOf(data)}\n`)
  }

  /** What is no message: for JSON only, people read the status. */
  event(event: string, details: Readonly<Record<string, unknown>>): void {
    if (this.#json) void this.#object({ event, ...details })
  }

  #object(value: object): Promise<void> | undefined {
    return this.#written(`${printableJson(JSON.stringify(value))}\n`)
  }

  #onTerminal(data: Message, connection: number | undefined): Promise<void> | undefined {
    const mark = this.#status.colours.cyan(`${connection ?? ''}<`)
    return this.#written(`${mark} ${printable(textOf(data))}\n`)
  }

  #written(text: string): Promise<void> | undefined {
    if (!this.#output.isTerminal) return this.#output.write(text)
    let room: Promise<void> | undefined
    this.#status.around(() => {
      room = this.#output.write(text)
    })
    return room
  }

  #tellBase64(): void {
    if (this.#told) return
    this.#told = true
    this.#status.info(
      'binary messages are printed as base64; --binary writes them as they are, --json says which is which',
    )
  }
}

function described(data: Message): { readonly type: 'text' | 'binary'; readonly data: string } {
  return { type: typeof data === 'string' ? 'text' : 'binary', data: textOf(data) }
}

function textOf(data: Message): string {
  return typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
}
