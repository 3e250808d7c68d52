// Frames on their way out. Rules:
// - What is sent in one turn leaves in one write: frames are put together in a slab, which is flushed when it is full, at
//   the end of a read, or at the end of the turn, whichever comes first.
// - A large payload is not copied: an unmasked one is lent to the transport, a masked one gets memory of its own.
// - Order is that of the calls. Progress is counted in bytes, so that nothing is kept per frame.

import { frameHeaderSize, writeFrameHeader } from '../frame/header.ts'
import type { FrameOutput, KeySource } from '../output.ts'
import { Fifo } from './fifo.ts'
import { asBuffer, nodePlatform } from './platform.ts'
import { returnSlab, SLAB_SIZE, takeSlab } from './slab.ts'
import type { Transport } from './transport/transport.ts'

/** From this size on an unmasked payload is lent to the transport rather than copied into the slab. */
export const LEND_FROM: number = 16 * 1024

/** Told of what happens to the output. */
export interface OutboxOwner {
  /** Bytes lie in the slab that wait for {@link Outbox.flush}: see to it within this turn. */
  outputPending(): void
  /** Bytes have been taken by the operating system. */
  outputProgressed(): void
}

interface Waiting {
  /** The message's last byte, counted from the first that this outbox ever took. */
  readonly until: number
  readonly callback: (error?: Error) => void
}

/** Takes frames, writes them to a transport. */
export class Outbox implements FrameOutput {
  readonly #transport: Transport
  readonly #owner: OutboxOwner
  readonly #flushAt: number
  #slab: Buffer | undefined
  #fill = 0
  #taken = 0
  #flushed = 0
  #waiting: Fifo<Waiting> | undefined

  /** @param highWaterMark a slab is flushed early at this many bytes, if that is less than its size */
  constructor(transport: Transport, owner: OutboxOwner, highWaterMark: number) {
    this.#transport = transport
    this.#owner = owner
    this.#flushAt = Math.min(SLAB_SIZE, Math.max(highWaterMark, 1))
  }

  /** Bytes taken and not yet with the operating system. */
  get bufferedAmount(): number {
    return this.#fill + this.#transport.buffered
  }

  /** Whether the transport holds bytes that the peer does not take. */
  get blocked(): boolean {
    return this.#transport.buffered > 0
  }

  /** Bytes taken since the beginning. */
  get taken(): number {
    return this.#taken
  }

  /** Bytes handed to the operating system since the beginning. */
  get flushed(): number {
    return this.#flushed
  }

  /** Changes whenever the operating system takes bytes, within a long write too. */
  get progress(): number {
    return this.#flushed - this.#transport.queued
  }

  writeText(first: number, text: string, nextKey: KeySource): void {
    const length = Buffer.byteLength(text)
    const key = nextKey?.()
    const size = frameHeaderSize(length, key !== undefined)
    const { target, start } = this.#room(size + length)
    const payload = writeFrameHeader(target, start, first, length, key)
    target.write(text, payload, length, 'utf8')
    this.#complete(target, payload, length, key)
  }

  writeBinary(first: number, payload: Uint8Array, nextKey: KeySource): void {
    const { length } = payload
    const key = nextKey?.()
    const size = frameHeaderSize(length, key !== undefined)
    if (key === undefined && length >= LEND_FROM) return this.#lend(first, payload, size)
    const { target, start } = this.#room(size + length)
    const at = writeFrameHeader(target, start, first, length, key)
    target.set(payload, at)
    this.#complete(target, at, length, key)
  }

  /** Calls back when everything taken so far has been handed to the operating system, or never will be. */
  onFlushed(callback: (error?: Error) => void): void {
    this.#waiting ??= new Fifo()
    this.#waiting.push({ until: this.#taken, callback })
  }

  /** Writes what lies in the slab. */
  flush(): void {
    this.#flushWith()
  }

  /** Writes what lies in the slab, and a payload lent behind it: nothing may come between a header and its payload. */
  #flushWith(lent?: Buffer): void {
    const slab = this.#slab
    if (slab === undefined) return
    const bytes = slab.subarray(0, this.#fill)
    this.#slab = undefined
    this.#fill = 0
    if (lent === undefined) this.#write(bytes)
    else this.#writeTogether(bytes, lent)
    if (this.#transport.canReuse && this.#transport.buffered === 0) returnSlab(slab)
  }

  /** The transport is gone: nothing of what still waits will leave. */
  discard(error: Error): void {
    if (this.#slab !== undefined) returnSlab(this.#slab)
    this.#slab = undefined
    this.#fill = 0
    const waiting = this.#waiting
    this.#waiting = undefined
    for (let next = waiting?.shift(); next !== undefined; next = waiting?.shift()) next.callback(error)
  }

  /** Finds room for a frame: in the slab, or in memory of its own if it is larger than that. */
  #room(size: number): { target: Buffer; start: number } {
    this.#taken += size
    if (this.#fill + size > SLAB_SIZE) this.flush()
    if (size > SLAB_SIZE) return { target: Buffer.allocUnsafeSlow(size), start: 0 }
    if (this.#slab === undefined) {
      this.#slab = takeSlab()
      this.#owner.outputPending()
    }
    const start = this.#fill
    this.#fill += size
    return { target: this.#slab, start }
  }

  #complete(target: Buffer, payload: number, length: number, key: number | undefined): void {
    if (key !== undefined) nodePlatform.applyMask(target, payload, payload + length, key, 0)
    if (target !== this.#slab) this.#write(target)
    else if (this.#fill >= this.#flushAt) this.flush()
  }

  #lend(first: number, payload: Uint8Array, size: number): void {
    const { target, start } = this.#room(size)
    writeFrameHeader(target, start, first, payload.length, undefined)
    this.#taken += payload.length
    this.#flushWith(asBuffer(payload))
  }

  /** A transport may deliver from within a write, and what is read may be answered at once. */
  #writeTogether(first: Buffer, second: Buffer): void {
    this.#transport.cork()
    this.#write(first)
    this.#write(second)
    this.#transport.uncork()
  }

  #write(bytes: Buffer): void {
    this.#transport.write(bytes, (error) => {
      // After an error, and on a transport that is gone, its end follows and settles what waits.
      if ((error === undefined || error === null) && !this.#transport.destroyed) this.#progress(bytes.length)
    })
  }

  #progress(bytes: number): void {
    this.#flushed += bytes
    const waiting = this.#waiting
    for (let next = waiting?.first; next !== undefined && next.until <= this.#flushed; next = waiting?.first) {
      waiting?.shift()
      next.callback()
    }
    this.#owner.outputProgressed()
  }
}
