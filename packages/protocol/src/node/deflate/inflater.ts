// Inflating at once: one engine for each size of window, for all connections. Rules:
// - Between messages it may belong to anybody: it is reset, and given the window of the messages before as stored blocks, unless
//   it still stands where the last message of the same connection ended.
// - It never runs asynchronously, and is replaced after an error.
// - It works up to a bound; what would be longer is given up, and inflated apart from the beginning.

import { Buffer } from 'node:buffer'
import { constants, createInflateRaw, type InflateRaw } from 'node:zlib'
import type { DeflateFault } from '../../deflate/compression.ts'
import { endsWell, MOST_STREAMS, PROBE } from '../../deflate/message-end.ts'
import type { Window } from '../../deflate/window.ts'
import { ZlibHandle } from './handle.ts'

const KIB = 1024
export const LARGEST_WINDOW_BITS = 15
/** Distances are checked against the window at the start of a piece of output only (STANDARDS O16). */
const SMALL_PIECE: number = 16 * KIB
const PIECE: number = 64 * KIB

/** In what pieces output is made with a window of 2^`bits`: the same at once and apart, so that the verdicts are the same. */
export function pieceFor(bits: number): number {
  return bits === LARGEST_WINDOW_BITS ? PIECE : SMALL_PIECE
}

const BYTE = 0xff

/** The head of a stored block of so many bytes (RFC 1951 §3.2.4): not the last block, LEN, NLEN. */
export function storedHead(length: number): number[] {
  return [0, length & BYTE, length >> 8, ~length & BYTE, (~length >> 8) & BYTE]
}

/** More room than there is input: whatever a probe gives shows. */
const SPARE = 64

/** What comes out; grows to the largest bound that is asked for. */
let scratch: Buffer = Buffer.alloc(0)
/** Where a window goes that is only fed. */
let spilled: Uint8Array = new Uint8Array(0)
const storedHeader: Uint8Array = new Uint8Array(5)

export class Inflater {
  readonly #bits: number
  #stream: InflateRaw | undefined
  #handle: ZlibHandle | undefined
  /** Whose message came last, and where its window stood then. */
  #window: Window | undefined
  #total = 0

  constructor(bits: number) {
    this.#bits = bits
  }

  /**
   * Inflates a message.
   * @returns the message, in bytes that hold until the next call of any inflater, or which rule it breaks; `undefined` if more
   * than `bound` bytes come out, or if nothing can be done at once here
   */
  inflate(payload: Uint8Array, window: Window, limit: number, bound: number): Uint8Array | DeflateFault | undefined {
    const handle = this.#begin(window)
    if (handle === undefined) return undefined
    if (scratch.length < bound + SPARE) scratch = Buffer.allocUnsafeSlow(bound + SPARE)
    const size = this.#run(handle, payload, window, limit, bound)
    if (typeof size !== 'number') return size
    const message = scratch.subarray(0, size)
    window.add(message)
    this.#total = window.total
    return message
  }

  /** Forgets a window: its connection is over. */
  forget(window: Window): void {
    if (this.#window === window) this.#window = undefined
  }

  close(): void {
    this.#stream?.close()
    this.#stream = this.#handle = this.#window = undefined
  }

  /** @returns how much came out */
  #run(
    handle: ZlibHandle,
    payload: Uint8Array,
    window: Window,
    limit: number,
    bound: number,
  ): number | DeflateFault | undefined {
    const piece = pieceFor(this.#bits)
    let read = 0
    let size = 0
    for (let streams = 1; streams <= MOST_STREAMS; streams++) {
      do {
        if (size === bound) return undefined
        const room = Math.min(piece, bound - size)
        if (!handle.run(constants.Z_SYNC_FLUSH, payload, read, payload.length, scratch, size, room)) return this.#fail()
        read = payload.length - handle.unread
        size += room - handle.room
        if (size > limit) return 'MESSAGE_TOO_BIG'
      } while (handle.room === 0)
      if (read === payload.length) return this.#end(handle, window, size)
      handle.reset()
      this.#feed(handle, window.parts, scratch.subarray(0, size))
    }
    return 'INVALID_DEFLATE'
  }

  #end(handle: ZlibHandle, window: Window, size: number): number | DeflateFault {
    if (!handle.run(constants.Z_BLOCK, PROBE, 0, PROBE.length, scratch, size, SPARE)) return this.#fail()
    if (!endsWell(handle.unread, SPARE - handle.room)) return 'INVALID_DEFLATE'
    // Behind a final block there is no going on.
    if (handle.unread < PROBE.length && window.kept) this.#window = window
    return size
  }

  /** The engine, standing where a message of this window's begins. */
  #begin(window: Window): ZlibHandle | undefined {
    const stands = this.#window === window && this.#total === window.total
    this.#window = undefined
    const handle = this.#handle ?? this.#open()
    if (handle === undefined || stands) return handle
    handle.reset()
    if (window.total > 0) this.#feed(handle, window.parts)
    return handle
  }

  #open(): ZlibHandle | undefined {
    this.#stream = createInflateRaw({ windowBits: this.#bits }).on('error', () => {}) // `run` tells
    this.#handle = ZlibHandle.of(this.#stream)
    if (this.#handle === undefined) this.close()
    return this.#handle
  }

  #fail(): 'INVALID_DEFLATE' {
    this.close()
    return 'INVALID_DEFLATE'
  }

  /** Fills the engine's window, as stored blocks (RFC 1951 §3.2.4), with the end of what went before. */
  #feed(handle: ZlibHandle, parts: readonly Uint8Array[], last: Uint8Array = new Uint8Array(0)): void {
    let left = 2 ** this.#bits
    const fed: Uint8Array[] = []
    for (const part of [last, ...[...parts].reverse()]) {
      const end = part.subarray(Math.max(part.length - left, 0))
      if (end.length > 0) fed.unshift(end)
      left -= end.length
    }
    if (spilled.length < 2 ** this.#bits) spilled = new Uint8Array(2 ** this.#bits)
    for (const bytes of fed) {
      const { length } = bytes
      storedHeader.set(storedHead(length))
      handle.run(constants.Z_SYNC_FLUSH, storedHeader, 0, storedHeader.length, spilled, 0, spilled.length)
      handle.run(constants.Z_SYNC_FLUSH, bytes, 0, length, spilled, 0, spilled.length)
    }
  }
}
