// The command line of the demo. Rule: a wrong argument becomes one line that says what was expected and what came.

import { parseArgs } from 'node:util'

/** What the demo is to do. */
export interface DemoOptions {
  /** The TCP port; 0 lets the system choose. */
  readonly port: number
  /** Whether to run until interrupted, with the page. */
  readonly watch: boolean
  /** How long the publisher sends, in seconds; without end with `watch`. */
  readonly seconds: number
}

/** A command line that was understood, or why it was not. */
export type Command =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

const DEFAULT_PORT = 12010
const DEFAULT_SECONDS = 5
const MOST_SECONDS = 3600
const LAST_PORT = 65_535

export const HELP: string = `The demo: a publisher sends this machine's load, CPU and memory 20 times a second to a server,
which pushes every sample to all other clients. Server, publisher and subscriber are processes of their own.

  pnpm demo             run for ${DEFAULT_SECONDS} s, compare what was sent with what was received, and end
  pnpm demo --watch     run until Ctrl-C, with a live page at http://127.0.0.1:${DEFAULT_PORT}/

  --port N              the port to listen at, ${DEFAULT_PORT} by default; 0 lets the system choose one
  --seconds N           how long to run, ${DEFAULT_SECONDS} by default (not with --watch)
  --watch               keep running and serve the page
  --help                show this

Exit code: 0 all went well (with --watch: also after Ctrl-C), 1 it did not, 2 a wrong argument, 130 interrupted.
`

const OPTIONS = {
  port: { type: 'string' },
  seconds: { type: 'string' },
  watch: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

type Name = keyof typeof OPTIONS
type Given = Map<Name, string | undefined>

/** Reads the arguments that follow the program's name. */
export function parseCommand(args: readonly string[]): Command {
  try {
    const given = readOptions(args)
    if (given.has('help')) return { kind: 'help' }
    return { kind: 'run', options: toOptions(given) }
  } catch (error) {
    if (error instanceof WrongArgument) return { kind: 'wrong', message: error.message }
    throw error
  }
}

class WrongArgument extends Error {}

/** Not strict, since the words of `parseArgs` run over several lines and do not say what would be right. */
function readOptions(args: readonly string[]): Given {
  // Some package managers hand on the `--` that separates their arguments from ours.
  const ours = args[0] === '--' ? args.slice(1) : [...args]
  const { tokens } = parseArgs({ args: ours, options: OPTIONS, strict: false, tokens: true })
  const given: Given = new Map()
  for (const token of tokens) {
    if (token.kind !== 'option') throw new WrongArgument(`expected only options; got ${ours[token.index]}`)
    if (!isName(token.name)) throw new WrongArgument(`expected ${NAMES}; got ${token.rawName}`)
    if (OPTIONS[token.name].type === 'boolean' && token.value !== undefined) {
      throw new WrongArgument(`expected --${token.name} without a value; got ${token.value}`)
    }
    given.set(token.name, token.value)
  }
  return given
}

const NAMES = Object.keys(OPTIONS)
  .map((name) => `--${name}`)
  .join(', ')

function isName(name: string): name is Name {
  return Object.hasOwn(OPTIONS, name)
}

function toOptions(given: Given): DemoOptions {
  const watch = given.has('watch')
  if (watch && given.has('seconds')) throw new WrongArgument('expected --seconds or --watch; got both')
  return { port: portOf(given), watch, seconds: watch ? Number.POSITIVE_INFINITY : secondsOf(given) }
}

function portOf(given: Given): number {
  if (!given.has('port')) return DEFAULT_PORT
  const text = given.get('port') || 'nothing'
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= LAST_PORT) return port
  throw new WrongArgument(`expected --port with a number from 0 to ${LAST_PORT}; got ${text}`)
}

function secondsOf(given: Given): number {
  if (!given.has('seconds')) return DEFAULT_SECONDS
  const text = given.get('seconds') || 'nothing'
  const seconds = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0 && seconds <= MOST_SECONDS) return seconds
  throw new WrongArgument(`expected --seconds with a number above 0, up to ${MOST_SECONDS}; got ${text}`)
}
