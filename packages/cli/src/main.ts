#!/usr/bin/env node
// The program's entry: the command line in, the exit code out. Rule: what a user can set right is told in words, without
// a stack.

import { CommanderError } from 'commander'
import { COMPLETE, candidates } from './completion.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { makeProgram } from './program.ts'

process.exit(await main(process.argv.slice(2)))

async function main(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const program = makeProgram((code) => {
    exitCode = code
  })
  if (args[0] === COMPLETE) {
    const lines = candidates(program, args.slice(2)).map(({ word, description }) => `${word}\t${description}\n`)
    process.stdout.write(lines.join(''))
    return EXIT.ok
  }
  for (const command of [program, ...program.commands]) command.exitOverride().showHelpAfterError('(see --help)')
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  return exitCode
}
