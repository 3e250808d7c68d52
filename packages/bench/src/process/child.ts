// The benchmark's side of a process. Rules: a process is started, asked and ended by its handle; every wait has an end, be it
// the answer, the death of the process or a time limit, and an error says what the process had written.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Ready, Report } from './messages.ts'

/** How long a process may take until it works, and for an answer past the time that it needs, in ms. */
const START_TIMEOUT = 60_000
const ANSWER_TIMEOUT = 30_000
/** How much of what a process writes is kept for an error's message. */
const KEPT_OUTPUT = 2000

/** A process said that it cannot do this here. */
export class Unable extends Error {}

export interface ChildOptions {
  /** What it is called in messages. */
  readonly name: string
  /** The module to run. */
  readonly program: string
  /** Goes to the program as JSON. */
  readonly parameter: unknown
  /** The core to run on; undefined for any. */
  readonly core: number | undefined
  /** Flags for Node. */
  readonly flags?: readonly string[]
}

export class Child {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (value: unknown) => void>()
  readonly #ready: Promise<Ready>
  #becomeReady!: (ready: Ready) => void
  readonly #broken: Promise<never>
  #break!: (error: Error) => void
  #output = ''
  #requests = 0

  private constructor({ name, program, parameter, core, flags = [] }: ChildOptions) {
    this.#name = name
    const node = [process.execPath, ...flags, program, JSON.stringify(parameter)]
    const [command = '', ...rest] = core === undefined ? node : ['taskset', '-c', String(core), ...node]
    this.#process = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#ready = new Promise((resolve) => {
      this.#becomeReady = resolve
    })
    this.#broken = new Promise((_, reject) => {
      this.#break = reject
    })
    this.#broken.catch(() => {}) // whoever waits for something sees it
    this.#listen()
  }

  /** Starts a process; resolves once it works. @throws Unable if it cannot do this here */
  static async start(options: ChildOptions): Promise<Child> {
    const child = new Child(options)
    try {
      await child.#within(START_TIMEOUT, 'to be ready', child.#ready)
      return child
    } catch (error) {
      await child.end()
      throw error
    }
  }

  get ready(): Promise<Ready> {
    return this.#ready
  }

  /** Asks the process for something that takes about so many seconds. */
  request<Value>(command: string, parameter = 0, seconds = 0): Promise<Value> {
    const id = ++this.#requests
    const answer = new Promise<Value>((resolve) => {
      this.#waiting.set(id, resolve as (value: unknown) => void)
    })
    if (this.#process.connected) this.#process.send({ id, command, parameter }, () => {}) // else it is broken already
    return this.#within(ANSWER_TIMEOUT + seconds * 1000, `to answer ${command}`, answer)
  }

  /** Ends the process at once and waits until it is gone. */
  async end(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }

  #listen(): void {
    this.#process.on('message', (report) => this.#receive(report as Report))
    this.#process.on('error', (error) => this.#fail(error.message))
    this.#process.on('close', (code, signal) => this.#fail(`ended by itself (${signal ?? `exit code ${code}`})`))
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT)
      })
    }
  }

  #receive(report: Report): void {
    if (report.kind === 'ready') return this.#becomeReady(report)
    if (report.kind === 'unable') return this.#break(new Unable(report.reason))
    if (report.kind === 'failed') return this.#fail(report.reason)
    this.#waiting.get(report.id)?.(report.value)
    this.#waiting.delete(report.id)
  }

  #fail(reason: string): void {
    const output = this.#output.trim()
    this.#break(new Error(`${this.#name}: ${reason}${output === '' ? '' : `; it wrote: ${output}`}`))
  }

  async #within<Value>(ms: number, what: string, value: Promise<Value>): Promise<Value> {
    const done = new AbortController()
    const late = delay(ms, undefined, { signal: done.signal }).then(() => {
      throw new Error(`${this.#name} took more than ${ms / 1000} s ${what}`)
    })
    late.catch(() => {})
    try {
      return await Promise.race([value, this.#broken, late])
    } finally {
      done.abort()
    }
  }
}
