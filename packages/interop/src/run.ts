// A run over many pairs, and what became of it.

import { meet, type Verdict } from './judge.ts'
import type { Pair } from './matrix.ts'
import { faultsOfTalk, TALKS, type Talk, type Variant } from './variants.ts'
import { missingReason, skipReason, type World } from './world.ts'

/** A pair, and its verdict or why it was left out. */
export interface PairResult {
  readonly pair: Pair
  readonly verdict: Verdict | undefined
  readonly skipped: string | undefined
}

/** The same of a talk about compression, where a check is a variant. */
export interface TalkResult {
  readonly talk: Talk
  readonly verdict: Verdict | undefined
  readonly skipped: string | undefined
}

/** Runs the contract over pairs, one after the other. */
export async function runPairs(world: World, pairs: readonly Pair[]): Promise<PairResult[]> {
  const results: PairResult[] = []
  for (const pair of pairs) {
    const skipped = skipReason(pair)
    const verdict = skipped === undefined ? await meet(await world.meeting(pair)) : undefined
    results.push({ pair, verdict, skipped })
  }
  return results
}

/** Runs the variants of compression over all talks, one after the other. */
export async function runTalks(world: World, variants: readonly Variant[]): Promise<TalkResult[]> {
  const results: TalkResult[] = []
  for (const talk of TALKS) {
    const skipped = missingReason(talk.client) ?? missingReason(talk.server)
    const faults = skipped === undefined ? await faultsOfTalk(world, talk, variants) : []
    const verdict = skipped === undefined ? { checks: variants.length, faults } : undefined
    results.push({ talk, verdict, skipped })
  }
  return results
}
