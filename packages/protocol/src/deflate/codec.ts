// Compressing and inflating whole messages (RFC 7692 §6, §7.2). Rules:
// - The window of the other messages is kept as plain bytes and given to the engine as its dictionary: no engine state
//   lives between messages, so nothing has to be freed, and every message must end as a whole DEFLATE stream.
// - That end is what shows a message that was cut short: `00 00 ff ff` and a final empty block are fed behind it, and the
//   engine must come to a clean stop at the last byte (STANDARDS O15). A block that the sender marked final and that is cut
//   short could come to its stop there, too: a stored one is found out; one in codes would need just these bits, and is not.
// - A message may hold blocks that are marked final (§7.2.3.4): inflating goes on behind them with the window so far.
// - The limit holds while inflating, not afterwards (O13).

import type { Role } from '../constants.ts'
import type { ErrorCode } from '../errors.ts'
import type { DeflateParameters } from './parameters.ts'

/** What an engine says of a stream. */
export type Inflated =
  | InflatedStream
  /** The output would have been larger than the limit, or the input is no DEFLATE data or ends too early. */
  | 'too-big'
  | 'invalid'

/** One stream was inflated up to its final block; `consumed` bytes of the input belonged to it. */
interface InflatedStream {
  readonly output: Uint8Array
  readonly consumed: number
}

interface InflateOptions {
  readonly windowBits: number
  readonly dictionary: Uint8Array
  /** The most bytes that may come out. */
  readonly limit: number
}

/** How bytes are compressed: zlib on Node. There is no portable engine; without one the extension is not negotiated. */
export interface DeflateEngine {
  /** Compresses without a final block and flushes to a byte boundary: the output ends with `00 00 ff ff`. */
  deflate(input: Uint8Array, options: CompressOptions): Uint8Array
  /** Inflates one stream from the start of `input`, to at most `limit` bytes. Never throws. */
  inflate(input: Uint8Array, options: InflateOptions): Inflated
}

export interface CompressOptions {
  readonly windowBits: number
  readonly dictionary: Uint8Array
  /** zlib's level, −1 to 9. */
  readonly level: number
  /** zlib's memLevel, 1 to 9. */
  readonly memLevel: number
}

/** What was negotiated, and how to make use of it. */
export interface MessageCompression {
  readonly parameters: DeflateParameters
  readonly engine: DeflateEngine
  /** Messages of fewer bytes are sent as they are; 1,024 by default. */
  readonly threshold?: number | undefined
  /** zlib's level, −1 to 9; −1 by default. */
  readonly level?: number | undefined
  /** zlib's memLevel, 1 to 9; 8 by default. */
  readonly memLevel?: number | undefined
}

/** Below this many bytes compressing costs more than it saves. */
export const DEFAULT_THRESHOLD = 1024
/** zlib's own choice, which is 6. */
export const DEFAULT_LEVEL: number = -1
export const DEFAULT_MEM_LEVEL = 8

const NOTHING: Uint8Array = new Uint8Array(0)
/** What the sender takes off the end of a message, and the receiver puts back (§7.2.1, §7.2.2). */
const FLUSH = [0x00, 0x00, 0xff, 0xff]
/** An empty block that is marked final, in fixed codes. */
const FINAL_BLOCK = Uint8Array.of(0x03, 0x00)
const TAIL = Uint8Array.from([...FLUSH, ...FINAL_BLOCK])
/** The same, stored: another end of the same meaning. */
const OTHER_FINAL_BLOCK = Uint8Array.of(0x01, 0x00, 0x00, 0xff, 0xff)
/** Final blocks within one message: each costs a run of the engine, so a message of nothing else is refused. */
const MOST_STREAMS = 64

/**
 * How large a message of `size` bytes may be once it is compressed: what does not compress grows. zlib's bound for its worst
 * case, with little memory and small windows (`deflateBound`), is an eighth more.
 */
export function largestCompressed(size: number): number {
  return size + Math.floor(size / 8) + 64
}

/** Compresses what one side sends and inflates what it receives; messages go through it in their order. */
export class DeflateCodec {
  readonly #engine: DeflateEngine
  readonly #level: number
  readonly #memLevel: number
  readonly #maxPayload: number
  readonly #out: Window
  readonly #in: Window

  /** @param maxPayload the largest inflated message, in bytes */
  constructor(role: Role, compression: MessageCompression, maxPayload: number) {
    const { parameters, engine, level = DEFAULT_LEVEL, memLevel = DEFAULT_MEM_LEVEL } = compression
    const server = new Window(parameters.serverMaxWindowBits, !parameters.serverNoContextTakeover)
    const client = new Window(parameters.clientMaxWindowBits, !parameters.clientNoContextTakeover)
    this.#engine = engine
    this.#level = level
    this.#memLevel = memLevel
    this.#maxPayload = maxPayload
    this.#out = role === 'server' ? server : client
    this.#in = role === 'server' ? client : server
  }

  /** Compresses a message; `undefined` if that would not make it smaller: then it is to be sent as it is. */
  deflate(message: Uint8Array): Uint8Array | undefined {
    const { bits: windowBits, bytes: dictionary } = this.#out
    const options = { windowBits, dictionary, level: this.#level, memLevel: this.#memLevel }
    const flushed = this.#engine.deflate(message, options)
    const payload = flushed.subarray(0, flushed.length - FLUSH.length)
    if (payload.length >= message.length) return undefined
    this.#out.add(message)
    return payload
  }

  /** Inflates a message, or says which rule it breaks. An empty payload is an empty message (STANDARDS O11). */
  inflate(payload: Uint8Array): Uint8Array | ErrorCode {
    if (payload.length === 0) return NOTHING
    let input = join([payload, TAIL])
    let dictionary = this.#in.bytes
    const parts: Uint8Array[] = []
    let limit = this.#maxPayload
    // At a final block where the payload ends, what is left is our own tail: a sender may stop there.
    for (let streams = 0; input.length > 0 && input.length !== TAIL.length; streams++) {
      if (streams === MOST_STREAMS) return 'INVALID_DEFLATE'
      const options = { windowBits: this.#in.bits, dictionary, limit }
      const inflated = this.#engine.inflate(input, options)
      if (inflated === 'too-big') return 'MESSAGE_TOO_BIG'
      if (inflated === 'invalid' || this.#tookTail(input, inflated, options)) return 'INVALID_DEFLATE'
      parts.push(inflated.output)
      limit -= inflated.output.length
      dictionary = lastBytes([dictionary, inflated.output], this.#in.size)
      input = input.subarray(inflated.consumed)
    }
    this.#in.keep(dictionary)
    return join(parts)
  }

  /** A final stored block that is cut short takes our tail for its data and ends with it; not so with another tail (O15). */
  #tookTail(input: Uint8Array, { output, consumed }: InflatedStream, options: InflateOptions): boolean {
    if (consumed < input.length || !endsWith(output, FINAL_BLOCK)) return false
    const other = join([input.subarray(0, input.length - FINAL_BLOCK.length), OTHER_FINAL_BLOCK])
    const again = this.#engine.inflate(other, options)
    return typeof again === 'string' || again.consumed < other.length
  }
}

/** The last bytes of what went one way, up to the agreed window; without context takeover it stays empty (§7.1.1). */
class Window {
  readonly bits: number
  readonly #kept: boolean
  #bytes = NOTHING

  constructor(bits: number, kept: boolean) {
    this.bits = bits
    this.#kept = kept
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  get size(): number {
    return 2 ** this.bits
  }

  add(message: Uint8Array): void {
    this.keep(lastBytes([this.#bytes, message], this.size))
  }

  keep(bytes: Uint8Array): void {
    if (this.#kept) this.#bytes = bytes
  }
}

/** The last `size` bytes of the parts together, in memory of their own. */
function lastBytes(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = parts.map((part) => part.subarray(Math.max(part.length - size, 0)))
  const joined = join(all)
  return joined.length > size ? joined.slice(joined.length - size) : joined
}

function endsWith(bytes: Uint8Array, last: Uint8Array): boolean {
  const start = bytes.length - last.length
  return last.every((byte, index) => bytes[start + index] === byte)
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
