// The parent's side of a child process. Rules: what a child reports is a promise, so it does not matter who listens when;
// a child that is gone without its report rejects them; whatever else it writes is passed on with its name in front.

import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createInterface } from 'node:readline'
import { type Arrived, type Ended, type Opened, type Report, STOP } from './messages.ts'
import { complain } from './print.ts'

/** How long a process has to end by itself once its work is done, in ms. */
const GRACE = 5_000

interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that is a client of the server. */
export class Child extends EventEmitter<{ arrived: [Arrived] }> {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #opened = new Deferred<Opened>()
  readonly #ended = new Deferred<Ended>()
  readonly #gone: Promise<Exit>

  /** Runs a module as a process, with the flags of this one. */
  constructor(name: string, module: URL, ...parameters: string[]) {
    super()
    this.#name = name
    this.#process = fork(module, parameters, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#process.on('message', (message) => this.#receive(message as Report))
    for (const output of [this.#process.stdout, this.#process.stderr]) {
      if (output !== null) createInterface(output).on('line', (line) => complain(name, line))
    }
    this.#gone = this.#watchEnd()
  }

  /** Its connection is open. */
  get opened(): Promise<Opened> {
    return this.#opened.promise
  }

  /** Its connection is over. */
  get ended(): Promise<Ended> {
    return this.#ended.promise
  }

  /** Asks it to come to its end in good order. */
  stop(): void {
    if (this.#process.connected) this.#process.send(STOP, () => {}) // if it is gone meanwhile, all the better
  }

  /**
   * Resolves when the process is over; ends it after a while, if it does not end by itself.
   * @returns how it ended, if not in good order
   */
  async finish(): Promise<string | undefined> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), GRACE)
    const { code, signal } = await this.#gone
    clearTimeout(timer)
    return code === 0 ? undefined : `${this.#name}: its process ended with ${signal ?? `exit code ${code}`}`
  }

  #receive(report: Report): void {
    if (report.kind === 'opened') this.#opened.resolve(report)
    else if (report.kind === 'ended') this.#ended.resolve(report)
    else if (report.kind === 'arrived') this.emit('arrived', report)
    else this.#fail(report.message)
  }

  #fail(message: string): void {
    const error = new Error(`${this.#name}: ${message}`)
    this.#opened.reject(error)
    this.#ended.reject(error)
  }

  /** Reports still come in until the channel is closed, even if the process has ended. */
  #watchEnd(): Promise<Exit> {
    return new Promise((resolve) => {
      const end = (how: string, exit: Exit): void => {
        this.#fail(how)
        resolve(exit)
      }
      this.#process.on('error', (error) => end(error.message, { code: null, signal: null })) // it did not even start
      this.#process.on('close', (code, signal) => {
        const how = `its process ended too early (${signal ?? `exit code ${code}`})`
        if (this.#process.connected) this.#process.once('disconnect', () => end(how, { code, signal }))
        else end(how, { code, signal })
      })
    })
  }
}

/** A promise that is settled from outside. That it may be rejected before anybody waits for it is no unhandled rejection. */
class Deferred<Value> {
  resolve!: (value: Value) => void
  reject!: (error: Error) => void
  readonly promise: Promise<Value> = new Promise((resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })

  constructor() {
    this.promise.catch(() => {})
  }
}
