// Which core a process runs on. Rule: what is measured has one to itself; where that is not possible nothing is pinned, and
// the reason is printed with the results.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Cores {
  /** For the process that is measured; undefined if nothing is pinned. */
  readonly measured: number | undefined
  /** For the process that keeps it busy. */
  readonly driver: number | undefined
  /** Where the processes run, in words. */
  readonly note: string
}

/** Chooses two cores of those that this process may use. The first one serves interrupts more often, so the last is measured. */
export function chooseCores(): Cores {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    const allowed = allowedCores(readFileSync('/proc/self/status', 'utf8'))
    const measured = allowed.at(-1)
    if (measured === undefined || allowed.length < 2) return unpinned('there is only one core')
    const [driver] = allowed
    return { measured, driver, note: `measured process on core ${measured}, load on core ${driver}` }
  } catch {
    return unpinned('there is no taskset here')
  }
}

/** The cores of a line such as `Cpus_allowed_list: 0-2,5`. */
export function allowedCores(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? ''
  return [...list.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
  )
}

function unpinned(reason: string): Cores {
  return { measured: undefined, driver: undefined, note: `processes are not pinned: ${reason}` }
}
