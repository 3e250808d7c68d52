// Buffers over memory that is there. `subarray` asks the engine for the memory of the view that it is called on, and then for
// the class of the result, which takes longer than all the rest of a small message's way.

import { Buffer } from 'node:buffer'

type BufferOver = new (memory: ArrayBufferLike, at: number, size: number) => Buffer

/** The class whose instances are Buffers. */
const BufferOver = (Buffer as unknown as { readonly [Symbol.species]: BufferOver })[Symbol.species]

/** A Buffer of `size` bytes over `memory` from `at` on. */
export function view(memory: ArrayBufferLike, at: number, size: number): Buffer {
  return new BufferOver(memory, at, size)
}
