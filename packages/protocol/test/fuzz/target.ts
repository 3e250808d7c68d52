// What the fuzzer asks of its targets.

import { isDeepStrictEqual } from 'node:util'

export interface Target {
  readonly name: string
  /** The folder of its kept inputs. */
  readonly corpus: string
  /** Makes an input of a kept one. */
  readonly prepare?: (kept: Uint8Array) => Uint8Array
  /** Inputs beside the kept ones that are made rather than written down. */
  readonly seeds?: readonly Uint8Array[]
  /** Pieces that its inputs are made of. */
  readonly words: readonly Uint8Array[]
  /** @returns the verdict, in a few words; throws when a rule is broken */
  readonly judge: (input: Uint8Array) => string
  /** The input for readers. */
  readonly show: (input: Uint8Array) => string
}

/** @throws when what is seen differs from what is expected */
export function same(what: string, seen: unknown, expected: unknown): void {
  if (isDeepStrictEqual(seen, expected)) return
  throw new Error(`${what}: expected ${JSON.stringify(expected)}; got ${JSON.stringify(seen)}`)
}
