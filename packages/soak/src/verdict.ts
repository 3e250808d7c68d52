// What is said in the end: one line for each thing that is promised, and whether it was kept.

import { compared, grown } from './memory.ts'
import type { Report } from './run.ts'

export interface Verdict {
  readonly passed: boolean
  readonly lines: readonly string[]
}

/** Judges a run. @param broken what was wrong with its processes */
export function judge(report: Report | undefined, broken: readonly string[]): Verdict {
  if (report === undefined) return { passed: false, lines: [...broken, 'FAILED: it did not come to its end'] }
  const { tally, memory, server, left } = report
  const more = grown(...memory)
  const passed = tally.faultCount === 0 && tally.kept > 0 && more.length + left.length + broken.length === 0
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  return {
    passed,
    lines: [
      `visits: ${tally.visits}; connections: ${server.accepted}; close codes: ${counts(server.closeCodes)}`,
      `refusals: ${counts(server.refusals) || 'none'}`,
      `promises: ${tally.kept} messages of ${tally.guests} guests came, in order and once; ${tally.faultCount} faults`,
      ...tally.faults.map((fault) => `  ${fault}`),
      `memory: ${compared(...memory)}${more.length > 0 ? `; grown too much: ${more.join(', ')}` : ''}`,
      `left: ${left.join(', ') || 'nothing'}`,
      ...broken,
      passed ? 'passed' : 'FAILED',
    ],
  }
}
