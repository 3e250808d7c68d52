// One measurement: one row, one contestant, once. Rules: its processes are fresh and end with it, whatever happens; figures are
// differences between two readings, each side's by its own clock.

import { setTimeout as delay } from 'node:timers/promises'
import type { Contestant } from './contestants.ts'
import type { Figures } from './figures.ts'
import type { Assignment, ChannelCost, Job, LoopDelay, RoundTrips, Speed, TlsFiles, Usage } from './job.ts'
import { Child } from './process/child.ts'
import type { Cores } from './process/cores.ts'
import type { Row } from './rows.ts'
import type { Stage } from './stage.ts'

/** How many connections there are before memory is read first: what the first ones cost once is not theirs. */
const FIRST_HELD = 100
/** How long what is measured works before, in lengths of a measurement: the compiler shares its core, and is at it for a second or two. */
const WARM_UP = 2

export interface Surroundings {
  readonly cores: Cores
  readonly tls: TlsFiles
  readonly competitors: string
  /** Of each measurement, without warming up. */
  readonly seconds: number
}

export interface Measurement {
  readonly figures: Figures
  /** The version of what was measured, if it has one. */
  readonly version: string
}

/** @throws Unable if the contestant cannot do this here */
export async function measure(
  row: Row,
  { title, programs }: Contestant,
  stage: Stage,
  surroundings: Surroundings,
): Promise<Measurement> {
  const program = programs[row.side]
  if (program === undefined) throw new Error(`${title} has no ${row.side}`)
  const name = `${title} (${row.id})`
  const { cores } = surroundings
  const processes: Child[] = []
  const start = async (named: string, file: string, parameter: unknown, core?: number, flags: string[] = []) => {
    const child = await Child.start({ name: named, program: stage.program(file), parameter, core, flags })
    processes.push(child)
    return child
  }
  const measured = (parameter: unknown, flags: string[] = []): Promise<Child> =>
    start(name, program, parameter, cores.measured, flags)
  const driver = (file: string, parameter: unknown): Promise<Child> =>
    start(`the process opposite ${name}`, file, parameter, cores.driver)
  try {
    return await byKind(row, { measured, driver }, surroundings)
  } finally {
    await Promise.all(processes.map((child) => child.end()))
  }
}

interface Cast {
  readonly measured: (parameter: unknown, flags?: string[]) => Promise<Child>
  readonly driver: (file: string, parameter: unknown) => Promise<Child>
}

async function byKind(row: Row, { measured, driver }: Cast, surroundings: Surroundings): Promise<Measurement> {
  const { tls, competitors } = surroundings
  const seconds = Math.max(surroundings.seconds, row.least ?? 0)
  if (row.job === undefined) {
    const alone = await measured({ part: row.part })
    return { figures: { ...(await alone.request<Speed | ChannelCost>('measure', seconds, 2 * seconds)) }, version: '' }
  }
  const given = (port: number): Assignment => ({ job: row.job as Job, port, tls, competitors })
  if (row.side === 'client') {
    const server = await driver('servers/net', given(0))
    const client = await measured(given((await server.ready).port))
    return withVersion(client, await throughput({ measured: client, driver: server, counter: client }, row, seconds))
  }
  const holds = row.job.work === 'hold'
  const server = await measured(given(0), holds ? ['--expose-gc'] : [])
  const load = await driver('load/main', given((await server.ready).port))
  if (holds) return withVersion(server, await idle(server, load, row.job.connections))
  const pair: Pair = { measured: server, driver: load, counter: load }
  return withVersion(server, await throughput(pair, row, seconds))
}

async function withVersion(child: Child, figures: Figures): Promise<Measurement> {
  return { figures, version: (await child.ready).version }
}

interface Pair {
  readonly measured: Child
  readonly driver: Child
  /** The one of both that counts. */
  readonly counter: Child
}

async function throughput({ measured, driver, counter }: Pair, row: Row, seconds: number): Promise<Figures> {
  const { metric, warmUp = WARM_UP } = row
  const read = (): Promise<[Usage, Usage]> =>
    Promise.all([measured.request<Usage>('usage'), driver.request<Usage>('usage')])
  await delay(seconds * 1000 * warmUp)
  const loopDelay = async (): Promise<LoopDelay | undefined> =>
    metric === 'loopDelayP99' ? measured.request('loopDelay') : undefined
  await counter.request('roundTrips') // those of the warm-up
  await loopDelay()
  const [before, beforeDriver] = await read()
  await delay(seconds * 1000)
  const [after, afterDriver] = await read()
  const roundTrips = await counter.request<RoundTrips | undefined>('roundTrips')
  const delays = await loopDelay()
  await counter.request('check')
  const [first, last] = counter === measured ? [before, after] : [beforeDriver, afterDriver]
  if (first.count === last.count) throw new Error('nothing came back in the time that was measured')
  const perSecond = (1000 * (last.count - first.count)) / (last.time - first.time)
  const cpuShare = shareOf(before, after)
  const shares = { cpuShare, driverCpuShare: shareOf(beforeDriver, afterDriver) }
  return { perCpuSecond: perSecond / cpuShare, perSecond, ...shares, peakRss: after.peakRss, ...roundTrips, ...delays }
}

function shareOf(before: Usage, after: Usage): number {
  return (after.cpu - before.cpu) / (after.time - before.time)
}

async function idle(server: Child, load: Child, connections: number): Promise<Figures> {
  await load.request('hold', FIRST_HELD)
  const before = await server.request<number>('rss')
  await load.request('hold', connections - FIRST_HELD)
  const after = await server.request<number>('rss')
  const { peakRss } = await server.request<Usage>('usage')
  return { bytesPerConnection: (after - before) / (connections - FIRST_HELD), peakRss }
}
