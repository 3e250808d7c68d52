// What is measured: the names of the figures, their units, and how they are read.

/** The figures of one measurement; which of them there are depends on the row. */
export type Figures = Partial<Record<Metric, number>>

export type Metric =
  | 'perCpuSecond'
  | 'perSecond'
  | 'cpuShare'
  | 'driverCpuShare'
  | 'peakRss'
  | 'bytesPerConnection'
  | 'p50'
  | 'p99'
  | 'p999'
  | 'loopDelayP99'
  | 'loopDelayMax'
  | 'channelCost'
  | 'channelCostAgain'

export interface Description {
  readonly title: string
  readonly unit: Unit
  readonly better: 'higher' | 'lower'
}

type Unit = 'count' | 'share' | 'bytes' | 'microseconds' | 'ratio'

export const METRICS: Readonly<Record<Metric, Description>> = {
  perCpuSecond: { title: 'per CPU-second of the measured process', unit: 'count', better: 'higher' },
  perSecond: { title: 'per second', unit: 'count', better: 'higher' },
  cpuShare: { title: 'share of a core that the measured process used', unit: 'share', better: 'higher' },
  driverCpuShare: { title: 'share of a core that the process opposite used', unit: 'share', better: 'lower' },
  peakRss: { title: 'peak resident set size of the measured process', unit: 'bytes', better: 'lower' },
  bytesPerConnection: { title: 'resident set size per idle connection', unit: 'bytes', better: 'lower' },
  p50: { title: 'round trip, median', unit: 'microseconds', better: 'lower' },
  p99: { title: 'round trip, 99th percentile', unit: 'microseconds', better: 'lower' },
  p999: { title: 'round trip, 99.9th percentile', unit: 'microseconds', better: 'lower' },
  loopDelayP99: { title: 'event-loop delay, 99th percentile', unit: 'microseconds', better: 'lower' },
  loopDelayMax: { title: 'event-loop delay, largest', unit: 'microseconds', better: 'lower' },
  channelCost: { title: 'time of a message by that of one without channels', unit: 'ratio', better: 'lower' },
  channelCostAgain: { title: 'time of a message by that of a second copy', unit: 'ratio', better: 'lower' },
}

/** Under this share of a core it was not the measured process that set the pace. */
export const SATURATED = 0.9

/** A figure as people read it. */
export function format(value: number, metric: Metric): string {
  const { unit } = METRICS[metric]
  if (unit === 'share') return `${Math.round(value * 100)} %`
  if (unit === 'ratio') return value.toFixed(3)
  if (unit === 'microseconds') return value < 1000 ? `${round(value)} µs` : `${round(value / 1000)} ms`
  const steps = unit === 'bytes' ? BYTES : COUNTS
  const [size, suffix] = steps.find(([least]) => Math.abs(value) >= least) ?? [1, unit === 'bytes' ? ' B' : '']
  return `${round(value / size)}${suffix}`
}

const COUNTS = [
  [1e9, ' G'],
  [1e6, ' M'],
  [1e3, ' k'],
] as const
const BYTES = [
  [1e6, ' MB'],
  [1e3, ' KB'],
] as const

/** Three digits say what a benchmark knows. */
function round(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(digits)
}

/** How many times as good; 2 is written 2.00×. */
export function formatRatio(value: number | undefined): string {
  return value === undefined ? '–' : `${round(value)}×`
}
