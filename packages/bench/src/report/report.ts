// The result of a run as data: what is written as JSON, and what every other output is made from. Rule: it says of itself what
// its parts mean, so that a reader needs nothing else.

import { type Contestant, OURS } from '../contestants.ts'
import { type Description, type Figures, METRICS, type Metric, SATURATED } from '../figures.ts'
import type { Machine } from '../machine.ts'
import type { Group, Row } from '../rows.ts'
import type { Outcome, RowResult, RunResult } from '../run.ts'
import { medians, type Rounds, ratio } from '../stats.ts'

export interface Report {
  readonly about: Readonly<Record<string, string>>
  readonly metrics: Readonly<Record<Metric, Description>>
  readonly machine: Machine
  readonly command: string
  readonly rounds: number
  readonly seconds: number
  readonly cores: string
  readonly contestants: readonly ReportedContestant[]
  readonly groups: readonly ReportedGroup[]
}

interface ReportedContestant {
  readonly id: string
  readonly title: string
  readonly color: string
  readonly version: string
}

interface ReportedGroup {
  readonly title: string
  readonly text: string
  readonly rows: readonly ReportedRow[]
}

export interface ReportedRow {
  readonly id: string
  readonly title: string
  readonly metric: Metric
  readonly beside: readonly Metric[]
  readonly charted: boolean
  readonly outcomes: Readonly<Record<string, ReportedOutcome>>
}

export interface ReportedOutcome {
  readonly medians: Figures
  /** How many times as good ours is; null for ours itself and where there is no figure. */
  readonly ours: number | null
  readonly saturated: boolean
  readonly errors: readonly string[]
  readonly skipped: string | null
  /** Null where the round failed. */
  readonly rounds: readonly (Figures | null)[]
}

const ABOUT: Readonly<Record<string, string>> = {
  metrics:
    'the figures: their meaning, unit (microseconds, bytes, share of 1, count) and whether higher or lower is better',
  rounds:
    'how often each row was measured with each contestant in turn; in an outcome: the figures of each round, null if it failed',
  seconds:
    'how long each measurement took, after twice as long to warm up, three times as long where connections are opened or broadcasts compressed',
  cores: 'where the processes ran',
  'rows.metric': 'the figure that the row is about; rows.beside: further ones that belong to it',
  'outcomes.medians': 'by the id of a contestant, the median of each figure over the rounds',
  'outcomes.ours':
    "how many times as good ours is in the row's metric: the median of the rounds' ratios, above 1 if ours is better",
  'outcomes.saturated': `whether the measured process used ${SATURATED * 100} % of a core; if not, it did not set the pace`,
  'outcomes.errors': 'what went wrong in rounds; outcomes.skipped: why there was nothing to measure',
}

/** What a report is made from. */
export interface Context {
  readonly machine: Machine
  readonly command: string
  readonly rounds: number
  readonly seconds: number
  readonly cores: string
  readonly contestants: readonly Contestant[]
  readonly groups: readonly Group[]
}

export function reportOf({ contestants, groups, ...context }: Context, { results, versions }: RunResult): Report {
  const rows = new Map(results.map((result) => [result.row.id, result]))
  const reported = groups.map(({ title, text, rows: own }) => ({
    title,
    text,
    rows: own
      .map(({ id }) => rows.get(id))
      .filter((result) => result !== undefined)
      .map(reportRow),
  }))
  return {
    about: ABOUT,
    metrics: METRICS,
    ...context,
    contestants: contestants.map(({ id, title, color }) => ({ id, title, color, version: versions[id] ?? '' })),
    groups: reported.filter((group) => group.rows.length > 0),
  }
}

/** Everything that went wrong or was left out, one line each. */
export function notesOf({ groups, contestants }: Report): string[] {
  const lines = groups.flatMap(({ rows }) =>
    rows.flatMap((row) =>
      contestants.flatMap(({ id, title }) => {
        const { errors = [], skipped } = row.outcomes[id] ?? {}
        const failed = errors.map((error) => `${row.id}, ${title}: failed: ${error}`)
        return skipped ? [`${title} skipped: ${skipped}`] : failed
      }),
    ),
  )
  return [...new Set(lines)]
}

export function hasErrors({ groups }: Report): boolean {
  return groups.some(({ rows }) =>
    rows.some(({ outcomes }) => Object.values(outcomes).some(({ errors }) => errors.length > 0)),
  )
}

function reportRow({ row, outcomes }: RowResult): ReportedRow {
  const reference = outcomes[OURS.id]?.rounds ?? []
  const entries = Object.entries(outcomes).map(([id, outcome]) => [id, reportOutcome(row, id, outcome, reference)])
  const { id, title, metric, beside = [], charted = false } = row
  return { id, title, metric, beside, charted, outcomes: Object.fromEntries(entries) }
}

function reportOutcome({ metric }: Row, id: string, outcome: Outcome, reference: Rounds): ReportedOutcome {
  const { rounds, errors, skipped = null } = outcome
  const figures = medians(rounds)
  const advantage =
    METRICS[metric].better === 'higher' ? ratio(reference, rounds, metric) : ratio(rounds, reference, metric)
  return {
    medians: figures,
    ours: id === OURS.id ? null : (advantage ?? null),
    saturated: (figures.cpuShare ?? 1) >= SATURATED,
    errors,
    skipped,
    rounds: rounds.map((round) => round ?? null),
  }
}
