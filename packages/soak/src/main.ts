// `pnpm soak`: reads the command line, runs, and says what came of it. `--help` says what there is.

import { HELP, parseCommand } from './args.ts'
import { type SoakOptions, soak } from './run.ts'
import { judge } from './verdict.ts'

const FAILED = 1
const WRONG = 2

const command = parseCommand(process.argv.slice(2), Date.now() % 2 ** 31)
if (command.kind === 'help') {
  process.stdout.write(HELP)
} else if (command.kind === 'wrong') {
  console.error(`soak: ${command.message}`)
  process.exitCode = WRONG
} else {
  await run(command.options)
}

async function run(options: SoakOptions): Promise<void> {
  const { minutes, seed, connections } = options
  console.log(`${minutes} minutes, ${connections} clients at a time, seed ${seed}`)
  const { report, broken } = await soak(options, (line) => console.log(line))
  const { passed, lines } = judge(report, broken)
  for (const line of lines) console.log(line)
  if (!passed) process.exitCode = FAILED
}
