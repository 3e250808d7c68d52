// The load of `bench`, and what is measured of it. Rules:
// - With a rate, messages are due at even distances, whatever the server does, and a round trip begins when its message
//   was due: a server that stalls is charged for all that had to wait meanwhile, not only for the messages it had (no
//   coordinated omission).
// - Without, each connection has so many messages in flight and sends the next for each that comes back: that measures
//   throughput.
// - An answer counts if it is the next that is due on its connection: the same length, and the number that was written
//   into it.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { WebSocketConnection } from '@ws/client'

export interface LoadOptions {
  /** Bytes. */
  readonly size: number
  /** On each connection; without `rate`. */
  readonly inFlight: number
  /** Messages a second, of all connections together. */
  readonly rate: number | undefined
}

/** Counts of one measurement. */
export interface Counts {
  /** Answers that came while it was measured. */
  messages: number
  /** Messages that are not answers to ours. */
  unexpected: number
  /** Messages that were due and could not be sent, since too many were under way. */
  unsent: number
  /** Messages that no answer came for. */
  unanswered: number
}

/** In ns. */
const now = (): number => performance.now() * 1e6

/** How many messages may be under way on a connection with `rate`. */
const MOST_UNDER_WAY = 1_000
/** How much may wait to leave on a connection, in bytes. */
const FULL = 64 * 1024
/** Timers are that inexact; closer to the time we look at the clock without sleeping. In ms. */
const TIMER_SLACK = 2
const NUMBERED = 4
const LONGEST = 3_600_000_000_000

export class Load {
  readonly counts: Counts = { messages: 0, unexpected: 0, unsent: 0, unanswered: 0 }
  /** Round trips, in ns: of the messages that were due while it was measured. */
  readonly histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: LONGEST, figures: 3 })
  readonly #options: LoadOptions
  readonly #lanes: Lane[] = []
  #from = Number.POSITIVE_INFINITY
  #to = Number.POSITIVE_INFINITY
  #sending = false
  #due = 0
  #next = 0
  #onAnswered: (() => void) | undefined

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** What takes the messages of a new connection. */
  lane(): Lane {
    const lane = new Lane(this.#options.size, (due) => this.#answered(lane, due))
    this.#lanes.push(lane)
    return lane
  }

  /** Begins to send. */
  start(): void {
    this.#sending = true
    this.#due = now()
    if (this.#options.rate !== undefined) return this.#turn(1e9 / this.#options.rate)
    for (const lane of this.#lanes) for (let left = this.#options.inFlight; left > 0; left--) lane.send(now())
  }

  /** From now on it counts. */
  measure(): void {
    this.#from = now()
  }

  /** Stops sending; what is under way may still be answered. @returns how long it was measured, in seconds */
  stop(): number {
    const { rate } = this.#options
    if (rate !== undefined) this.#sendDue(1e9 / rate)
    this.#to = now()
    this.#sending = false
    if (rate !== undefined) this.counts.unsent = Math.max(0, Math.floor(((this.#to - this.#due) * rate) / 1e9))
    return (this.#to - this.#from) / 1e9
  }

  /** Waits for the answers that are missing, but not for ever; in ms. */
  async settled(timeout: number): Promise<void> {
    if (this.#underWay() > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout)
        this.#onAnswered = () => {
          if (this.#underWay() > 0) return
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.counts.unanswered = this.#underWay()
    this.counts.unexpected = this.#lanes.reduce((sum, lane) => sum + lane.unexpected, 0)
  }

  #underWay(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.underWay, 0)
  }

  #answered(lane: Lane, due: number): void {
    const time = now()
    if (due >= this.#from) this.histogram.record(Math.min(LONGEST, Math.max(1, Math.round(time - due))))
    if (time >= this.#from && time <= this.#to) this.counts.messages++
    if (this.#sending && this.#options.rate === undefined) lane.send(now())
    this.#onAnswered?.()
  }

  /** Sends what is due, one connection after the other. While one has too much under way all wait: what is due is late. */
  #turn(distance: number): void {
    if (!this.#sending) return
    this.#sendDue(distance)
    const left = (this.#due - now()) / 1e6
    if (left > TIMER_SLACK) setTimeout(() => this.#turn(distance), left - TIMER_SLACK)
    else setImmediate(() => this.#turn(distance))
  }

  #sendDue(distance: number): void {
    while (this.#due <= now() && this.#sendNext(this.#due)) this.#due += distance
  }

  #sendNext(due: number): boolean {
    const lane = this.#lanes[this.#next] as Lane
    if (lane.underWay >= MOST_UNDER_WAY || lane.isFull) return false
    this.#next = (this.#next + 1) % this.#lanes.length
    lane.send(due)
    return true
  }
}

/** The messages of one connection. */
export class Lane {
  unexpected = 0
  /** Set once it is open. */
  connection: WebSocketConnection | undefined
  /** When each message that is under way was due. */
  readonly #due: number[] = []
  readonly #payload: Buffer
  readonly #answered: (due: number) => void
  #sent = 0
  #received = 0

  constructor(size: number, answered: (due: number) => void) {
    this.#payload = Buffer.alloc(size)
    this.#answered = answered
  }

  get underWay(): number {
    return this.#due.length
  }

  get isFull(): boolean {
    return (this.connection?.bufferedAmount ?? 0) > FULL
  }

  send(due: number): void {
    this.#number(this.#sent++)
    this.#due.push(due)
    this.connection?.send(this.#payload, { copy: true })
  }

  take(data: string | Uint8Array): void {
    const answer = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    this.#number(this.#received)
    if (this.#due.length === 0 || !this.#payload.equals(answer)) {
      this.unexpected++
      return
    }
    this.#received++
    this.#answered(this.#due.shift() as number)
  }

  #number(value: number): void {
    if (this.#payload.length >= NUMBERED) this.#payload.writeUInt32BE(value >>> 0)
  }
}
