// `connect URL`: standard input out as messages, messages to the standard output. Rules: whichever end closes, what has
// come is printed before the program ends; the exit code says how it ended.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectOptions, WebSocketError } from '@ws/client'
import { EXIT, type ExitCode, exitCodeOf, exitCodeOfClose, Failure } from './exit.ts'
import { tellError } from './explain.ts'
import { Input } from './input.ts'
import { Output } from './output.ts'
import { keepPinging, PONG_TIMEOUT } from './ping.ts'
import { Printer, type PrinterOptions } from './printer.ts'
import { ReconnectingSession } from './reconnecting-session.ts'
import { type End, openSession, type Session, type SessionEvents } from './session.ts'
import { Signals } from './signals.ts'
import { type TargetOptions, targetOptions, withoutCredentials } from './target.ts'
import { Status, type StatusOptions } from './terminal.ts'

export interface ConnectCommandOptions extends StatusOptions, PrinterOptions, TargetOptions {
  /** Seconds; true is {@link PING}. */
  readonly ping?: number | true | undefined
  readonly reconnect?: boolean | undefined
  /** Seconds. */
  readonly wait: number
}

const PING = 10
const NORMAL = 1000

export async function connectCommand(url: string, options: ConnectCommandOptions): Promise<ExitCode> {
  return new Connect(options).run(url)
}

class Connect {
  readonly #options: ConnectCommandOptions
  readonly #status: Status
  readonly #output = new Output()
  readonly #printer: Printer
  readonly #attempt = new AbortController()
  readonly #signals: Signals
  #session: Session | undefined
  #input: Input | undefined
  /** Set if we wanted it to end. */
  #endedBy: ExitCode | undefined
  #failed: ExitCode | undefined

  constructor(options: ConnectCommandOptions) {
    this.#options = options
    this.#status = new Status(options)
    this.#printer = new Printer(this.#output, this.#status, options)
    this.#signals = new Signals((exitCode) => this.#end(exitCode))
  }

  async run(url: string): Promise<ExitCode> {
    this.#output.gone.then(
      () => this.#end(EXIT.ok),
      (error) => this.#fail(error),
    )
    try {
      this.#session = await this.#open(url)
    } catch (error) {
      return this.#endedBy ?? this.#tell(error)
    }
    void this.#forward(this.#session)
    const end = await this.#session.ended
    this.#input?.stop()
    return this.#finish(end)
  }

  #open(url: string): Promise<Session> | Session {
    const { ping, reconnect } = this.#options
    const given: ConnectOptions = { ...targetOptions(this.#options, this.#status), signal: this.#attempt.signal }
    const events: SessionEvents = {
      message: (data) => this.#printer.message(data),
      open: (opened, connection) => {
        const { protocol, extensions } = connection
        const where = withoutCredentials(opened)
        this.#status.info(`connected to ${where}${protocol === '' ? '' : `, subprotocol ${protocol}`}`)
        this.#printer.event('open', { url: where, protocol, extensions })
        if (ping !== undefined) void keepPinging(connection, ping === true ? PING : ping, (ms) => this.#pong(ms))
      },
      reconnecting: (attempt, delay, why) => {
        this.#status.info(`${why}; attempt ${attempt} in ${(delay / 1000).toFixed(1)} s`)
        this.#printer.event('reconnecting', { attempt, delay: Math.round(delay), reason: why })
      },
    }
    return reconnect ? new ReconnectingSession(url, given, events) : openSession(url, given, events)
  }

  async #forward(session: Session): Promise<void> {
    const { binary, wait } = this.#options
    this.#input = new Input({ binary, status: this.#status, onInterrupt: this.#signals.interrupt })
    try {
      await this.#input.deliver((message) => session.send(message))
      if (wait === Number.POSITIVE_INFINITY) return
      if (wait > 0) await this.#stay(session, wait * 1000)
    } catch (error) {
      this.#fail(error)
    }
    session.close(NORMAL)
  }

  /** For answers. The time begins when the server has read all that was sent, and does not pass while our own reader holds answers up. */
  async #stay({ connection }: Session, milliseconds: number): Promise<void> {
    await connection?.ping(undefined, { signal: AbortSignal.timeout(PONG_TIMEOUT) }).catch(() => {})
    do {
      await this.#output.room
      await sleep(milliseconds)
    } while (this.#output.room !== undefined)
  }

  #pong(milliseconds: number): void {
    this.#status.info(`pong after ${milliseconds.toFixed(1)} ms`)
    this.#printer.event('pong', { ms: milliseconds })
  }

  /** By us: before it is open there is nothing to be polite to. */
  #close(): void {
    if (this.#session === undefined) this.#attempt.abort()
    else this.#session.close(NORMAL)
  }

  #end(exitCode: ExitCode): void {
    this.#endedBy ??= exitCode
    this.#close()
  }

  #fail(error: unknown): void {
    this.#failed ??= this.#tell(error)
    this.#close()
  }

  #tell(error: unknown): ExitCode {
    const { code, message } = error as Partial<NodeJS.ErrnoException>
    this.#printer.event('error', { code, message })
    tellError(this.#status, error)
    return exitCodeOf(error)
  }

  async #finish(end: End): Promise<ExitCode> {
    const exitCode = this.#told(end)
    await this.#output.flushed()
    return this.#failed ?? this.#endedBy ?? exitCode
  }

  #told({ error, ...close }: End): ExitCode {
    if (close.code === undefined) return this.#endedBy ?? this.#tell(error)
    const { code, reason } = close
    const exitCode = exitCodeOfClose(close)
    this.#printer.event('close', { ...close, cause: (error as WebSocketError | undefined)?.code })
    const words = `closed with ${code}${reason === '' ? '' : `: ${reason}`}`
    if (exitCode === EXIT.lost) tellError(this.#status, error ?? new Failure(words))
    else if (exitCode === EXIT.ok) this.#status.info(words)
    else this.#status.error(words)
    return exitCode
  }
}
