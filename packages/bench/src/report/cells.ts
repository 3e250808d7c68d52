// The cells of the tables, the same on the terminal and on the page.

import { OURS } from '../contestants.ts'
import { format, formatRatio } from '../figures.ts'
import type { Report, ReportedOutcome, ReportedRow } from './report.ts'

export interface Table {
  readonly title: string
  readonly text: string
  /** The first column is the row's title, the others are figures. */
  readonly head: readonly string[]
  readonly lines: readonly (readonly string[])[]
}

/** What the marks of figures mean. */
export const MARKS = '* the measured process used less than 90 % of a core: it did not set the pace. ! a round failed.'

export function tablesOf(report: Report): Table[] {
  return report.groups.map(({ title, text, rows }) => {
    const present = report.contestants.filter(({ id }) => rows.some(({ outcomes }) => outcomes[id] !== undefined))
    const others = present.filter(({ id }) => id !== OURS.id && present.some((other) => other.id === OURS.id))
    return {
      title,
      text,
      head: ['row', ...present.map((one) => one.title), ...others.map((one) => `ours / ${one.title}`)],
      lines: rows.map((row) => [
        row.title,
        ...present.map(({ id }) => figureOf(row, row.outcomes[id])),
        ...others.map(({ id }) => formatRatio(row.outcomes[id]?.ours ?? undefined)),
      ]),
    }
  })
}

/** A row's figure and those beside it. */
function figureOf(row: ReportedRow, outcome: ReportedOutcome | undefined): string {
  if (outcome === undefined) return ''
  const value = outcome.medians[row.metric]
  if (value === undefined) return outcome.skipped === null ? 'failed' : 'skipped'
  const figures = [row.metric, ...row.beside].map((metric) => format(outcome.medians[metric] ?? Number.NaN, metric))
  const unpaced = row.metric === 'perCpuSecond' && !outcome.saturated
  return `${figures.join(' / ')}${unpaced ? '*' : ''}${outcome.errors.length > 0 ? '!' : ''}`
}
