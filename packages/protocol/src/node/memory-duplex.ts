// Two streams in memory, each reading what the other writes: a connection without a network. Rules: bytes arrive in a later
// tick, never from within a write, and no timer is used, so that fake clocks do not stop it; a write is done when the other
// side asks for more, so backpressure is that of a socket; the end of one side, orderly or not, reaches the other.

import process from 'node:process'
import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

class MemoryEnd extends Duplex {
  other!: MemoryEnd
  /** A write that the other side has not asked for yet. */
  #waiting: Done | undefined

  override _read(): void {
    this.other.#settle()
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Done): void {
    this.#waiting = callback
    process.nextTick(() => {
      if (!this.other.destroyed) this.other.push(chunk)
      else this.#settle(brokenPipe())
    })
  }

  override _final(callback: Done): void {
    this.#endOther()
    callback()
  }

  override _destroy(error: Error | null, callback: Done): void {
    this.#settle(brokenPipe())
    this.other.#settle(brokenPipe())
    if (!this.writableFinished) this.#endOther()
    callback(error)
  }

  #settle(error?: Error): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(error)
  }

  #endOther(): void {
    process.nextTick(() => {
      if (!this.other.destroyed && !this.other.readableEnded) this.other.push(null)
    })
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
}

/** Makes two connected streams; each end can be half-closed, as the sockets of an HTTP server. */
export function memoryPair(): [Duplex, Duplex] {
  const first = new MemoryEnd({ allowHalfOpen: true })
  const second = new MemoryEnd({ allowHalfOpen: true })
  first.other = second
  second.other = first
  return [first, second]
}
