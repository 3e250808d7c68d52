// All visitors at once: so many places, and whenever one goes, the next of its list comes in its place, unless this process is so
// busy that even well-behaved clients would come to look like stalled ones.

import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '@ws/testkit'
import { type Kind, type Visit, visitsOf } from '../plan.ts'
import { badRequest, catalogueCase } from './cases.ts'
import { guest } from './guest.ts'
import { Lag } from './lag.ts'
import { Leave } from './leave.ts'
import { rawGuest } from './raw-guest.ts'
import {
  bomb,
  floods,
  garbage,
  halfHandshake,
  halfMessage,
  ignoresClose,
  leaves,
  oversize,
  resets,
  silent,
  stalls,
} from './rude.ts'
import type { Visitor } from './visitor.ts'

const VISITORS: Readonly<Record<Kind, Visitor>> = {
  guest,
  'raw guest': rawGuest,
  case: catalogueCase,
  'bad request': badRequest,
  leaves,
  resets,
  garbage,
  'half a handshake': halfHandshake,
  silent,
  'half a message': halfMessage,
  floods,
  stalls,
  oversize,
  bomb,
  'ignores close': ignoresClose,
}

/** What the crowd has seen so far. */
export interface Tally {
  readonly present: number
  readonly visits: number
  readonly guests: number
  /** Promises to guests that were kept. */
  readonly kept: number
  readonly faultCount: number
  /** The first of them. */
  readonly faults: readonly string[]
  /** How long a turn of this process took at most since the last look, in ms. */
  readonly longestTurn: number
}

const SHOWN_FAULTS = 20
/** They do not all come at the same moment. */
const LONGEST_WAY = 2_000
const PATIENCE = 90_000
/** By how much a timer of this process may be late, in ms, before fewer come. */
const MOST_LAG = 100

export class Crowd {
  readonly #port: number
  readonly #places: { readonly visits: Generator<Visit>; readonly number: number }[]
  readonly #faults: string[] = []
  readonly #lag = new Lag()
  #leave = new Leave()
  #done: Promise<unknown> = Promise.resolve()
  #present = 0
  #visits = 0
  #guests = 0
  #kept = 0
  #faultCount = 0

  constructor(port: number, seed: number, size: number) {
    this.#port = port
    this.#places = Array.from({ length: size }, (_, number) => ({ visits: visitsOf(seed, number), number }))
  }

  /** Lets them come. */
  begin(): void {
    this.#leave = new Leave()
    this.#lag.watch()
    this.#done = Promise.all(this.#places.map((place) => this.#fill(place.visits, place.number)))
  }

  /** Lets everybody come to an end, and waits for them; not for ever for those who do not come home. */
  async finish(): Promise<void> {
    this.#leave.call()
    await Promise.race([this.#done, sleep(PATIENCE, undefined, { ref: false })])
    this.#lag.unwatch()
  }

  tally(): Tally {
    return {
      present: this.#present,
      visits: this.#visits,
      guests: this.#guests,
      kept: this.#kept,
      faultCount: this.#faultCount,
      faults: this.#faults,
      longestTurn: Math.round(this.#lag.takeLongest()),
    }
  }

  async #fill(visits: Generator<Visit>, place: number): Promise<void> {
    await this.#leave.pause(seeded(place)(LONGEST_WAY))
    while (!this.#leave.called) {
      if (this.#lag.ms > MOST_LAG) await this.#leave.pause(seeded(place)(LONGEST_WAY))
      else await this.#receive(visits.next().value)
    }
  }

  async #receive({ kind, seed }: Visit): Promise<void> {
    this.#visits++
    this.#present++
    const timer = setTimeout(() => this.#fault(`a ${kind} (seed ${seed}) does not come home`), PATIENCE)
    try {
      const visitor = VISITORS[kind]
      const { faults, kept } = await visitor({ port: this.#port, random: seeded(seed), leave: this.#leave })
      if (kept !== undefined) this.#guests++
      this.#kept += kept ?? 0
      for (const fault of faults) this.#fault(`a ${kind} (seed ${seed}): ${fault}`)
    } catch (error) {
      this.#fault(`a ${kind} (seed ${seed}): ${(error as Error).message}`)
    }
    clearTimeout(timer)
    this.#present--
  }

  #fault(text: string): void {
    this.#faultCount++
    if (this.#faults.length < SHOWN_FAULTS) this.#faults.push(text)
  }
}
