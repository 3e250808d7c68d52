// The peer's compressor (RFC 7692 §7.2.1): whole messages over zlib, within the agreed window, with its earlier messages as
// the dictionary.

import { constants, deflateRawSync } from 'node:zlib'
import type { Direction, SentFrame, SentMessage } from './case.ts'
import { materialize } from './contents.ts'

const TAIL_SIZE = 4 // 00 00 ff ff
/** zlib has no raw deflate with a window of 256 bytes; with 512 its distances stay under 251. */
const LEAST_BITS = 9
const STRATEGIES = { fixed: constants.Z_FIXED, literals: constants.Z_HUFFMAN_ONLY } as const
const RSV1 = 4
/** An empty stored block without its tail: what stands behind a block that is marked final (§7.2.3.4). */
const BEHIND_FINAL = Uint8Array.of(0)

/** Compresses the messages of one direction. */
export class MessageDeflater {
  readonly #direction: Direction
  #before: Buffer = Buffer.alloc(0)

  constructor(direction: Direction) {
    this.#direction = direction
  }

  /** The frames of a message. */
  frames(message: SentMessage): SentFrame[] {
    const payload = this.#deflate(message)
    const size = message.fragment ?? Math.max(payload.length, 1)
    const parts = Array.from({ length: Math.ceil(payload.length / size) }, (_, index) =>
      payload.subarray(index * size, (index + 1) * size),
    )
    if (message.emptyLast === true) parts.push(Buffer.alloc(0))
    return parts.flatMap((part, index) => {
      const fin = index === parts.length - 1
      const first = index === 0 ? { opcode: message.opcode, rsv: RSV1 } : { opcode: 0 }
      return [{ ...first, payload: part, fin }, ...(fin ? [] : (message.between ?? []))]
    })
  }

  #deflate(message: SentMessage): Buffer {
    const content = Buffer.from(materialize(message.content))
    const size = message.flushEvery ?? Math.max(content.length, 1)
    const blocks: Buffer[] = []
    let window = this.#before
    for (let at = 0; at === 0 || at < content.length; at += size) {
      const part = content.subarray(at, at + size)
      blocks.push(this.#block(part, window, message))
      window = Buffer.concat([window, part]).subarray(-(2 ** this.#direction.bits))
    }
    if (this.#direction.takeover) this.#before = window
    const stream = Buffer.concat(blocks)
    return message.final === true ? Buffer.concat([stream, BEHIND_FINAL]) : stream.subarray(0, -TAIL_SIZE)
  }

  #block(part: Buffer, dictionary: Buffer, { level = 6, codes, final }: SentMessage): Buffer {
    return deflateRawSync(part, {
      level,
      windowBits: Math.max(this.#direction.bits, LEAST_BITS),
      finishFlush: final === true ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
      ...(codes !== undefined && { strategy: STRATEGIES[codes] }),
      ...(dictionary.length > 0 && { dictionary }),
    })
  }
}
