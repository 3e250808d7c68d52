// What a client sends before the upgrade is decided. It should wait for the 101 (RFC 6455 §4.1), but need not be lost. Rules:
// - It is read, since Node shows the end of a stream only once all before it has been read. Nothing of it is looked at.
// - Not more than `BACKLOG` bytes, and what one read brings beyond them, are kept: then the client waits, by TCP.
// - Memory follows bytes: a client that dribbles costs no more than one that does not.
// - Past the backlog an orderly end is not seen until the decision. A reset is, on a plain socket: a write of nothing, now and
//   then, fails on one that was reset, and puts nothing on the wire.

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** How much is read before the decision, in bytes. */
export const BACKLOG: number = 64 * 1024

/** How often a client that waits is looked after, in ms. */
const PROBE = 1_000

/** Reads and keeps early bytes until they are taken. */
export class Backlog {
  readonly #stream: Duplex
  #bytes: Uint8Array
  #size: number
  #probe: NodeJS.Timeout | undefined

  /** @param head what came with the request */
  constructor(stream: Duplex, head: Uint8Array) {
    this.#stream = stream
    this.#bytes = head
    this.#size = head.length
    stream.on('data', this.#onData).resume() // whoever passed it by hand may have paused it
    if (this.#size >= BACKLOG) this.#wait()
  }

  /**
   * Ends the reading. What comes from here on is whoever's attaches to the stream at once: it flows.
   * @returns all bytes, in memory that is the caller's
   */
  take(): Uint8Array {
    clearInterval(this.#probe)
    if (this.#stream.isPaused()) this.#stream.resume() // comes into force on the next tick
    this.#stream.off('data', this.#onData)
    return this.#bytes.subarray(0, this.#size)
  }

  readonly #onData = (chunk: unknown): void => {
    if (!(chunk instanceof Uint8Array)) {
      this.#stream.destroy(new TypeError('frames are bytes: expected a stream without setEncoding() and object mode'))
      return
    }
    this.#keep(chunk)
    if (this.#size >= BACKLOG) this.#wait()
  }

  #keep(chunk: Uint8Array): void {
    const size = this.#size + chunk.length
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, Math.min(2 * this.#bytes.length, BACKLOG)))
      larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#size)
    this.#size = size
  }

  #wait(): void {
    this.#stream.pause()
    // Writing nothing to TLS does more than nothing.
    if (!(this.#stream instanceof Socket) || this.#stream instanceof TLSSocket) return
    this.#probe ??= setInterval(() => this.#stream.write(''), PROBE).unref()
  }
}
