// Runs the program as a user does: as a process. Rules: what is waited for is a line or the exit, never a time; a program
// that a test leaves running is ended with it.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { PROGRAM } from './bundle.ts'

const PACKAGE = join(import.meta.dirname, '../..')
const COMMAND: readonly string[] = [process.execPath, PROGRAM]

export interface ProgramOptions {
  /** What it reads; without, its standard input stays open. */
  readonly input?: string | Uint8Array
  readonly env?: NodeJS.ProcessEnv
  /** A file in place of a pipe for its standard output. */
  readonly stdout?: string
}

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A running program. */
export class Program {
  readonly process: ChildProcessWithoutNullStreams
  readonly ended: Promise<Result>
  readonly #progress = new EventEmitter()
  readonly #stdout: Buffer[] = []
  #stderr = ''
  #over = false

  constructor([command, ...words]: readonly string[], { input, env = {}, stdout }: ProgramOptions = {}) {
    // Nothing of this run's own: not its colours (where there is CI, Node sees none), not its coverage.
    const { CI, FORCE_COLOR, NO_COLOR, NODE_V8_COVERAGE, ...rest } = process.env
    const file = stdout === undefined ? undefined : openSync(stdout, 'w')
    const stdio = ['pipe', file ?? 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe']
    this.process = spawn(command as string, words, { cwd: PACKAGE, env: { ...rest, ...env }, stdio })
    if (file !== undefined) closeSync(file)
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout.push(chunk)
      this.#progress.emit('progress')
    })
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#progress.emit('progress')
    })
    this.process.stdin.on('error', () => {}) // it may end before it has read everything
    if (input !== undefined) this.process.stdin.end(input)
    this.ended = once(this.process, 'close').then(([code]) => {
      this.#over = true
      this.#progress.emit('progress')
      return { code, stdout: this.stdout, stderr: this.#stderr }
    })
    onTestFinished(async () => {
      this.process.kill('SIGKILL')
      await this.ended
    })
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#stdout)
  }

  get stdout(): string {
    return this.bytes.toString()
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Waits for output on either stream that matches; rejects if the program ends without. */
  async printed(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const found = pattern.exec(this.stdout) ?? pattern.exec(this.#stderr)
      if (found !== null) return found
      if (this.#over) throw new Error(`no ${pattern} in:\n${this.stdout}${this.#stderr}`)
      await once(this.#progress, 'progress')
    }
  }
}

/** Starts it. */
export function start(args: readonly string[], options?: ProgramOptions): Program {
  return new Program([...COMMAND, ...args], options)
}

/** Runs it to its end. */
export function run(args: readonly string[], options: ProgramOptions = { input: '' }): Promise<Result> {
  return start(args, options).ended
}

/** Starts it on a terminal of its own (`script` of util-linux). Its output is what the terminal would show. */
export function startOnTerminal(args: readonly string[], options: ProgramOptions = {}): Program {
  const command = [...COMMAND, ...args].map((word) => `'${word}'`).join(' ')
  const env = { TERM: 'xterm', SHELL: '/bin/sh', ...options.env }
  return new Program(['script', '-qefc', command, '/dev/null'], { ...options, env })
}
