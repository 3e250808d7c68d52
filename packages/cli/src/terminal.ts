// What people read: status, warnings and errors, on the standard error output, and what goes to a terminal at all. Rules:
// - Standard output is data only.
// - What a peer has written never reaches a terminal as it is: control characters would drive it (move the cursor, set
//   the title, in some terminals type), and those that turn the direction of text would show something else than what
//   came.
// - Colours only where the terminal has them; NO_COLOR and --no-color switch them off.

import type { WriteStream } from 'node:tty'
import pc from 'picocolors'

type Colours = ReturnType<typeof pc.createColors>

const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/** The text with what could drive a terminal shown as `\x1b`; lines and tabs are left. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  )
}

/** {@link printable}, in one line. */
function inOneLine(text: string): string {
  return text.replace(UNSAFE, escaped)
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  const number = character.charCodeAt(0)
  return number < 0x100 ? `\\x${hex(number, 2)}` : `\\u${hex(number, 4)}`
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}

/** The same JSON text without what could drive a terminal: inside of strings, where alone it can stand. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, (character) => `\\u${hex(character.charCodeAt(0), 4)}`)
}

export interface StatusOptions {
  /** Only warnings and errors. */
  readonly quiet?: boolean | undefined
  /** False switches colours off. */
  readonly color?: boolean | undefined
}

/** The standard error output. */
export class Status {
  /** Puts a write between what the user is typing: the prompt replaces it. */
  around: (write: () => void) => void = (write) => write()
  readonly colours: Colours
  readonly #quiet: boolean

  constructor({ quiet = false, color = true }: StatusOptions) {
    this.#quiet = quiet
    this.colours = coloursOf(process.stderr, color)
    process.stderr.on('error', () => {}) // nobody reads it: then nobody is told
  }

  info(text: string): void {
    if (!this.#quiet) this.#line(this.colours.dim(inOneLine(text)))
  }

  warning(text: string): void {
    this.#line(`${this.colours.yellow('warning:')} ${inOneLine(text)}`)
  }

  error(text: string): void {
    this.#line(`${this.colours.red('error:')} ${inOneLine(text)}`)
  }

  /** A line beneath an error: what its answer says, or what may help. */
  detail(text: string): void {
    this.#line(`  ${inOneLine(text)}`)
  }

  #line(text: string): void {
    this.around(() => process.stderr.write(`${text}\n`))
  }
}

/** Node knows what the terminal can do, and heeds NO_COLOR. */
export function coloursOf(stream: NodeJS.WriteStream, wanted: boolean): Colours {
  return pc.createColors(wanted && stream.isTTY === true && (stream as WriteStream).hasColors())
}
