// An inflating stream that is used for one message after the other, in the thread pool, by whoever has one with nothing before it. Rules:
// - The end of a message is judged by the handle below the stream, between two runs, as `Inflater` does it: to be told of it the stream
//   would have to end. Where there is no way to the handle there are no such streams.
// - Only the largest window: with a smaller one a distance is checked at the start of a piece of output only (STANDARDS O16), and a
//   stream that was used begins in the middle of one.

import { constants, createInflateRaw, type InflateRaw } from 'node:zlib'
import { endsWell, PROBE } from '../../deflate/message-end.ts'
import { ZlibHandle } from './handle.ts'
import { LARGEST_WINDOW_BITS, pieceFor } from './inflater.ts'
import type { Closable } from './spares.ts'

/** Whatever a probe gives shows; nobody reads it. */
const room: Uint8Array = new Uint8Array(64)

export class SpareStream implements Closable {
  readonly stream: InflateRaw
  readonly #handle: ZlibHandle

  private constructor(stream: InflateRaw, handle: ZlibHandle) {
    this.stream = stream
    this.#handle = handle
  }

  static open(this: void): SpareStream | undefined {
    const stream = createInflateRaw({
      windowBits: LARGEST_WINDOW_BITS,
      flush: constants.Z_NO_FLUSH,
      chunkSize: pieceFor(LARGEST_WINDOW_BITS),
    })
    const handle = ZlibHandle.of(stream)
    if (handle !== undefined) return new SpareStream(stream, handle)
    stream.close()
    return undefined
  }

  /** Judges the message that was read last; afterwards it is to be reset, or closed. */
  endsWell(): boolean {
    const handle = this.#handle
    if (!handle.run(constants.Z_BLOCK, PROBE, 0, PROBE.length, room, 0, room.length)) return false
    return endsWell(handle.unread, room.length - handle.room)
  }

  reset(): void {
    this.stream.reset()
  }

  close(): void {
    this.stream.close()
  }
}
