// What comes on a stream of HTTP/2 while it is paused: at most its window, but Node keeps it as it came, each DATA frame as a view
// that holds all that was read from the session with it. A peer could have each byte of a window hold 64 KiB. Here it is put together in
// memory of its own, and given to the stream when that flows again.

import { Buffer } from 'node:buffer'
import { type Duplex, Readable } from 'node:stream'

const HELD: unique symbol = Symbol('held')

interface Held {
  bytes: Buffer
  size: number
}

type Holding = Duplex & { [HELD]?: Held | undefined }

const { push } = Readable.prototype

/** Sees to it for a stream; once is enough. */
export function holdTogether(stream: Duplex): void {
  if (HELD in stream) return
  const holding: Holding = stream
  holding[HELD] = undefined
  holding.push = hold
  holding.on('resume', release)
}

/** In place of `push`, which Node calls with what has come, and with null at its end. */
function hold(this: Holding, chunk: unknown): boolean {
  if (chunk === null) release.call(this)
  if (!(chunk instanceof Uint8Array) || this.readableFlowing !== false) return push.call(this, chunk)
  const held = this[HELD]
  if (held === undefined) this[HELD] = { bytes: Buffer.from(chunk), size: chunk.length }
  else add(held, chunk)
  return false
}

function release(this: Holding): void {
  const held = this[HELD]
  this[HELD] = undefined
  if (held !== undefined) push.call(this, held.bytes.subarray(0, held.size))
}

function add(held: Held, chunk: Uint8Array): void {
  const size = held.size + chunk.length
  if (size > held.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * held.size))
    larger.set(held.bytes.subarray(0, held.size))
    held.bytes = larger
  }
  held.bytes.set(chunk, held.size)
  held.size = size
}
