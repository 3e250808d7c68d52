// Verdicts as a table on the terminal, and as the page docs/conformance.md. The page holds no time and no date: the same
// catalogue and verdicts give the same page.

import type { End, Section } from './case.ts'
import type { Verdict } from './run.ts'

/** A section in numbers. */
interface Row {
  readonly title: string
  readonly cases: number
  /** Whether it is about the opening handshake: then its cases are for one end. */
  readonly handshake: boolean
  readonly server: Count
  readonly client: Count
}

interface Count {
  readonly run: number
  readonly failed: number
}

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
    return { title, cases: cases.length, handshake, server: count(own, 'server'), client: count(own, 'client') }
  })
}

function sumOf(rows: readonly Row[]): Row {
  const sum = (counts: readonly Count[]): Count => ({
    run: counts.reduce((total, { run }) => total + run, 0),
    failed: counts.reduce((total, { failed }) => total + failed, 0),
  })
  return {
    title: 'all',
    cases: rows.reduce((total, { cases }) => total + cases, 0),
    handshake: false,
    server: sum(rows.map(({ server }) => server)),
    client: sum(rows.map(({ client }) => client)),
  }
}

function count(verdicts: readonly Verdict[], end: End): Count {
  const own = verdicts.filter((verdict) => verdict.end === end)
  return { run: own.length, failed: own.filter(({ fault }) => fault !== undefined).length }
}

/** The failures, one line each: what was expected and what came. */
export function failuresOf(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap(({ test, end, fault }) =>
    fault === undefined ? [] : [`${test.id} (${test.rows.join(', ')}) at the ${end}: ${fault}`],
  )
}

/** The table for the terminal: the sections of which anything ran. */
export function tableOf(sections: readonly Section[], verdicts: readonly Verdict[]): string {
  const head = ['section', 'cases', 'server: passed', 'failed', 'client: passed', 'failed']
  const rows = rowsOf(sections, verdicts).filter(({ server, client }) => server.run + client.run > 0)
  const lines = [...rows, sumOf(rows)].map(({ title, cases, server, client }) =>
    [title, cases, server.run - server.failed, server.failed, client.run - client.failed, client.failed].map(String),
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
    'A catalogue of cases runs over raw TCP sockets against the real server (`@ws/server`) and the real client (`connect` of',
    '`@ws/client`), both with an application that echoes and with default limits where a case names no others. A case says what the',
    'peer sends and which frames must come back, in order, how TCP ends and what the application is told. Cases of up to 400 bytes',
    'run twice: as they are, and byte by byte. Masking is as each end needs it; cases about masking keys are for the server only.',
    '',
    'Run it with `npx -y pnpm@12 conformance`; the cases are data, in `packages/conformance/src/sections`.',
    '',
    '## On the open connection',
    '',
    'The compression cases agree on permessage-deflate (RFC 7692) first, the others go without. What comes back compressed is inflated by',
    'an inflater of the catalogue’s own, which takes no distance past the agreed window.',
    '',
    '| section | cases | server passed | server failed | client passed | client failed |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...withSum(rows.filter(({ handshake }) => !handshake)).map(lineOf),
    '',
    '## The opening handshake',
    '',
    'At the server a case is a request, and the status and headers that it must get. A 101 has exactly its headers, a refusal is a whole',
    'answer and then the end. At the client a case is an answer, and the error code that it must lead to ([errors.md](errors.md)); the',
    'client’s request is checked besides, and that it says nothing after a wrong answer.',
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

function lineOf({ title, cases, server, client }: Row): string {
  const passed = (end: Count) => end.run - end.failed
  return `| ${title} | ${cases} | ${passed(server)} | ${server.failed} | ${passed(client)} | ${client.failed} |`
}

/** The verdicts at one end, for what is only for that end. */
function handshakeTable(rows: readonly Row[], end: End): string[] {
  const own = rows.filter((row) => row.handshake && row[end].run > 0)
  return [
    `| at the ${end} | cases | passed | failed |`,
    '| --- | ---: | ---: | ---: |',
    ...withSum(own).map(
      (row) => `| ${row.title} | ${row.cases} | ${row[end].run - row[end].failed} | ${row[end].failed} |`,
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
