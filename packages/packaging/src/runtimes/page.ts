// The results in docs/runtimes.md: a part of the page that is written here, and read back to know which versions to try, and what came
// of them. What a `no` means stands beside it in words.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Outcome } from './pair.ts'

const PAGE = join(import.meta.dirname, '../../../../docs/runtimes.md')
const BEGIN = '<!-- Written by `pnpm runtimes --update`; do not edit. -->\n'
const END = '<!-- The end of what is written. -->'

/** A column of the table. */
export interface Column {
  readonly name: string
  readonly outcome: Outcome
}

/** The version that the page tells of. */
export function versionInPage(name: 'Bun' | 'Deno'): string {
  const [, version] = new RegExp(`${name} (\\d+\\.\\d+\\.\\d+)`).exec(written().part) ?? []
  if (version === undefined) throw new Error(`docs/runtimes.md does not say which ${name}`)
  return version
}

/** The table, a row for each check. */
export function tableOf(columns: readonly Column[]): string {
  const checks = [...new Set(columns.flatMap(({ outcome }) => [...outcome.keys()]))]
  const cells = (check: string) => columns.map(({ outcome }) => (isWell(outcome, check) ? 'yes' : 'no'))
  const rows = checks.map((check) => [check, ...cells(check)])
  const head = ['', ...columns.map(({ name }) => name)]
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function isWell(outcome: Outcome, check: string): boolean {
  return outcome.has(check) && outcome.get(check) === undefined
}

/** What is in the table and not in the page, or the other way round. */
export function differences(table: string): string[] {
  const before = written()
    .part.split('\n')
    .filter((line) => line.startsWith('|'))
  const now = table.split('\n')
  return [
    ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ]
}

export function updatePage(versions: string, table: string): void {
  const { before, after } = written()
  writeFileSync(PAGE, `${before}${BEGIN}\n${versions}\n\n${table}\n\n${END}${after}`)
}

function written(): { before: string; part: string; after: string } {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest = ''] = page.split(BEGIN)
  const [part, after] = rest.split(END)
  if (before === undefined || part === undefined || after === undefined)
    throw new Error('docs/runtimes.md has no place for results')
  return { before, part, after }
}
