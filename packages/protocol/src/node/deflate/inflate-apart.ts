// Inflating in the thread pool: one stream a message, or several where blocks are marked final. The verdicts are those of
// `Inflater` (of a message that breaks two rules, either may be told). Rules:
// - Where nothing goes before a message (without context takeover) the stream is one of the spares, and goes back to them after a
//   message that was well. Its end is judged by the handle below, when the stream stands still.
// - Otherwise, and where there is no way to that handle, it is made for the message, and closed behind it: 0.15 ms, a third
//   of what 40 KiB take.
// - As many exist as the server's limit of jobs allows.
// - What was inflated is counted with each piece; past the limit the stream is closed (STANDARDS O13).
// - Once it is cancelled nothing is told, and the stream is closed.

import { Buffer } from 'node:buffer'
import { constants, createInflateRaw, type InflateRaw } from 'node:zlib'
import type { DeflateFault } from '../../deflate/compression.ts'
import { endsWell, MOST_STREAMS, PROBE } from '../../deflate/message-end.ts'
import type { Window } from '../../deflate/window.ts'
import { feedFor } from './dictionary.ts'
import { pieceFor } from './inflater.ts'
import type { SpareStream } from './spare-stream.ts'
import type { Spares } from './spares.ts'

export class InflateApart {
  readonly #window: Window
  readonly #limit: number
  readonly #done: (inflated: Buffer | DeflateFault) => void
  readonly #spares: Spares<SpareStream | undefined> | undefined
  readonly #parts: Buffer[] = []
  #payload: Uint8Array
  #stream: InflateRaw | undefined
  #size = 0
  /** Output that is still to come for what was fed in front of the payload. */
  #fed = 0
  #streams = 0

  /** @param spares for a message with nothing before it */
  constructor(
    payload: Uint8Array,
    window: Window,
    limit: number,
    done: (inflated: Buffer | DeflateFault) => void,
    spares?: Spares<SpareStream | undefined>,
  ) {
    this.#payload = payload
    this.#window = window
    this.#limit = limit
    this.#done = done
    this.#spares = spares
  }

  start(): void {
    this.#streams++
    const dictionary = this.#lastBytes(2 ** this.#window.bits)
    const spare = dictionary.length === 0 ? this.#spares?.take() : undefined
    if (spare === undefined) this.#run(dictionary)
    else this.#runSpare(spare)
  }

  #run(dictionary: Uint8Array): void {
    const windowBits = this.#window.bits
    const stream = createInflateRaw({
      windowBits,
      flush: constants.Z_NO_FLUSH,
      finishFlush: constants.Z_BLOCK,
      chunkSize: pieceFor(windowBits),
      ...(dictionary.length > 0 && { dictionary }),
    })
    this.#listen(stream)
    const feed = feedFor(dictionary)
    this.#fed = feed.length > 0 ? dictionary.length : 0
    let size = -1
    stream.on('end', () => this.#judge(stream.bytesWritten - feed.length, size))
    if (feed.length > 0) stream.write(feed)
    // Not called if the stream ends before the payload does.
    stream.write(this.#payload, () => {
      size = this.#size + stream.readableLength - this.#fed
    })
    stream.end(PROBE) // it waits behind the payload, and is the last chunk when its turn comes: `finishFlush` is for that one
  }

  #runSpare(spare: SpareStream): void {
    const { stream } = spare
    const before = stream.bytesWritten
    this.#listen(stream)
    stream.on('end', () => this.#judge(stream.bytesWritten - before, -1))
    stream.write(this.#payload, () => {
      if (stream.readableLength > 0) stream.read() // to the listener
      if (stream.destroyed) return // by an error, which is told, or by us
      if (stream.bytesWritten - before < this.#payload.length) return // 'end' comes; later Nodes do not call this at all
      if (!spare.endsWell()) return this.#end('INVALID_DEFLATE')
      this.#stream = undefined
      stream.removeAllListeners('data').removeAllListeners('end').removeAllListeners('error')
      spare.reset()
      this.#spares?.giveBack(spare)
      this.#done(Buffer.concat(this.#parts, this.#size))
    })
  }

  #listen(stream: InflateRaw): void {
    this.#stream = stream
    stream.on('data', (piece: Buffer) => this.#take(piece)).on('error', () => this.#end('INVALID_DEFLATE'))
  }

  cancel(): void {
    const stream = this.#stream
    this.#stream = undefined
    stream?.removeAllListeners('data').removeAllListeners('end').close()
  }

  #take(piece: Buffer): void {
    if (this.#stream === undefined) return
    const fed = Math.min(this.#fed, piece.length)
    this.#fed -= fed
    this.#parts.push(fed === 0 ? piece : piece.subarray(fed))
    this.#size += piece.length - fed
    if (this.#size > this.#limit) this.#end('MESSAGE_TOO_BIG')
  }

  /** @param size of all output when the payload had been read; −1 if it was not */
  #judge(read: number, size: number): void {
    if (this.#stream === undefined) return
    const left = this.#payload.length - read
    if (left > 0) return this.#goOn(read)
    const whole = endsWell(PROBE.length + left, this.#size - size)
    this.#end(whole ? Buffer.concat(this.#parts, this.#size) : 'INVALID_DEFLATE')
  }

  /** Behind a final block: what is left is a stream of its own, with the window so far. */
  #goOn(read: number): void {
    this.cancel()
    if (this.#streams === MOST_STREAMS) return this.#done('INVALID_DEFLATE')
    this.#payload = this.#payload.subarray(read)
    this.start()
  }

  #end(inflated: Buffer | DeflateFault): void {
    if (this.#stream === undefined) return
    this.cancel()
    this.#done(inflated)
  }

  #lastBytes(size: number): Buffer {
    const all = [...this.#window.parts, ...this.#parts]
    const last: Uint8Array[] = []
    let left = size
    for (let part = all.pop(); part !== undefined && left > 0; part = all.pop()) {
      const end = part.subarray(Math.max(part.length - left, 0))
      last.unshift(end)
      left -= end.length
    }
    return Buffer.concat(last)
  }
}
