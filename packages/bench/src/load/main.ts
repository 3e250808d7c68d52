// The load generator, a process of its own: prepared bytes out, counted bytes in.

import type { Assignment, Work } from '../job.ts'
import { assignment, fail, run, usage } from '../process/program.ts'
import { alive } from './alive.ts'
import { bomb } from './bomb.ts'
import { connectAndReset, hold } from './connect.ts'
import { echo } from './echo.ts'
import type { Load } from './load.ts'
import { paced } from './paced.ts'
import { broadcast, receive } from './receive.ts'

type Start = (assignment: Assignment, onFailure: (error: unknown) => void) => Promise<Load>

const LOADS: Readonly<Record<Work, Start>> = {
  echo,
  paced,
  broadcast,
  publish: broadcast,
  connect: connectAndReset,
  hold,
  alive,
  burst: receive,
  bomb,
}

await run(async () => {
  const given = assignment()
  const load = await LOADS[given.job.work](given, fail)
  return {
    commands: {
      usage: () => usage(load.count()),
      roundTrips: () => load.roundTrips?.(),
      hold: (connections) => load.hold?.(connections),
      check: () => load.check?.(),
    },
  }
})
