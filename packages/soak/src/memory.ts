// How much memory a process holds, and when that is too much more than before.

import { setTimeout as sleep } from 'node:timers/promises'

const KINDS = ['heapUsed', 'external', 'arrayBuffers'] as const

/** In bytes, as `process.memoryUsage()` counts them. */
export type Memory = { readonly [Kind in (typeof KINDS)[number]]: number }

const SAMPLES = 5
/** Between samples: the memory of array buffers is given back by another thread. */
const PAUSE = 20
const MIB = 1024 * 1024
/** What may be more than before: this part, or so many bytes, whichever is more. */
const PART = 0.1
const SPARE = 5 * MIB

/** The median of five samples, each after a forced collection. The process needs `--expose-gc`. */
export async function measureMemory(): Promise<Memory> {
  const samples: Memory[] = []
  while (samples.length < SAMPLES) {
    globalThis.gc?.()
    await sleep(PAUSE)
    globalThis.gc?.()
    samples.push(process.memoryUsage())
  }
  const median = (kind: keyof Memory): number =>
    samples.map((sample) => sample[kind]).sort((a, b) => a - b)[SAMPLES >> 1] as number
  return { heapUsed: median('heapUsed'), external: median('external'), arrayBuffers: median('arrayBuffers') }
}

/** The kinds that have grown by more than they may. */
export function grown(before: Memory, after: Memory): string[] {
  return KINDS.filter((kind) => after[kind] - before[kind] > Math.max(PART * before[kind], SPARE))
}

/** Both, side by side: `heapUsed 12.1 to 12.4 MiB, …`. */
export function compared(before: Memory, after: Memory): string {
  const text = (bytes: number): string => (bytes / MIB).toFixed(1)
  return KINDS.map((kind) => `${kind} ${text(before[kind])} to ${text(after[kind])} MiB`).join(', ')
}
