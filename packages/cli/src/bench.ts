// `bench URL`: how many messages a second an echo server answers, and how fast. Rule: what is printed says how it was
// measured, and what is missing from it.

import readline from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CloseInfo, type ConnectOptions, connect, type WebSocketConnection } from '@ws/client'
import { EXIT, type ExitCode, exitCodeOf, Failure } from './exit.ts'
import { tellError } from './explain.ts'
import { Load, type LoadOptions } from './load.ts'
import { Output } from './output.ts'
import { Signals } from './signals.ts'
import { type TargetOptions, targetOptions, withoutCredentials } from './target.ts'
import { coloursOf, Status, type StatusOptions } from './terminal.ts'

export interface BenchOptions extends StatusOptions, TargetOptions, LoadOptions {
  readonly connections: number
  /** Seconds. */
  readonly duration: number
  /** Seconds. */
  readonly warmup: number
  readonly json?: boolean | undefined
}

/** What was measured. Round trips in ms. */
interface Results {
  readonly url: string
  readonly connections: number
  readonly size: number
  readonly inFlight?: number
  readonly rate?: number
  readonly seconds: number
  readonly messages: number
  readonly messagesPerSecond: number
  readonly latency: Readonly<Record<string, number>>
  readonly unsent: number
  readonly unanswered: number
  readonly unexpected: number
}

/** How many handshakes may be under way. */
const AT_ONCE = 50
/** How long answers are waited for at the end, in ms. */
const LATE = 5_000
const PROGRESS = 500
const NS_PER_MS = 1e6
/** What may wait on a connection before it is cut off (docs/limits.md, `maxBackpressure`). */
const MOST_UNDER_WAY = 16 * 1024 * 1024
const PERCENTILES = [50, 90, 99, 99.9]

export async function benchCommand(url: string, options: BenchOptions): Promise<ExitCode> {
  return new Bench(url, options).run()
}

class Bench {
  readonly #url: string
  readonly #options: BenchOptions
  readonly #status: Status
  readonly #output = new Output()
  readonly #load: Load
  readonly #connections: WebSocketConnection[] = []
  /** Of connecting, then of measuring: ends it before its time. */
  #stage = new AbortController()
  #interrupted: ExitCode | undefined
  #lost: Failure | undefined
  #seconds = 0

  constructor(url: string, options: BenchOptions) {
    this.#url = url
    this.#options = options
    this.#status = new Status(options)
    this.#load = new Load(options)
    new Signals((exitCode) => {
      this.#interrupted = exitCode
      this.#stage.abort()
    })
  }

  async run(): Promise<ExitCode> {
    try {
      checkInFlight(this.#options)
      await this.#dial()
      await this.#measure()
      if (this.#load.counts.messages === 0 && this.#interrupted === undefined)
        throw new Failure('no message came back as it was sent: is it an echo server?')
      if (this.#seconds > 0) await this.#report()
    } catch (error) {
      if (this.#interrupted === undefined) {
        tellError(this.#status, error)
        return exitCodeOf(error)
      }
    } finally {
      await Promise.all(this.#connections.map((connection) => connection.close(1000)))
    }
    return this.#interrupted ?? EXIT.ok
  }

  /** In batches, and not one after the other as the RFC has it (§4.1): it is a benchmark's business to be many. */
  async #dial(): Promise<void> {
    const given: ConnectOptions = {
      ...targetOptions(this.#options, this.#status),
      perMessageDeflate: false,
      serialize: false,
      signal: this.#stage.signal,
    }
    const { connections } = this.#options
    while (this.#connections.length < connections) {
      const batch = Math.min(AT_ONCE, connections - this.#connections.length)
      const dialled = await Promise.allSettled(Array.from({ length: batch }, () => this.#open(given)))
      const failed = dialled.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }

  async #open(given: ConnectOptions): Promise<void> {
    const lane = this.#load.lane()
    lane.connection = await connect(this.#url, given, {
      message: (_, data) => lane.take(data),
      close: (_, info) => this.#closed(info),
    })
    this.#connections.push(lane.connection)
  }

  #closed({ code, reason, initiator }: CloseInfo): void {
    if (initiator === 'local') return
    this.#lost ??= new Failure(`the server ended a connection: ${code}${reason === '' ? '' : ` ${reason}`}`, EXIT.lost)
    this.#stage.abort()
  }

  async #measure(): Promise<void> {
    const { duration, warmup } = this.#options
    this.#stage = new AbortController()
    this.#load.start()
    const progress = this.#progress()
    try {
      await this.#pass(warmup)
      this.#load.measure()
      await this.#pass(duration)
      this.#seconds = this.#load.stop()
    } finally {
      progress()
    }
    if (this.#lost !== undefined) throw this.#lost
    await this.#load.settled(LATE)
  }

  #pass(seconds: number): Promise<void> {
    const { signal } = this.#stage
    return sleep(seconds * 1000, undefined, { signal }).catch((error) => {
      if (!signal.aborted) throw error
    })
  }

  /** Shows on a terminal how it goes. @returns what ends that */
  #progress(): () => void {
    if (process.stderr.isTTY !== true || this.#options.quiet) return () => {}
    let before = 0
    const timer = setInterval(() => {
      const { messages } = this.#load.counts
      const rate = ((messages - before) * 1000) / PROGRESS
      before = messages
      erase()
      const p99 = inMs(this.#load.histogram.percentile(99))
      process.stderr.write(messages === 0 ? 'warming up …' : `${rate.toFixed(0)} messages/s, p99 ${p99} ms`)
    }, PROGRESS)
    return () => {
      clearInterval(timer)
      erase()
    }
  }

  async #report(): Promise<void> {
    const results = this.#results()
    const colours = coloursOf(process.stdout, this.#options.color !== false)
    void this.#output.write(this.#options.json ? `${JSON.stringify(results)}\n` : table(results, colours.bold))
    await this.#output.flushed()
  }

  #results(): Results {
    const { connections, size, inFlight, rate } = this.#options
    const { counts, histogram } = this.#load
    const seconds = Number(this.#seconds.toFixed(3))
    const percentiles = PERCENTILES.map((percentile) => [`p${percentile}`, inMs(histogram.percentile(percentile))])
    return {
      url: withoutCredentials(this.#url),
      connections,
      size,
      ...(rate === undefined ? { inFlight } : { rate }),
      seconds,
      messagesPerSecond: Math.round(counts.messages / seconds),
      latency: {
        min: inMs(histogram.min),
        mean: inMs(histogram.mean),
        ...Object.fromEntries(percentiles),
        max: inMs(histogram.max),
      },
      ...counts,
    }
  }
}

/** More would be cut off as too slow by our own limit. */
function checkInFlight({ rate, inFlight, size }: BenchOptions): void {
  if (rate !== undefined || inFlight * size <= MOST_UNDER_WAY) return
  throw new Failure(`expected --in-flight × --size of at most 16 MiB; got ${inFlight} × ${size} bytes`, EXIT.usage)
}

/** With three digits after the point: that is what the histogram can tell of a millisecond. */
function inMs(nanoseconds: number): number {
  return Number((nanoseconds / NS_PER_MS).toFixed(3))
}

function erase(): void {
  readline.cursorTo(process.stderr, 0)
  readline.clearLine(process.stderr, 0)
}

function table({ latency, ...results }: Results, bold: (text: string) => string): string {
  const { connections, size, inFlight, rate, seconds, messagesPerSecond } = results
  const load = rate === undefined ? `${inFlight} in flight on each` : `${rate} messages/s in all`
  const rows = Object.entries(latency).map(([name, value]) => `  ${name.padEnd(6)}${value.toFixed(3).padStart(12)}`)
  const missing = (['unsent', 'unanswered', 'unexpected'] as const)
    .filter((name) => results[name] > 0)
    .map((name) => `${results[name]} ${MISSING[name]}`)
  return `${[
    `${connections} connections, ${size} bytes, ${load}, ${seconds} s`,
    '',
    `${bold(String(messagesPerSecond))} messages/s`,
    'round trip in ms',
    ...rows,
    ...missing,
  ].join('\n')}\n`
}

const MISSING = {
  unsent: 'messages were due and could not be sent: that load is too much',
  unanswered: 'messages were not answered',
  unexpected: 'messages came that were no answers',
} as const
