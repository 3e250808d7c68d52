// The program's side of the tie to its processes. Rules: a process that is gone rejects what was asked of it; whatever it writes to
// its standard error output is a fault, Node's warnings of leaks included.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Answer, RELEASE, type Request } from './child.ts'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
/** That counting objects is experimental is no fault of the server. */
const FLAGS = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--conditions=@ws/source', '--import', TSX]

/** How long a process has to end once it may, in ms. */
const GRACE = 5_000

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class Process {
  readonly name: string
  /** What it said when it was ready. */
  readonly ready: Promise<unknown>
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #closed: Promise<unknown>
  #errors = ''
  #exit: string | undefined
  #count = 0
  #released = false

  constructor(name: string, program: URL, parameters: readonly string[]) {
    this.name = name
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const
    this.#process = fork(program, parameters, { execArgv: FLAGS, stdio: [...stdio] })
    this.#process.on('message', ({ id, value }: Answer) => this.#take(id, value))
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.#closed = once(this.#process, 'close').then(([code, signal]) => this.#close(code, signal))
    this.ready = this.#answer(0)
  }

  /** Has a command carried out. Rejects if the process is gone. */
  async ask<Value>(command: string): Promise<Value> {
    const id = ++this.#count
    const answer = this.#answer(id)
    this.#send(id, command)
    return (await answer) as Value
  }

  /** Has the process end, and waits for it. @returns what was wrong with it, if anything */
  async release(): Promise<string | undefined> {
    this.#released = true
    this.#send(0, RELEASE)
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), GRACE)
    await this.#closed
    clearTimeout(timer)
    const errors = this.#errors === '' ? '' : `it wrote:\n${this.#errors.trimEnd()}`
    const faults = [this.#exit, errors].filter((text) => text !== undefined && text !== '')
    return faults.length === 0 ? undefined : `the process of ${this.name}: ${faults.join('; ')}`
  }

  #send(id: number, command: string): void {
    if (this.#process.connected)
      this.#process.send({ id, command } satisfies Request, () => {}) // if it fails, 'close' comes
    else if (this.#exit !== undefined) this.#reject()
  }

  #answer(id: number): Promise<unknown> {
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    answer.catch(() => {}) // who awaits it hears of it
    return answer
  }

  #take(id: number, value: unknown): void {
    this.#waiting.get(id)?.resolve(value)
    this.#waiting.delete(id)
  }

  #close(code: number | null, signal: NodeJS.Signals | null): void {
    if (!this.#released || code !== 0) this.#exit = `it ended with ${signal ?? `exit code ${code}`}`
    this.#reject()
  }

  #reject(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(`the process of ${this.name} is gone`))
    this.#waiting.clear()
  }
}
