// Verdicts as a table on the terminal, and as the page docs/conformance.md. The page holds no time and no date: the same
// catalogue and verdicts give the same page.

import type { End, Section, Transport } from './case.ts'
import type { Verdict } from './run.ts'

/** A section in numbers. */
interface Row {
  readonly title: string
  readonly cases: number
  /** Whether it is about the opening handshake: then its cases are for one end. */
  readonly handshake: boolean
  /** How many passed, at each of {@link PLACES}. */
  readonly passed: readonly number[]
  readonly failed: number
}

/** An end, over a transport. */
interface Place {
  readonly end: End
  readonly over: Transport
}

/** Where cases run, in the order of the columns. */
const PLACES: readonly Place[] = [
  { end: 'server', over: 'tcp' },
  { end: 'client', over: 'tcp' },
  { end: 'server', over: 'http2' },
  { end: 'client', over: 'http2' },
]
const TRANSPORTS: Readonly<Record<Transport, string>> = { tcp: 'TCP', http2: 'HTTP/2' }

/** A behaviour that differs from the requirement, and why that is accepted. */
interface Deviation {
  readonly id: string
  readonly end: End
  readonly reason: string
}

/** Empty, and meant to stay so. */
const DEVIATIONS: readonly Deviation[] = []

function rowsOf(sections: readonly Section[], verdicts: readonly Verdict[]): Row[] {
  return sections.map(({ title, cases }) => {
    const wanted = new Set(cases)
    const own = verdicts.filter(({ test }) => wanted.has(test))
    const handshake = cases.every((test) => 'request' in test || 'response' in test)
    const right = own.filter(({ fault }) => fault === undefined)
    const passed = PLACES.map((place) => right.filter((verdict) => isAt(verdict, place)).length)
    return { title, cases: cases.length, handshake, passed, failed: own.length - right.length }
  })
}

function isAt(verdict: Verdict, { end, over }: Place): boolean {
  return verdict.end === end && verdict.over === over
}

function sumOf(rows: readonly Row[]): Row {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
  return {
    title: 'all',
    cases: sum(rows.map(({ cases }) => cases)),
    handshake: false,
    passed: PLACES.map((_, column) => sum(rows.map(({ passed }) => passed[column] ?? 0))),
    failed: sum(rows.map(({ failed }) => failed)),
  }
}

/** The failures, one line each: what was expected and what came. */
export function failuresOf(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap(({ test, end, over, fault }) =>
    fault === undefined
      ? []
      : [`${test.id} (${test.rows.join(', ')}) at the ${end} over ${TRANSPORTS[over]}: ${fault}`],
  )
}

/** The table for the terminal: the sections of which anything ran. */
export function tableOf(sections: readonly Section[], verdicts: readonly Verdict[]): string {
  const head = ['section', 'cases', ...PLACES.map(({ end, over }) => `${end}, ${TRANSPORTS[over]}`), 'failed']
  const rows = rowsOf(sections, verdicts).filter(({ passed, failed }) => Math.max(...passed, failed) > 0)
  const lines = [...rows, sumOf(rows)].map(({ title, cases, passed, failed }) =>
    [title, cases, ...passed, failed].map(String),
  )
  const widths = head.map((name, column) => Math.max(name.length, ...lines.map((line) => (line[column] ?? '').length)))
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)
  return [head, ...lines].map((line) => line.map(pad).join('  ')).join('\n')
}

/** The page, as `pnpm conformance --update` writes it. */
export function pageOf(sections: readonly Section[], verdicts: readonly Verdict[]): string {
  const rows = rowsOf(sections, verdicts)
  return `${[
    '# Conformance',
    '',
    '<!-- Written by `pnpm conformance --update`; do not edit. -->',
    '',
    'A catalogue of cases runs against the real server (`@ws/server`) and the real client (`connect` of `@ws/client`), both with an',
    'application that echoes and with default limits where a case names no others. A case says what the peer sends and which frames',
    'must come back, in order, how the target ends and what the application is told. Masking is as each end needs it; cases about',
    'masking keys are for the server only.',
    '',
    'Run it with `npx -y pnpm@12 conformance`; the cases are data, in `packages/conformance/src/sections`.',
    '',
    '## On the open connection',
    '',
    'The compression cases agree on permessage-deflate (RFC 7692) first, the others go without. What comes back compressed is inflated by',
    'an inflater of the catalogue’s own, which takes no distance past the agreed window.',
    '',
    'Each case runs over raw TCP sockets, and over streams of HTTP/2 (RFC 8441): many on one session, where what a case does to its own',
    'stream must not be felt by the others. Where TCP ends by FIN, a stream ends by END_STREAM; what is RST to TCP is RST_STREAM with',
    'CANCEL. Cases of up to 400 bytes run byte by byte, and over TCP as they are besides. The columns say how many passed.',
    '',
    '| section | cases | server, TCP | client, TCP | server, HTTP/2 | client, HTTP/2 | failed |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...withSum(rows.filter(({ handshake }) => !handshake)).map(lineOf),
    '',
    '## The opening handshake',
    '',
    'That of HTTP/1.1; that of HTTP/2 has tests of its own, at each end. At the server a case is a request, and the status and headers',
    'that it must get. A 101 has exactly its headers, a refusal is a whole answer and then the end. At the client a case is an answer,',
    'and the error code that it must lead to ([errors.md](errors.md)); the client’s request is checked besides, and that it says nothing',
    'after a wrong answer.',
    '',
    ...handshakeTable(rows, 'server'),
    '',
    ...handshakeTable(rows, 'client'),
    '',
    '## Deviations',
    '',
    ...(DEVIATIONS.length === 0
      ? ['None.']
      : DEVIATIONS.map(({ id, end, reason }) => `- ${id} at the ${end}: ${reason}`)),
    '',
    '## Requirements covered',
    '',
    'The rows of the list of requirements that cases name, with the number of cases:',
    '',
    ...requirementsOf(sections),
    '',
    '## Not in this catalogue',
    '',
    'Timeouts, TLS, what an application’s hooks do, and the API: the tests of each package cover them.',
  ].join('\n')}\n`
}

function withSum(rows: readonly Row[]): Row[] {
  return [...rows, sumOf(rows)]
}

function lineOf({ title, cases, passed, failed }: Row): string {
  return `| ${[title, cases, ...passed, failed].join(' | ')} |`
}

/** The verdicts at one end, for what is only for that end. */
function handshakeTable(rows: readonly Row[], end: End): string[] {
  const column = PLACES.findIndex((place) => place.end === end)
  const own = rows.filter(({ handshake, passed, failed }) => handshake && (passed[column] ?? 0) + failed > 0)
  return [
    `| at the ${end} | cases | passed | failed |`,
    '| --- | ---: | ---: | ---: |',
    ...withSum(own).map(
      ({ title, cases, passed, failed }) => `| ${title} | ${cases} | ${passed[column]} | ${failed} |`,
    ),
  ]
}

/** One line for each letter. */
function requirementsOf(sections: readonly Section[]): string[] {
  const counts = new Map<string, number>()
  for (const { rows } of sections.flatMap(({ cases }) => cases)) {
    for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1)
  }
  const letters = [...new Set([...counts.keys()].map((row) => row.charAt(0)))].sort()
  return letters.map((letter) => {
    const own = [...counts].filter(([row]) => row.startsWith(letter)).sort(byNumber)
    return `- ${own.map(([row, cases]) => `${row} (${cases})`).join(', ')}`
  })
}

function byNumber([a]: [string, number], [b]: [string, number]): number {
  return Number(a.slice(1)) - Number(b.slice(1))
}
