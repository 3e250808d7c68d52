// A whole run: rows, rounds, contestants, in this order, so that what is compared is measured side by side. Rules: who begins
// changes with each round; what fails is noted and stops nothing; what cannot be done here is not tried again.

import type { Contestant } from './contestants.ts'
import type { Figures } from './figures.ts'
import { type Measurement, measure, type Surroundings } from './measure.ts'
import { Unable } from './process/child.ts'
import type { Row } from './rows.ts'
import type { Stage } from './stage.ts'

/** What became of a contestant in a row. */
export interface Outcome {
  /** By round; undefined where it failed. */
  readonly rounds: (Figures | undefined)[]
  /** What went wrong, each thing once. */
  readonly errors: string[]
  /** Why it was not measured at all. */
  skipped?: string
}

export interface RowResult {
  readonly row: Row
  /** By the contestant's id. */
  readonly outcomes: Readonly<Record<string, Outcome>>
}

/** A contestant with the programs that play it, or why there are none. */
export interface Entrant {
  readonly contestant: Contestant
  readonly stage: Stage
  readonly absent?: string | undefined
}

export interface Run {
  readonly rows: readonly Row[]
  readonly entrants: readonly Entrant[]
  readonly rounds: number
  readonly surroundings: Surroundings
  /** Told of each row once it is complete. */
  readonly onRow: (result: RowResult) => void
  /** Told before each measurement. */
  readonly onStep: (text: string) => void
}

export interface RunResult {
  readonly results: readonly RowResult[]
  /** By the contestant's id, where they are known. */
  readonly versions: Readonly<Record<string, string>>
}

export async function runRows(run: Run): Promise<RunResult> {
  const versions: Record<string, string> = {}
  const results: RowResult[] = []
  for (const row of run.rows) {
    const entrants = run.entrants.filter(({ contestant }) => takesPart(contestant, row))
    const outcomes = Object.fromEntries(entrants.map((entrant) => [entrant.contestant.id, emptyOutcome(entrant)]))
    for (let round = 0; round < run.rounds; round++) {
      for (const entrant of rotate(entrants, round)) {
        const { id, title } = entrant.contestant
        const outcome = outcomes[id] as Outcome
        if (outcome.skipped !== undefined) continue
        run.onStep(`${row.id}, round ${round + 1} of ${run.rounds}: ${title}`)
        const measurement = await attempt(outcome, () =>
          measure(row, entrant.contestant, entrant.stage, run.surroundings),
        )
        if (measurement?.version) versions[id] = measurement.version
      }
    }
    const result = { row, outcomes }
    results.push(result)
    run.onRow(result)
  }
  return { results, versions }
}

function takesPart({ id, programs }: Contestant, { side, without = [] }: Row): boolean {
  return programs[side] !== undefined && !without.includes(id)
}

function emptyOutcome({ absent }: Entrant): Outcome {
  const outcome: Outcome = { rounds: [], errors: [] }
  if (absent !== undefined) outcome.skipped = absent
  return outcome
}

/** Measures once and notes what came of it. */
async function attempt(outcome: Outcome, once: () => Promise<Measurement>): Promise<Measurement | undefined> {
  try {
    const measurement = await once()
    outcome.rounds.push(measurement.figures)
    return measurement
  } catch (error) {
    const { message } = error as Error
    if (error instanceof Unable) outcome.skipped = message
    else if (!outcome.errors.includes(message)) outcome.errors.push(message)
    outcome.rounds.push(undefined)
    return undefined
  }
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const at = items.length === 0 ? 0 : by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
