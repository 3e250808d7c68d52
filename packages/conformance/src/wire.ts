// Frames as bytes and back, slowly and obviously; nothing here is shared with the codec under test. The decoder is strict:
// what a correct end must not send (§5.1, §5.2, §5.5) is a fault, not a frame.

import type { End, SentFrame } from './case.ts'
import { materialize } from './contents.ts'

const KEY_SIZE = 4
const KEY_STEP = 0x9e37_79b1 // odd, so that 2^32 keys follow each other before one comes again
const MAX_CONTROL = 125

let lastKey = 0x1234_5678

/** The bytes of a frame for the target. */
export function encode(frame: SentFrame, target: End): Uint8Array {
  const payload = materialize(frame.payload ?? new Uint8Array(0))
  const masked = (target === 'server') !== (frame.wrongMask ?? false)
  const header = headerOf(frame, payload.length, masked)
  if (frame.headerOnly !== undefined) return header.subarray(0, frame.headerOnly)
  return masked ? maskedFrame(header, payload, frame.key ?? nextKey()) : Buffer.concat([header, payload])
}

function headerOf(frame: SentFrame, size: number, masked: boolean): Uint8Array {
  const declared = frame.declared ?? BigInt(size)
  const form = frame.form ?? (declared <= 125n ? 7 : declared <= 65_535n ? 16 : 64)
  const first = ((frame.fin ?? true) ? 0x80 : 0) | ((frame.rsv ?? 0) << 4) | frame.opcode
  const length7 = form === 7 ? Number(declared) : form === 16 ? 126 : 127
  const header = [first, (masked ? 0x80 : 0) | length7]
  const lengthBytes = form === 7 ? 0 : form / 8
  for (let left = lengthBytes - 1; left >= 0; left--) header.push(Number((declared >> BigInt(8 * left)) & 0xffn))
  return Uint8Array.from(header)
}

function maskedFrame(header: Uint8Array, payload: Uint8Array, key: number): Uint8Array {
  const octets = [key >>> 24, (key >>> 16) & 0xff, (key >>> 8) & 0xff, key & 0xff]
  const bytes = new Uint8Array(header.length + KEY_SIZE + payload.length)
  bytes.set(header)
  bytes.set(octets, header.length)
  const start = header.length + KEY_SIZE
  for (let at = 0; at < payload.length; at++) bytes[start + at] = (payload[at] as number) ^ (octets[at % 4] as number)
  return bytes
}

/** A key that no earlier frame had. */
function nextKey(): number {
  lastKey = (lastKey + KEY_STEP) >>> 0
  return lastKey
}

/** A frame that came from the target. */
export interface ReceivedFrame {
  readonly opcode: number
  /** RSV1: the message is compressed (RFC 7692 §6). */
  readonly compressed: boolean
  readonly payload: Buffer
  readonly key: number | undefined
}

/** Collects what the target sends. */
export class FrameReader {
  readonly #masked: boolean
  readonly #compression: boolean
  #chunks: Buffer[] = []
  #size = 0

  /** @param compression whether RSV1 may stand on a message */
  constructor(target: End, compression = false) {
    this.#masked = target === 'client'
    this.#compression = compression
  }

  /** How many bytes wait for the rest of their frame. */
  get pending(): number {
    return this.#size
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** The next whole frame, if it is there. @throws Error if a correct end cannot have sent it */
  next(): ReceivedFrame | undefined {
    const header = this.#peek(14)
    if (header.length < 2) return undefined
    const lengthBytes = extraBytes(header)
    const start = 2 + lengthBytes + (this.#masked ? KEY_SIZE : 0)
    if (header.length < start) return undefined
    const size = lengthOf(header, lengthBytes)
    this.#check(header, size, lengthBytes)
    if (this.#size < start + size) return undefined
    return this.#take(start, size)
  }

  #take(start: number, size: number): ReceivedFrame {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    const payload = Buffer.from(all.subarray(start, start + size))
    const rest = all.subarray(start + size)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#size = rest.length
    const opcode = (all[0] as number) & 15
    const compressed = ((all[0] as number) & 0x40) !== 0
    if (!this.#masked) return { opcode, compressed, payload, key: undefined }
    const keyAt = start - KEY_SIZE
    for (let at = 0; at < size; at++) payload[at] = (payload[at] as number) ^ (all[keyAt + (at % 4)] as number)
    return { opcode, compressed, payload, key: all.readUInt32BE(keyAt) }
  }

  #check(header: Buffer, size: number, lengthBytes: number): void {
    const first = header[0] as number
    const second = header[1] as number
    if ((first & 0x80) === 0) throw new Error('a fragment, where a whole frame was due')
    const reserved = this.#compression && (first & 8) === 0 ? 0x30 : 0x70
    if ((first & reserved) !== 0) throw new Error('a reserved bit is set (§5.2)')
    if (![1, 2, 8, 9, 10].includes(first & 15)) throw new Error(`opcode ${first & 15}`)
    if (second >= 0x80 !== this.#masked) throw new Error('the mask bit is wrong (§5.1)')
    const least = lengthBytes === 8 ? 65_536 : lengthBytes === 2 ? 126 : 0
    if (size < least) throw new Error('the length is not minimal (§5.2)')
    if ((first & 8) !== 0 && size > MAX_CONTROL) throw new Error('a control frame of over 125 bytes (§5.5)')
  }

  #peek(size: number): Buffer {
    const first = this.#chunks[0]
    if (first === undefined || first.length >= size) return (first ?? Buffer.alloc(0)).subarray(0, size)
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return (this.#chunks[0] as Buffer).subarray(0, size)
  }
}

function extraBytes(header: Buffer): number {
  const length7 = (header[1] as number) & 127
  return length7 === 126 ? 2 : length7 === 127 ? 8 : 0
}

function lengthOf(header: Buffer, lengthBytes: number): number {
  if (lengthBytes === 0) return (header[1] as number) & 127
  return lengthBytes === 2 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2))
}
