// What the publisher publishes: the real counters of the machine that it runs on. Rule: CPU counters advance in steps of
// about 10 ms, too coarse for the time between two samples, so usage is that of the last half second.

import os from 'node:os'

/** What a CPU has spent its time on since the machine was started, in ms. */
export type CpuTimes = Readonly<os.CpuInfo['times']>

/** How busy the CPUs were, in percent. */
export interface Usage {
  readonly total: number
  readonly cores: readonly number[]
}

/** One sample of this machine. Sizes in bytes. */
export interface Sample {
  /** 1 for the first sample, then one more each time: a gap or a repetition shows. */
  readonly sequence: number
  /** When it was taken, in ms since 1970. */
  readonly time: number
  /** Load averages of the last 1, 5 and 15 minutes; zeros on Windows. */
  readonly load: readonly number[]
  readonly memory: { readonly free: number; readonly total: number }
  readonly cpus: readonly CpuTimes[]
  readonly usage: Usage
  /** The memory of the process that took it. */
  readonly rss: number
  /** How long the machine has been up, in seconds. */
  readonly uptime: number
}

/** Usage is measured over this many samples. */
const WINDOW = 10

/** Takes samples. */
export class Sampler {
  #sequence = 0
  readonly #history: (readonly CpuTimes[])[] = [readCpuTimes()]

  next(): Sample {
    const cpus = readCpuTimes()
    this.#history.push(cpus)
    const usage = usageBetween(this.#history[0] ?? cpus, cpus)
    if (this.#history.length > WINDOW) this.#history.shift()
    return {
      sequence: ++this.#sequence,
      time: Date.now(),
      load: os.loadavg(),
      memory: { free: os.freemem(), total: os.totalmem() },
      cpus,
      usage,
      rss: process.memoryUsage.rss(),
      uptime: os.uptime(),
    }
  }
}

/** How busy the CPUs were between two readings of their counters. */
export function usageBetween(before: readonly CpuTimes[], after: readonly CpuTimes[]): Usage {
  // A CPU that was switched on meanwhile has no counters to compare with.
  const spent = after.slice(0, before.length).map((times, index) => difference(before[index], times))
  const sum = spent.reduce((left, right) => ({ busy: left.busy + right.busy, all: left.all + right.all }), NOTHING)
  return { total: percent(sum), cores: spent.map(percent) }
}

/** Reads a sample that was sent as JSON; `undefined` if the text is none. */
export function parseSample(text: string): Sample | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isSample = typeof value === 'object' && value !== null && 'sequence' in value && 'usage' in value
    return isSample ? (value as Sample) : undefined
  } catch {
    return undefined
  }
}

interface Spent {
  readonly busy: number
  readonly all: number
}

const NOTHING: Spent = { busy: 0, all: 0 }

function difference(before: CpuTimes | undefined, after: CpuTimes): Spent {
  if (before === undefined) return NOTHING
  const busy = sumOfBusy(after) - sumOfBusy(before)
  return { busy, all: busy + after.idle - before.idle }
}

function sumOfBusy({ user, nice, sys, irq }: CpuTimes): number {
  return user + nice + sys + irq
}

/** One decimal; never out of range, though the counters of some kernels run backwards now and then. */
function percent({ busy, all }: Spent): number {
  if (all <= 0) return 0
  return Math.round(Math.min(Math.max(busy / all, 0), 1) * 1000) / 10
}

function readCpuTimes(): readonly CpuTimes[] {
  return os.cpus().map(({ times }) => times)
}
