// Verdicts as a table on the terminal, and as the page docs/conformance.md. The page holds no time and no date: the same
// catalogue and verdicts give the same page.

import type { End, Section } from './case.ts'
import type { Verdict } from './run.ts'

/** A section in numbers. */
interface Row {
  readonly title: string
  readonly cases: number
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
  const rows = sections.map(({ title, cases }) => {
    const wanted = new Set(cases)
    const own = verdicts.filter(({ test }) => wanted.has(test))
    return { title, cases: cases.length, server: count(own, 'server'), client: count(own, 'client') }
  })
  const cases = rows.reduce((sum, row) => sum + row.cases, 0)
  return [...rows, { title: 'all', cases, server: count(verdicts, 'server'), client: count(verdicts, 'client') }]
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

/** The table for the terminal. */
export function tableOf(sections: readonly Section[], verdicts: readonly Verdict[]): string {
  const head = ['section', 'cases', 'server: passed', 'failed', 'client: passed', 'failed']
  const lines = rowsOf(sections, verdicts).map(({ title, cases, server, client }) =>
    [title, cases, server.run - server.failed, server.failed, client.run - client.failed, client.failed].map(String),
  )
  const widths = head.map((name, column) => Math.max(name.length, ...lines.map((line) => (line[column] ?? '').length)))
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)
  return [head, ...lines].map((line) => line.map(pad).join('  ')).join('\n')
}

/** The page, as `pnpm conformance --update` writes it. */
export function pageOf(sections: readonly Section[], verdicts: readonly Verdict[]): string {
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
    '## Verdicts',
    '',
    '| section | cases | server passed | server failed | client passed | client failed |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rowsOf(sections, verdicts).map(lineOf),
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
    '## Not covered yet',
    '',
    'Compression (permessage-deflate, RFC 7692): no case negotiates it, so RSV1 is reserved in all of them. The opening',
    'handshake, timeouts and TLS are not in this catalogue: the tests of each package cover them.',
  ].join('\n')}\n`
}

function lineOf({ title, cases, server, client }: Row): string {
  const passed = (end: Count) => end.run - end.failed
  return `| ${title} | ${cases} | ${passed(server)} | ${server.failed} | ${passed(client)} | ${client.failed} |`
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
