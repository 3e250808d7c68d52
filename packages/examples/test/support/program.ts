// Runs the programs of this package as a user does: as processes, from the repository's root. Rules: what is waited for is a
// line or the exit, never a time; a program that a test leaves running is ended with it, in its own process group.

import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const ROOT = join(import.meta.dirname, '../../../..')

/** How a program ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running program. */
export class Program {
  readonly exit: Promise<Exit>
  readonly #process: ChildProcess
  readonly #progress = new EventEmitter()
  #ended = false
  #output = ''
  #errors = ''

  /** @param command of package.json, as written there */
  constructor(command: string, cwd: string, args: readonly string[]) {
    const [, ...words] = command.split(' ') // 'node' is the Node that runs the tests
    // A process group of its own is what a terminal gives it: Ctrl-C reaches the children too.
    this.#process = spawn(process.execPath, [...words, ...args], { cwd, detached: true })
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
      this.#progress.emit('progress')
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.exit = once(this.#process, 'close').then(([code, signal]) => {
      this.#ended = true
      this.#progress.emit('progress')
      return { code, signal }
    })
    onTestFinished(async () => {
      this.#signal('SIGKILL')
      await this.exit
    })
  }

  /** What it has printed so far. */
  get lines(): string[] {
    return this.#output.split('\n').slice(0, -1)
  }

  /** What it has printed to the standard error output so far. */
  get errors(): string {
    return this.#errors
  }

  /** Waits for output that matches; rejects if the program ends without. */
  async printed(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const found = this.#output.match(pattern)
      if (found !== null) return found
      if (this.#ended) throw new Error(`no ${pattern} in:\n${this.#output}${this.#errors}`)
      await once(this.#progress, 'progress')
    }
  }

  /** Does what Ctrl-C in a terminal does. */
  interrupt(): void {
    this.#signal('SIGINT')
  }

  /** Does what a process manager does. */
  terminate(): void {
    this.#signal('SIGTERM')
  }

  /** Does what an administrator does who wants programs to begin anew. */
  hangUp(): void {
    this.#signal('SIGHUP')
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** The command `pnpm demo`. */
export function startDemo(...args: readonly string[]): Program {
  return start(ROOT, 'demo', args)
}

/** A script of this package. */
export function startExample(name: string, ...args: readonly string[]): Program {
  return start(join(ROOT, 'packages/examples'), name, args)
}

function start(folder: string, script: string, args: readonly string[]): Program {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  return new Program(scripts[script] ?? '', folder, args)
}
