// A process's side of the tie to the benchmark. Rules: a program says that it works, cannot, or failed; then it answers
// requests until the benchmark ends it; without the benchmark it ends itself, so none is left behind.

import type { Assignment, Usage } from '../job.ts'
import type { Report, Request } from './messages.ts'

/** What a program does on request. */
export type Commands = Record<string, (parameter: number) => unknown>

/** What a program was given to do. */
export function assignment(): Assignment {
  return JSON.parse(process.argv[2] ?? '') as Assignment
}

/** Runs a program: `begin` starts the work and yields what it answers from then on. */
export async function run(begin: () => Promise<Begun>): Promise<void> {
  process.on('disconnect', () => process.exit(1))
  process.on('uncaughtException', (error) => fail(error))
  process.on('unhandledRejection', (error) => fail(error))
  try {
    const { port = 0, version = '', commands } = await begin()
    process.on('message', (message) => void answer(commands, message as Request))
    tell({ kind: 'ready', port, version })
  } catch (error) {
    fail(error)
  }
}

/** A program that works. */
export interface Begun {
  readonly port?: number
  readonly version?: string
  readonly commands: Commands
}

/** The reason why a program cannot do here what it is for: no fault, and nothing to try again. */
export class Unavailable extends Error {}

/** Says what went wrong; the benchmark then ends this process. */
export function fail(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  tell({ kind: error instanceof Unavailable ? 'unable' : 'failed', reason })
}

/** What this process has used so far. */
export function usage(count = 0): Usage {
  const { user, system } = process.cpuUsage()
  const peakRss = process.resourceUsage().maxRSS * 1024
  return { time: performance.now(), cpu: (user + system) / 1000, count, peakRss }
}

async function answer(commands: Commands, { id, command, parameter }: Request): Promise<void> {
  try {
    tell({ kind: 'answer', id, value: await commands[command]?.(parameter) })
  } catch (error) {
    fail(error)
  }
}

function tell(report: Report): void {
  process.send?.(report, undefined, undefined, () => {}) // if nobody listens any more, `disconnect` ends this process
}
