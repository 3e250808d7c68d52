// What every visitor is given, and what it brings home.

import type { Random } from '@ws/testkit'
import type { Leave } from './leave.ts'

export interface Surroundings {
  readonly port: number
  readonly random: Random
  readonly leave: Leave
}

interface Result {
  /** What was wrong; nothing if all was as it has to be. */
  readonly faults: readonly string[]
  /** Promises to a guest that were kept. */
  readonly kept?: number
}

/** Comes, does what it is for, and goes; neither a socket nor a timer of it is left. */
export type Visitor = (surroundings: Surroundings) => Promise<Result>
