// The command line. Rule: a wrong argument becomes one line that says what was expected and what came.

import { parseArgs } from 'node:util'
import { CONTESTANTS } from './contestants.ts'

/** What is to be measured, and what is to become of it. */
export interface Options {
  readonly rounds: number
  /** Of each measurement. */
  readonly seconds: number
  /** Which rows, by id. */
  readonly row: RegExp
  /** The contestants' ids. */
  readonly only: readonly string[]
  /** A revision to compare with, in place of others. */
  readonly compare: string | undefined
  /** A report to read in place of a run. */
  readonly from: string | undefined
  readonly json: string | undefined
  readonly svg: string | undefined
  readonly update: boolean
}

/** A command line that was understood, or why it was not. */
export type Command =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'list'; readonly row: RegExp }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

const ROUNDS = 5
const SECONDS = 1
const QUICK = { rounds: 1, seconds: 0.2 }
const MOST_ROUNDS = 100
const MOST_SECONDS = 60
const IDS = CONTESTANTS.map(({ id }) => id)
const USUAL = CONTESTANTS.filter(({ ifNamed }) => ifNamed !== true).map(({ id }) => id)

export const HELP: string = `Measures our server and client beside others, each in a process of its own, interleaved round by round.

  pnpm bench                 measure everything and print tables
  pnpm bench --quick         the same with one short round: to see that all works, not for figures
  pnpm bench --row '^echo'   only rows whose id matches
  pnpm bench --compare main  ours as it is here against ours of a revision

  --rounds N        how many rounds, ${ROUNDS} by default
  --seconds N       how long each measurement is, ${SECONDS} by default; twice as much goes before to warm up,
                    three times as much where connections are opened
                    or broadcasts compressed
  --row PATTERN     a regular expression for the ids of rows
  --only A,B        only these: ${IDS.join(', ')}
                    (window, a responder on our transport that parses nothing, only if named)
  --compare REV     compare with a revision of ours in place of others
  --quick           --rounds ${QUICK.rounds} --seconds ${QUICK.seconds}
  --list            print the rows and end
  --from FILE       read a report that --json wrote in place of measuring
  --json FILE       write the report as JSON
  --svg FILE        write the chart
  --update          write docs/performance.svg and the generated part of docs/performance.md
  --help            show this

Exit code: 0 all went well, 1 something that was to be measured failed, 2 a wrong argument, 130 interrupted.
`

const OPTIONS = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  row: { type: 'string' },
  only: { type: 'string' },
  compare: { type: 'string' },
  from: { type: 'string' },
  json: { type: 'string' },
  svg: { type: 'string' },
  update: { type: 'boolean' },
  quick: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

type Name = keyof typeof OPTIONS
type Given = Map<Name, string>

/** What excludes what: the second list is what cannot stand beside the first. */
const EXCLUDED: readonly (readonly [Name, readonly Name[]])[] = [
  ['update', ['row', 'only', 'quick', 'compare']],
  ['compare', ['only']],
  ['from', ['rounds', 'seconds', 'row', 'only', 'quick', 'compare']],
]

class WrongArgument extends Error {}

/** Reads the arguments that follow the program's name. */
export function parseCommand(args: readonly string[]): Command {
  try {
    const given = readOptions(args)
    if (given.has('help')) return { kind: 'help' }
    checkExclusions(given)
    const row = patternOf(given)
    return given.has('list') ? { kind: 'list', row } : { kind: 'run', options: optionsOf(given, row) }
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
    if (OPTIONS[token.name].type === 'boolean' && token.value !== undefined) {
      throw new WrongArgument(`expected --${token.name} without a value; got ${token.value}`)
    }
    given.set(token.name, token.value ?? '')
  }
  return given
}

function isName(name: string): name is Name {
  return Object.hasOwn(OPTIONS, name)
}

function checkExclusions(given: Given): void {
  for (const [name, others] of EXCLUDED) {
    const other = others.find((candidate) => given.has(candidate))
    if (given.has(name) && other !== undefined)
      throw new WrongArgument(`expected --${name} without --${other}; got both`)
  }
}

function optionsOf(given: Given, row: RegExp): Options {
  const quick = given.has('quick')
  return {
    rounds: numberOf(given, 'rounds', { fallback: quick ? QUICK.rounds : ROUNDS, most: MOST_ROUNDS, whole: true }),
    seconds: numberOf(given, 'seconds', {
      fallback: quick ? QUICK.seconds : SECONDS,
      most: MOST_SECONDS,
      whole: false,
    }),
    row,
    only: listOf(given),
    compare: given.get('compare'),
    from: given.get('from'),
    json: given.get('json'),
    svg: given.get('svg'),
    update: given.has('update'),
  }
}

interface Bounds {
  readonly fallback: number
  readonly most: number
  readonly whole: boolean
}

function numberOf(given: Given, name: Name, { fallback, most, whole }: Bounds): number {
  const text = given.get(name)
  if (text === undefined) return fallback
  const number = Number(text)
  if ((whole ? /^\d+$/ : /^\d+(\.\d+)?$/).test(text) && number > 0 && number <= most) return number
  throw new WrongArgument(
    `expected --${name} with a ${whole ? 'whole ' : ''}number above 0, up to ${most}; got ${text}`,
  )
}

function patternOf(given: Given): RegExp {
  const text = given.get('row') ?? ''
  try {
    return new RegExp(text, 'i')
  } catch {
    throw new WrongArgument(`expected --row with a regular expression; got ${text}`)
  }
}

function listOf(given: Given): readonly string[] {
  const ids = given.get('only')?.split(',') ?? USUAL
  const unknown = ids.find((id) => !IDS.includes(id))
  if (unknown === undefined) return ids
  throw new WrongArgument(`expected --only with some of ${IDS.join(',')}; got ${unknown === '' ? 'nothing' : unknown}`)
}
