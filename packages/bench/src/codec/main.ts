// Runs one case of the codec, in a process of its own: what one case teaches the compiler must not slow down another.

import { Bench } from 'tinybench'
import type { CodecAssignment, Speed } from '../job.ts'
import { run } from '../process/program.ts'
import { CASES } from './cases.ts'

await run(async () => {
  const { part } = JSON.parse(process.argv[2] ?? '') as CodecAssignment
  const make = CASES[part]
  if (make === undefined) throw new Error(`there is no case ${part}`)
  const { operations, run: operate } = make()
  const measure = async (seconds: number): Promise<Speed> => {
    const bench = new Bench({ time: seconds * 1000, warmupTime: seconds * 500, iterations: 1, warmupIterations: 1 })
    bench.add(part, operate)
    const [task] = await bench.run()
    const result = task?.result
    if (result?.state !== 'completed') throw new Error(`the case ended as ${result?.state}`)
    return { perSecond: (operations * 1000) / result.latency.p50 }
  }
  return { commands: { measure } }
})
