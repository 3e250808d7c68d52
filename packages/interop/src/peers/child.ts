// A peer in a process of its own, spoken to in lines of JSON. Rules: each request has a number and each answer names it; a
// process that is gone rejects what still waits, with what it wrote to its standard error output.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Report } from '../plan.ts'

interface Answer {
  readonly answers: number
  readonly result?: unknown
  readonly error?: string
}

/** What a process says without being asked: how a connection of one of its servers ended. */
interface Ended {
  readonly ended: string
  readonly report: Report
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

export class Child {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #closed: Promise<unknown>
  readonly #onEnded: (id: string, report: Report) => void
  #errors = ''
  #gone = false
  #count = 0

  constructor(
    command: string,
    parameters: readonly string[],
    env: NodeJS.ProcessEnv,
    onEnded: (id: string, report: Report) => void = () => {},
  ) {
    this.#onEnded = onEnded
    this.#process = spawn(command, parameters, { env: { ...process.env, ...env }, stdio: 'pipe' })
    const { stdin, stdout, stderr } = this.#process
    stdin?.on('error', () => {}) // the process is gone, which 'close' tells
    if (stdout) createInterface(stdout).on('line', (line) => this.#receive(JSON.parse(line)))
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.#process.on('error', (error) => {
      this.#errors += error.message
    })
    this.#closed = once(this.#process, 'close').then(() => this.#rejectAll())
  }

  /** Asks for something; rejects if the process fails at it. */
  request<Result>(message: object): Promise<Result> {
    if (this.#gone) return Promise.reject(this.#fault())
    const number = ++this.#count
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(number, { resolve, reject }))
    this.#process.stdin?.write(`${JSON.stringify({ ...message, number })}\n`)
    return answered as Promise<Result>
  }

  /** Kills the process and waits for its end. */
  async dispose(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#closed
  }

  #receive(message: Answer | Ended): void {
    if ('ended' in message) return this.#onEnded(message.ended, message.report)
    const waiting = this.#waiting.get(message.answers)
    this.#waiting.delete(message.answers)
    if (message.error === undefined) waiting?.resolve(message.result)
    else waiting?.reject(new Error(message.error))
  }

  #rejectAll(): void {
    this.#gone = true
    for (const { reject } of this.#waiting.values()) reject(this.#fault())
    this.#waiting.clear()
  }

  #fault(): Error {
    return new Error(`the peer is gone: ${this.#errors}`)
  }
}
