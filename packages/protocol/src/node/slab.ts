// Memory in which the frames of one turn are put together. Rules: a slab belongs to one outbox at a time; it comes back
// only when nothing below still reads it; at most a few are kept.

import { Buffer } from 'node:buffer'
import { view } from './view.ts'

/** The size of a slab, in bytes; output of one turn beyond it leaves in several writes. */
export const SLAB_SIZE: number = 128 * 1024
/** How many free slabs are kept: one connection uses one at a time, and only while it has output. */
const KEPT = 16

const free: Buffer[] = []

export function takeSlab(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(SLAB_SIZE)
}

/** Gives a slab back that no write reads any more. */
export function returnSlab(slab: Buffer): void {
  if (free.length < KEPT) free.push(slab)
}

let shown: Buffer = Buffer.alloc(0)
let shownOf: Buffer | undefined

/** The first bytes of a slab. The same ones of the same slab are one object: where replies are alike, each would be a new one. */
export function beginOf(slab: Buffer, size: number): Buffer {
  if (slab === shownOf && size === shown.length) return shown
  shown = view(slab.buffer, 0, size)
  shownOf = slab
  return shown
}
