// Statistics over rounds. Rules: the median, since a benchmark's outliers are the machine's; a ratio is taken within a round,
// where both sides met the same machine, and the median is taken of the ratios.

import type { Figures, Metric } from './figures.ts'

/** The middle value, or the mean of the two in the middle. @throws RangeError if there is none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no values')
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}

/** A round's figures; undefined if it failed. */
export type Rounds = readonly (Figures | undefined)[]

/** The median of each figure over the rounds that have it. */
export function medians(rounds: Rounds): Figures {
  const good = rounds.filter((round) => round !== undefined)
  const names = new Set(good.flatMap((round) => Object.keys(round) as Metric[]))
  const entries = [...names].map((name) => [name, median(good.map((round) => round[name]).filter(isNumber))])
  return Object.fromEntries(entries)
}

/** The median over the rounds of one figure of `a` by that of `b`; undefined if no round has both. */
export function ratio(a: Rounds, b: Rounds, metric: Metric): number | undefined {
  const ratios = a.flatMap((figures, round) => {
    const upper = figures?.[metric]
    const lower = b[round]?.[metric]
    return upper === undefined || lower === undefined || lower === 0 ? [] : [upper / lower]
  })
  return ratios.length === 0 ? undefined : median(ratios)
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined
}
