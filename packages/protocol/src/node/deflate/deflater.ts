// Compressing messages with one engine of zlib. Rules:
// - With context takeover the engine is one connection's, and what it remembers is what the peer has: after a message that is not
//   sent compressed it is reset. A reset is always right: then it refers to nothing that was sent before.
// - Without, it is reset before each message, and may be anybody's: one that is shared never runs asynchronously, one that does has one
//   job at a time (`Spares`).
// - One run at a time; after an error the next begins with a new engine.

import { Buffer } from 'node:buffer'
import { constants, createDeflateRaw, type DeflateRaw, deflateRawSync } from 'node:zlib'
import { largestCompressed } from '../../deflate/compression.ts'
import { FLUSH_SIZE } from '../../deflate/message-end.ts'
import { copy } from '../pool.ts'
import { syncZlib, ZlibHandle } from './handle.ts'

/** zlib's raw deflate takes no window of 256 bytes. With 512 its distances stay under 251: it looks ahead 262 bytes. */
const LEAST_DEFLATE_BITS = 9

/** What an engine is made with. */
export interface DeflaterOptions {
  /** Of the window, as a power of two. */
  readonly bits: number
  readonly takeover: boolean
  /** zlib's level, −1 to 9. */
  readonly level: number
  /** zlib's memLevel, 1 to 9. */
  readonly memLevel: number
}

/** What comes out; grows to the largest message that is compressed at once. */
let scratch: Buffer = Buffer.alloc(0)

export class Deflater {
  readonly #options: DeflaterOptions
  #stream: DeflateRaw | undefined
  #handle: ZlibHandle | undefined

  constructor(options: DeflaterOptions) {
    this.#options = options
  }

  /** Compresses a message at once; `undefined` if it would not be smaller, or if that cannot be done here. */
  deflate(message: Uint8Array): Buffer | undefined {
    if (message.length === 0) return undefined // zlib gives nothing for nothing
    if (!syncZlib) return this.#options.takeover ? undefined : this.#inOneCall(message)
    const handle = this.#handle ?? this.#open()
    if (handle === undefined) return undefined
    const room = largestCompressed(message.length)
    if (scratch.length < room) scratch = Buffer.allocUnsafeSlow(room)
    if (!this.#options.takeover) handle.reset()
    if (!handle.run(constants.Z_SYNC_FLUSH, message, 0, message.length, scratch, 0, room)) return this.#fail()
    const size = room - handle.room - FLUSH_SIZE
    if (size < message.length) return copy(scratch, 0, size)
    if (this.#options.takeover) handle.reset()
    return undefined
  }

  /**
   * Compresses a message in the thread pool; `done` gets what {@link deflate} returns.
   * @returns a function that gives up: then `done` is not called
   */
  deflateApart(message: Uint8Array, done: (compressed: Buffer | undefined) => void): () => void {
    const stream = this.#stream ?? this.#openStream()
    if (!this.#options.takeover) stream.reset()
    const parts: Buffer[] = []
    const take = (part: Buffer) => void parts.push(part)
    const leave = (): void => {
      stream.off('data', take).off('close', fail)
    }
    const fail = (): void => {
      leave()
      this.#fail()
      done(undefined)
    }
    stream.on('data', take).on('close', fail)
    stream.write(message, () => {
      if (stream.destroyed) return
      leave()
      done(this.#smaller(Buffer.concat(parts), message))
    })
    return leave
  }

  close(): void {
    this.#stream?.close()
    this.#stream = this.#handle = undefined
  }

  #smaller(flushed: Buffer, message: Uint8Array): Buffer | undefined {
    const size = flushed.length - FLUSH_SIZE
    if (size < message.length) return flushed.subarray(0, size)
    this.#stream?.reset()
    return undefined
  }

  #inOneCall(message: Uint8Array): Buffer | undefined {
    const flushed = deflateRawSync(message, { ...this.#parameters, finishFlush: constants.Z_SYNC_FLUSH })
    const size = flushed.length - FLUSH_SIZE
    return size < message.length ? flushed.subarray(0, size) : undefined
  }

  get #parameters(): { windowBits: number; level: number; memLevel: number } {
    const { bits, level, memLevel } = this.#options
    return { windowBits: Math.max(bits, LEAST_DEFLATE_BITS), level, memLevel }
  }

  #openStream(): DeflateRaw {
    // Each write flushes: a flush of its own would go to the pool a second time.
    const options = { ...this.#parameters, flush: constants.Z_SYNC_FLUSH }
    this.#stream = createDeflateRaw(options).on('error', () => {}) // `run`, or the close that follows, tells
    return this.#stream
  }

  #open(): ZlibHandle | undefined {
    this.#handle = ZlibHandle.of(this.#stream ?? this.#openStream())
    return this.#handle
  }

  #fail(): undefined {
    this.close()
    return undefined
  }
}
