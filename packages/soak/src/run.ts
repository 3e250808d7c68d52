// One soak: a server in one process, the crowd in another. The crowd comes twice: for the first minute, and for the rest of the time.
// After each time everybody goes, and the server's memory is measured. In the end it must have kept its promises and leave nothing.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Memory } from './memory.ts'
import type { Tally } from './peers/crowd.ts'
import { Process } from './process.ts'
import type { Ended, Quiet } from './server/serve.ts'

export interface SoakOptions {
  readonly minutes: number
  readonly seed: number
  /** How many clients there are at a time. */
  readonly connections: number
  /** The server's program, if not ours. */
  readonly server?: URL
}

/** What came of it. */
export interface Report {
  readonly tally: Tally
  /** After the first minute and at the end; both while nobody was there. */
  readonly memory: readonly [before: Memory, after: Memory]
  readonly server: Ended
  /** What was left: connections, handles, timers. */
  readonly left: readonly string[]
}

const SERVER = new URL('server/main.ts', import.meta.url)
const PEERS = new URL('peers/main.ts', import.meta.url)
const MINUTE = 60_000
/** Of a run that is too short for a minute before the rest. */
const SHORT_PART = 1 / 3
const PROGRESS_INTERVAL = 10_000

/**
 * Runs a soak.
 * @param print gets a line now and then
 * @returns what came of it, and what was wrong with the processes; without a report they did not come to the end
 */
export async function soak(
  options: SoakOptions,
  print: (line: string) => void,
): Promise<{ report: Report | undefined; broken: string[] }> {
  const server = new Process('the server', options.server ?? SERVER, [])
  const processes = [server]
  const broken: string[] = []
  let report: Report | undefined
  try {
    const port = await server.ready
    const peers = new Process('the clients', PEERS, [port, options.seed, options.connections].map(String))
    processes.push(peers)
    await peers.ready
    report = await run(options, server, peers, print)
  } catch (error) {
    broken.push((error as Error).message)
  }
  for (const process of processes) {
    const fault = await process.release()
    if (fault !== undefined) broken.push(fault)
  }
  return { report, broken }
}

async function run({ minutes }: SoakOptions, server: Process, peers: Process, print: (line: string) => void) {
  const whole = minutes * MINUTE
  const first = Math.min(MINUTE, whole * SHORT_PART)
  const begin = performance.now()
  const tell = async (): Promise<void> => {
    const { present, visits, kept, faultCount, longestTurn } = await peers.ask<Tally>('tally')
    const seconds = Math.round((performance.now() - begin) / 1000)
    print(
      `${seconds} s: ${present} clients (late by ${longestTurn} ms), ${visits} visits, ${kept} messages, ${faultCount} faults`,
    )
  }
  const before = await phase(first, server, peers, tell)
  const after = await phase(whole - first, server, peers, tell)
  const tally = await peers.ask<Tally>('tally')
  const clients = await peers.ask<string[]>('end')
  const ended = await server.ask<Ended>('end')
  const left = [
    ...before.left.map((what) => `${what} after the first minute`),
    ...after.left,
    ...ended.left,
    ...clients.map((what) => `${what} of the clients`),
  ]
  return { tally, memory: [before.memory, after.memory] as const, server: ended, left }
}

/** Lets the crowd come, for a while, and go. */
async function phase(duration: number, server: Process, peers: Process, tell: () => Promise<void>): Promise<Quiet> {
  await peers.ask('begin')
  for (let left = duration; left > 0; left -= PROGRESS_INTERVAL) {
    await sleep(Math.min(left, PROGRESS_INTERVAL))
    await tell()
  }
  await peers.ask('finish')
  return await server.ask<Quiet>('quiet')
}
