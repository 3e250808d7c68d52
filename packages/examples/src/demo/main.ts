// The demo's entry: the command line in, the exit code out. Rules: what a user can set right is told in one line, without a
// stack; the first Ctrl-C ends the run in good order, the second at once (the children then end because we are gone).

import { type DemoOptions, HELP, parseCommand } from './args.ts'
import { run } from './run.ts'

const OK = 0
const FAILED = 1
const WRONG_ARGUMENT = 2
const INTERRUPTED = 130

/** A terminal sends one Ctrl-C to us, and what started us may send it on a moment later; in ms. */
const SAME_CTRL_C = 500

// Whoever reads our output may have seen enough: `pnpm demo --watch | head`.
process.stdout.on('error', () => process.exit(OK))

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const command = parseCommand(args)
  if (command.kind === 'run') return runUntilInterrupted(command.options)
  if (command.kind === 'help') process.stdout.write(HELP)
  else process.stderr.write(`${command.message} (see --help)\n`)
  return command.kind === 'help' ? OK : WRONG_ARGUMENT
}

async function runUntilInterrupted(options: DemoOptions): Promise<number> {
  const interrupted = new AbortController()
  let first = 0
  const interrupt = (): void => {
    first ||= performance.now()
    if (performance.now() - first > SAME_CTRL_C) process.exit(INTERRUPTED)
    interrupted.abort()
  }
  const exitCode = (): number => (interrupted.signal.aborted && !options.watch ? INTERRUPTED : OK)
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    if (!(await run(options, interrupted.signal))) return FAILED
  } catch (error) {
    // A process that was interrupted while it started could not do its part.
    if (interrupted.signal.aborted) return exitCode()
    process.stderr.write(`${explain(error as NodeJS.ErrnoException, options.port)}\n`)
    return FAILED
  }
  return exitCode()
}

function explain({ code, message }: NodeJS.ErrnoException, port: number): string {
  if (code === 'EADDRINUSE') return `port ${port} is taken: choose another with --port`
  if (code === 'EACCES') return `port ${port} needs rights that this user has not: choose another with --port`
  return message
}
