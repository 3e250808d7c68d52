// The fuzzer: kept inputs first, then mutations of them and of those that gave a verdict not seen before. Rules: a seed repeats a run
// of as many inputs; an input that takes longer than the watchdog allows is a failure, so that nothing hangs unseen; a
// failure comes with the smallest input found that fails too.

import { createContext, Script } from 'node:vm'
import { pick, type Random, seeded } from '@ws/testkit'
import { readCorpus } from './corpus.ts'
import { mutate } from './random.ts'
import type { Target } from './target.ts'

export interface Failure {
  readonly target: string
  readonly input: Uint8Array
  readonly shown: string
  readonly message: string
}

/** Generous: an input takes some 100 µs, a machine under load a hundred times that. */
const WATCHDOG_MS = 10_000

const context = createContext({ task: () => {} })
const guarded = new Script('task()')

/** Runs `task`; throws if it does not come back. @returns what it gives */
export function watched<T>(task: () => T, timeout: number = WATCHDOG_MS): T {
  let result: T | undefined
  context.task = () => {
    result = task()
  }
  guarded.runInContext(context, { timeout })
  return result as T
}

/** What is wrong with an input; `undefined` if nothing is. */
export function faultOf(target: Target, input: Uint8Array, timeout?: number): string | undefined {
  try {
    watched(() => target.judge(Uint8Array.from(input)), timeout)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error || (error as Error | undefined)?.message !== undefined
    ? (error as Error).message
    : String(error)
}

/** Takes away pieces, halves first, then ever smaller ones, as long as it fails. */
export function minimise(input: Uint8Array, fails: (input: Uint8Array) => boolean): Uint8Array {
  let least = input
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < least.length; ) {
      const shorter = Uint8Array.from([...least.subarray(0, at), ...least.subarray(at + size)])
      if (fails(shorter)) least = shorter
      else at += size
    }
  }
  return least
}

/** How many inputs run under one watchdog. */
const BATCH = 100
/** Inputs that gave new verdicts and are mutated further. */
const MOST_POOLED = 2000

/** Fuzzes one target. */
export class Fuzzer {
  readonly #target: Target
  readonly #random: Random
  readonly #pool: Uint8Array[]
  readonly #begin: number
  readonly verdicts: Map<string, number> = new Map<string, number>()
  runs = 0
  failure: Failure | undefined
  #input: Uint8Array = new Uint8Array(0)

  constructor(target: Target, seed: number) {
    this.#target = target
    this.#random = seeded(seed)
    const prepare = target.prepare ?? ((kept: Uint8Array) => kept)
    this.#pool = [...readCorpus(target.corpus).map(({ bytes }) => prepare(bytes)), ...(target.seeds ?? [])]
    this.#begin = this.#pool.length
  }

  /** Runs some inputs. @returns whether all held */
  batch(size: number = BATCH): boolean {
    try {
      watched(() => {
        for (let count = 0; count < size; count++) this.#once()
      })
    } catch (error) {
      this.failure = this.#failed(messageOf(error))
    }
    return this.failure === undefined
  }

  #once(): void {
    const pool = this.#pool
    this.#input = this.runs < this.#begin ? (pool[this.runs] as Uint8Array) : this.#mutated()
    this.runs++
    const verdict = this.#target.judge(Uint8Array.from(this.#input))
    const seen = this.verdicts.get(verdict) ?? 0
    this.verdicts.set(verdict, seen + 1)
    if (seen < 3 && pool.length < MOST_POOLED) pool.push(this.#input)
  }

  #mutated(): Uint8Array {
    const [input, other] = [pick(this.#random, this.#pool), pick(this.#random, this.#pool)]
    return mutate(this.#random, input, other, this.#target.words)
  }

  #failed(message: string): Failure {
    const fails = (input: Uint8Array): boolean => faultOf(this.#target, input, 1000) !== undefined
    const input = fails(this.#input) ? minimise(this.#input, fails) : this.#input
    const shown = this.#target.show(input)
    return { target: this.#target.name, input, shown, message: faultOf(this.#target, input, 1000) ?? message }
  }
}
