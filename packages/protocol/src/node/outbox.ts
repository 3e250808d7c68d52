// Frames on their way out. Rules:
// - What is sent in one turn leaves in one write: frames are put together in a slab, which is flushed when it is full, at
//   the end of a read, or at the end of the turn, whichever comes first.
// - Frames that many get wait as a run of their batch, in place of a slab. Where others come between they are put together
//   for this connection alone: small ones are copied, one as large as a payload that is lent begins a write of its own.
// - A large payload is not copied: an unmasked one is lent to the transport, a masked one gets memory of its own. One that
//   lies in the receive window is copied too: the next read overwrites it.
// - What many get is not asked about one by one: once it was allowed, it goes on to be until anything else is written, the
//   connection leaves 'open' or output waits. Who changes what it depends on without a write calls `endSharing`.
// - Order is that of the calls. Progress is counted in bytes, so that nothing is kept per frame.

import { Buffer } from 'node:buffer'
import process from 'node:process'
import { WebSocketError } from '../errors.ts'
import { frameHeaderSize, writeFrameHeader } from '../frame/header.ts'
import type { FrameOutput, KeySource } from '../output.ts'
import { Fifo } from './fifo.ts'
import { asBuffer, nodePlatform } from './platform.ts'
import { copy } from './pool.ts'
import type { ConnectionSettings } from './settings.ts'
import { FrameBatch, type SharedFrame } from './shared-frames.ts'
import { beginOf, returnSlab, SLAB_SIZE, takeSlab } from './slab.ts'
import type { Transport, Writer } from './transport/transport.ts'
import { type Flushable, flushAtTurnEnd } from './turn.ts'
import { isBorrowed } from './window.ts'

/** From this size on an unmasked payload is lent to the transport rather than copied into the slab. */
export const LEND_FROM: number = 16 * 1024

/** Up to this size a slab's bytes are copied for a transport that keeps what it is given. */
const COPY_UP_TO = 32 * 1024

/** Told of what happens to the output. */
export interface OutboxOwner {
  /** Bytes have been taken by the operating system. */
  outputProgressed(): void
}

export type OutboxSettings = Pick<ConnectionSettings, 'highWaterMark' | 'maxBackpressure'>

interface Waiting {
  /** The message's last byte, counted from the first that this outbox ever took. */
  readonly until: number
  readonly callback: (error?: Error) => void
}

/** Takes frames, writes them to a transport. */
export class Outbox implements FrameOutput, Writer, Flushable {
  readonly #transport: Transport
  readonly #owner: OutboxOwner
  readonly #settings: OutboxSettings
  #slab: Buffer | undefined
  #fill = 0
  /** A run of shared frames in place of a slab: there is never both. */
  #batch: FrameBatch | undefined
  #runFrom = 0
  #runUntil = 0
  #runSize = 0
  /** Whether shared frames are taken unasked, as long as few bytes wait. */
  #sharing = false
  #sharedUnasked = 0
  #dirty = false
  /** Whether chunks are being read, at whose end the output is flushed. */
  reading = false
  #taken = 0
  /** Of what was taken: given to the transport, and what it held of that when it was last looked at. */
  #handed = 0
  #held = 0
  /** Whether the last write was done when it returned, and is expected to be again. */
  #leaves = false
  /** Whether the transport has held anything since progress was last reported. */
  #wasHeld = false
  /** Whether the owner wants to hear of progress though the transport held nothing. */
  watched = false
  #waiting: Fifo<Waiting> | undefined

  constructor(transport: Transport, owner: OutboxOwner, settings: OutboxSettings) {
    this.#transport = transport
    this.#owner = owner
    this.#settings = settings
  }

  /** A slab is flushed early at the high-water mark, if that is less than its size. */
  #isFull(size: number): boolean {
    return size >= Math.min(SLAB_SIZE, Math.max(this.#settings.highWaterMark, 1))
  }

  /** Bytes taken and not yet with the operating system. */
  get bufferedAmount(): number {
    return this.#fill + this.#runSize + this.#held
  }

  /** Whether nothing that was taken is needed any more: the memory of lent payloads is the caller's again. */
  get settled(): boolean {
    return this.bufferedAmount === 0 && this.#transport.canReuse
  }

  /** Whether the transport holds bytes that the peer does not take. */
  get blocked(): boolean {
    return this.#held > 0
  }

  /** Bytes taken since the beginning. */
  get taken(): number {
    return this.#taken
  }

  /** Bytes handed to the operating system since the beginning. */
  get flushed(): number {
    return this.#handed - this.#held
  }

  /** Changes whenever the operating system takes bytes, within a long write too. */
  get progress(): number {
    return this.flushed - this.#transport.queued
  }

  writeText(first: number, text: string, nextKey: KeySource): void {
    const length = Buffer.byteLength(text)
    const key = nextKey?.()
    const size = frameHeaderSize(length, key !== undefined) + length
    const target = this.#room(size)
    const payload = writeFrameHeader(target, this.#startOf(size), first, length, key)
    target.write(text, payload, length, 'utf8')
    this.#complete(target, payload, length, key)
  }

  writeBinary(first: number, payload: Uint8Array, nextKey: KeySource): void {
    const { length } = payload
    const key = nextKey?.()
    const header = frameHeaderSize(length, key !== undefined)
    if (key === undefined && length >= LEND_FROM && !isBorrowed(payload)) return this.#lend(first, payload, header)
    const target = this.#room(header + length)
    const at = writeFrameHeader(target, this.#startOf(header + length), first, length, key)
    target.set(payload, at)
    this.#complete(target, at, length, key)
  }

  /** How many shared frames were taken by {@link takeShared}. */
  get sharedUnasked(): number {
    return this.#sharedUnasked
  }

  /**
   * Takes a frame that other connections get too, if that needs no asking. A few comparisons in this one object: a
   * broadcast calls it for each connection, and most of what that costs is memory that was not looked at lately.
   * @returns false if whether it may be sent, and how, has to be found out
   */
  takeShared(message: { readonly plain: SharedFrame }): boolean {
    if (!this.#sharing) return false
    const frame = message.plain
    const waiting = this.#fill + this.#runSize + this.#held + frame.bytes.length
    if (waiting > this.#settings.highWaterMark || waiting > this.#settings.maxBackpressure) return false
    this.#sharedUnasked++
    this.#addShared(frame)
    return true
  }

  /**
   * Takes a frame that other connections get too: it is written as it is.
   * @param more whether the next ones may be taken unasked
   */
  writeShared(frame: SharedFrame, more: boolean): void {
    this.#addShared(frame)
    this.#sharing = more
  }

  /** Whether a shared frame may be sent has to be asked again. */
  endSharing(): void {
    this.#sharing = false
  }

  #addShared(frame: SharedFrame): void {
    if (this.#batch === frame.batch && this.#runUntil === frame.index) this.#runUntil++
    else if (this.#slab !== undefined && this.#addToSlab(frame.bytes)) return
    else this.#addToRun(frame)
    this.#taken += frame.bytes.length
    this.#runSize += frame.bytes.length
    if (this.#isFull(this.#runSize)) this.flush()
  }

  /** Adds a frame to what waits, if that can be, or begins a run. */
  #addToRun({ batch, index, bytes }: SharedFrame): void {
    if (this.#batch !== undefined && bytes.length < LEND_FROM) return this.#addApart(this.#batch, bytes)
    this.#makeWay()
    this.#batch = batch
    this.#runFrom = index
    this.#runUntil = index + 1
    this.#flushLater()
  }

  /** Adds a frame that does not follow the run in its batch: from here on the batch is this connection's own. */
  #addApart(batch: FrameBatch, bytes: Buffer): void {
    if (batch.shared) {
      const own = new FrameBatch(false)
      own.add(batch.run(this.#runFrom, this.#runUntil))
      this.#batch = own
      this.#runFrom = 0
      this.#runUntil = 1
    }
    ;(this.#batch as FrameBatch).add(bytes)
    this.#runUntil++
  }

  /** Copies a shared frame behind those that wait in the slab. @returns whether there is room, and it is small */
  #addToSlab(bytes: Buffer): boolean {
    if (bytes.length >= LEND_FROM || this.#fill + bytes.length > SLAB_SIZE) return false
    ;(this.#slab as Buffer).set(bytes, this.#fill)
    this.#fill += bytes.length
    this.#taken += bytes.length
    if (this.#isFull(this.#fill)) this.flush()
    return true
  }

  /** Sees to it that what waits here is flushed within this turn. */
  #flushLater(): void {
    if (this.reading || this.#dirty) return
    this.#dirty = true
    flushAtTurnEnd(this)
  }

  turnEnded(): void {
    this.#dirty = false
    this.flush()
  }

  /** Calls back when everything taken so far has been handed to the operating system, or never will be. */
  onFlushed(callback: (error?: Error) => void): void {
    this.#waiting ??= new Fifo()
    this.#waiting.push({ until: this.#taken, callback })
  }

  /** Writes what lies in the slab, or the run of shared frames. */
  flush(): void {
    if (this.#batch === undefined) this.#flushWith()
    else this.#flushRun(this.#batch)
  }

  /** Flushes until nothing waits: what a stream delivers from within a write may have more sent. */
  #makeWay(): void {
    while (this.#batch !== undefined || this.#slab !== undefined) this.flush()
  }

  #flushRun(batch: FrameBatch): void {
    this.#batch = undefined
    this.#runSize = 0
    this.#write(batch.run(this.#runFrom, this.#runUntil))
  }

  /** Writes what lies in the slab, and a payload lent behind it: nothing may come between a header and its payload. */
  #flushWith(lent?: Buffer): void {
    const slab = this.#slab
    if (slab === undefined) return
    const fill = this.#fill
    // Who keeps what it is given, as TLS does, gets a copy of a little: a new slab for each write costs more.
    const copied = !this.#leaves && fill <= COPY_UP_TO && !this.#transport.canReuse
    const bytes = copied ? copy(slab, 0, fill) : beginOf(slab, fill)
    this.#slab = undefined
    this.#fill = 0
    const left = lent === undefined ? this.#write(bytes) : this.#writeTogether(bytes, lent)
    if (copied || left) returnSlab(slab)
  }

  /** The transport is gone: nothing of what still waits will leave. */
  discard(error: Error | undefined): void {
    if (this.#slab !== undefined) returnSlab(this.#slab)
    this.#slab = undefined
    this.#fill = 0
    this.#batch = undefined
    this.#runSize = 0
    this.#sharing = false
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    const why = error ?? new WebSocketError('NOT_OPEN', 'the connection ended before everything was sent')
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next.callback(why)
  }

  /** Finds room for a frame: in the slab, or in memory of its own if it is larger than that. See {@link #startOf}. */
  #room(size: number): Buffer {
    this.#taken += size
    if (this.#batch !== undefined && this.#runSize + size <= SLAB_SIZE) this.#moveToSlab(this.#batch)
    else if (this.#batch !== undefined || this.#fill + size > SLAB_SIZE) this.#makeWay()
    this.#sharing = false // behind what a stream may have delivered from within that write
    if (size > SLAB_SIZE) return Buffer.allocUnsafeSlow(size)
    if (this.#slab === undefined) {
      this.#slab = takeSlab()
      this.#flushLater()
    }
    this.#fill += size
    return this.#slab
  }

  /** Frames of our own come behind the run. */
  #moveToSlab(batch: FrameBatch): void {
    this.#slab = takeSlab()
    this.#slab.set(batch.run(this.#runFrom, this.#runUntil))
    this.#fill = this.#runSize
    this.#batch = undefined
    this.#runSize = 0
  }

  /** Where in its room a frame of this size begins. */
  #startOf(size: number): number {
    return size > SLAB_SIZE ? 0 : this.#fill - size
  }

  #complete(target: Buffer, payload: number, length: number, key: number | undefined): void {
    if (key !== undefined) nodePlatform.applyMask(target, payload, payload + length, key, 0)
    if (target !== this.#slab) this.#write(target)
    else if (this.#isFull(this.#fill)) this.flush()
  }

  #lend(first: number, payload: Uint8Array, size: number): void {
    writeFrameHeader(this.#room(size), this.#startOf(size), first, payload.length, undefined)
    this.#taken += payload.length
    this.#flushWith(asBuffer(payload))
  }

  /** A transport may deliver from within a write, and what is read may be answered at once. */
  #writeTogether(first: Buffer, second: Buffer): boolean {
    this.#transport.cork()
    this.#write(first)
    this.#write(second)
    this.#transport.uncork()
    this.#held = this.#transport.buffered
    return this.#held === 0 && this.#transport.canReuse
  }

  /** @returns whether its memory may be used again */
  #write(bytes: Buffer): boolean {
    const written = this.#transport.write(bytes, this)
    if (written !== 'refused') this.#handed += bytes.length
    this.#leaves = written === 'left'
    if (this.#leaves) return this.#left()
    this.#held = this.#transport.buffered
    this.#wasHeld ||= this.#held > 0
    return this.#held === 0 && this.#transport.canReuse
  }

  /** A write was complete at once: nothing is held any more. Who waits to hear of it does so as after any other write, later. */
  #left(): true {
    this.#held = 0
    if (this.watched || this.#waiting !== undefined) process.nextTick(wrote, this)
    return true
  }

  /**
   * Most writes are done when they return, and nobody waits to hear of it. After an error, and on a transport that is gone, its
   * end follows and settles what waits.
   */
  wrote(error?: Error | null): void {
    if (!this.#wasHeld && !this.watched && this.#waiting === undefined) return
    if ((error === undefined || error === null) && !this.#transport.destroyed) this.#progress()
  }

  #progress(): void {
    this.#held = this.#transport.buffered
    this.#wasHeld = this.#held > 0
    if (this.#waiting !== undefined) this.#callBack(this.#waiting)
    this.#owner.outputProgressed()
  }

  #callBack(waiting: Fifo<Waiting>): void {
    for (let next = waiting.first; next !== undefined && next.until <= this.flushed; next = waiting.first) {
      waiting.shift()
      next.callback()
    }
  }
}

function wrote(outbox: Outbox): void {
  outbox.wrote()
}
