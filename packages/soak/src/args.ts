// The command line. Rule: a wrong argument becomes one line that says what was expected and what came.

import { parseArgs } from 'node:util'
import type { SoakOptions } from './run.ts'

/** A command line that was understood, or why it was not. */
export type Command =
  | { readonly kind: 'run'; readonly options: SoakOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

const MINUTES = 3
const MOST_MINUTES = 10_000
const CONNECTIONS = 1_000
/** Each needs a file, in both processes. */
const MOST_CONNECTIONS = 15_000
const LARGEST_SEED = 2 ** 31 - 1

export const HELP: string = `Puts a server under clients that come, go, stall, reset, flood and break rules, among them well-behaved ones,
and looks at what it promised them, what it holds, and what it leaves behind.

  pnpm soak                 ${MINUTES} minutes
  pnpm soak --minutes 60    an hour

  --minutes N       how long; memory at the end is compared with that after the first minute
  --connections N   how many clients at a time, ${CONNECTIONS} by default
  --seed N          what they do; another each time by default. It is printed, and the same seed gives the same plan
  --help            show this

Exit code: 0 all promises were kept, 1 they were not, 2 a wrong argument.
`

const OPTIONS = {
  minutes: { type: 'string' },
  connections: { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean' },
} as const

type Name = keyof typeof OPTIONS
type Given = Map<Name, string>

class WrongArgument extends Error {}

/** Reads the arguments that follow the program's name. @param anySeed the seed if none is given */
export function parseCommand(args: readonly string[], anySeed: number): Command {
  try {
    const given = readOptions(args)
    if (given.has('help')) return { kind: 'help' }
    const minutes = numberOf(given, 'minutes', MINUTES, MOST_MINUTES, /^\d+(\.\d+)?$/)
    const connections = numberOf(given, 'connections', CONNECTIONS, MOST_CONNECTIONS, /^\d+$/)
    return { kind: 'run', options: { minutes, connections, seed: seedOf(given, anySeed) } }
  } catch (error) {
    if (error instanceof WrongArgument) return { kind: 'wrong', message: error.message }
    throw error
  }
}

/** Not strict, since the words of `parseArgs` do not say what would be right. */
function readOptions(args: readonly string[]): Given {
  // Some package managers hand on the `--` that separates their arguments from ours.
  const ours = args[0] === '--' ? args.slice(1) : [...args]
  const { tokens } = parseArgs({ args: ours, options: OPTIONS, strict: false, tokens: true })
  const given: Given = new Map()
  for (const token of tokens) {
    if (token.kind !== 'option') throw new WrongArgument(`expected only options; got ${ours[token.index]}`)
    if (!isName(token.name)) {
      throw new WrongArgument(`expected one of --${Object.keys(OPTIONS).join(', --')}; got ${token.rawName}`)
    }
    if (OPTIONS[token.name].type === 'string' && !token.value) {
      throw new WrongArgument(`expected --${token.name} with a value; got none`)
    }
    given.set(token.name, token.value ?? '')
  }
  return given
}

function isName(name: string): name is Name {
  return Object.hasOwn(OPTIONS, name)
}

function numberOf(given: Given, name: Name, fallback: number, most: number, form: RegExp): number {
  const text = given.get(name)
  if (text === undefined) return fallback
  const number = Number(text)
  if (form.test(text) && number > 0 && number <= most) return number
  const kind = form.test('0.5') ? 'number' : 'whole number'
  throw new WrongArgument(`expected --${name} with a ${kind} above 0, up to ${most}; got ${text}`)
}

function seedOf(given: Given, fallback: number): number {
  const text = given.get('seed')
  if (text === undefined) return fallback
  if (/^\d+$/.test(text) && Number(text) <= LARGEST_SEED) return Number(text)
  throw new WrongArgument(`expected --seed with a whole number up to ${LARGEST_SEED}; got ${text}`)
}
