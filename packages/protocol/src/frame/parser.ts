// The frame parser: bytes in, sink calls out. Rules:
// - It never throws, never keeps a reference to its input, and makes no object per frame.
// - Each rule is judged on the byte that decides it; any chunking of the same bytes gives the same calls once adjacent
//   `onPayload` calls are joined and an `onMessageFrame` is taken for the three that it stands for, and the same violation
//   at the same offset.
// - Payload is unmasked in place, just before it is handed on: input bytes are given over to the parser.
// - After a violation (or `discard`) it becomes a discarder: everything is consumed, nothing is looked at (§7.1.7).
// - A message of one frame that lies whole in the chunk and breaks no rule is taken in one step; all else byte by byte, which
//   is all there is to know about the rules.

import {
  FIN,
  LENGTH_16,
  LENGTH_64,
  LENGTH_BITS,
  MASK,
  MASKING_KEY_SIZE,
  OPCODE_BITS,
  Opcode,
  type Role,
  RSV1,
} from '../constants.ts'
import type { ErrorCode, ProtocolError } from '../errors.ts'
import { checkFirstByte, checkSecondByte, isControl } from './check.ts'
import { type ApplyMask, applyMask } from './mask.ts'
import { violation } from './violation.ts'

/** What the parser calls, synchronously, from within {@link FrameParser.push}. */
export interface FrameSink {
  /** A header is complete up to its length. `first` is the frame's first byte, `length` its payload's length in bytes. */
  onHeader(first: number, length: number): void
  /** Unmasked payload lies in `buffer[start, end)`, valid during this call only. Never empty. */
  onPayload(buffer: Uint8Array, start: number, end: number): void
  /** The frame is complete. */
  onFrameEnd(): void
  /**
   * In place of the three for a message of one frame that lies whole in a chunk: its first byte, and its unmasked payload in
   * `buffer[start, end)`, valid during this call only. A sink that does without gets the three.
   */
  onMessageFrame?(first: number, buffer: Uint8Array, start: number, end: number): void
  /** The peer broke a rule: nothing further will be called. */
  onViolation(error: ProtocolError): void
}

export interface FrameParserOptions {
  /** Our own end: a server expects masked frames, a client unmasked ones (§5.1). */
  readonly role: Role
  /** The largest sum of the payloads of a message's frames, in bytes. */
  readonly maxPayload: number
  /** The same for a message with RSV1, whose payloads are compressed; by default `maxPayload`. */
  readonly maxCompressed?: number | undefined
  /** The largest number of frames of a message, empty ones counted. */
  readonly maxFragments: number
  /** Whether an extension that owns RSV1 was negotiated. */
  readonly allowRsv1: boolean
  /** How to unmask; by default in plain TypeScript. */
  readonly applyMask?: ApplyMask | undefined
}

// What the next byte is.
const FIRST = 0
const SECOND = 1
const LENGTH = 2
const KEY = 3
const PAYLOAD = 4
const DISCARD = 5

/** Six zero bytes of eight leave at most 65,535: then the 64-bit form is not the shortest (§5.2). */
const SHORT_TAIL = 2
const BYTE = 256
const SHORTEST_HEADER = 2
const MAX_LENGTH_16 = 0xffff
const WHOLE_TEXT = FIN | Opcode.Text
const WHOLE_BINARY = FIN | Opcode.Binary
const SIGN_BIT = 0x80

/** Parses the frames of one direction of one connection (RFC 6455 §5.2). Usable alone; see {@link FrameSink}. */
export class FrameParser {
  readonly #role: Role
  readonly #maxPayload: number
  readonly #maxCompressed: number
  readonly #maxFragments: number
  readonly #allowRsv1: boolean
  readonly #applyMask: ApplyMask
  readonly #sink: FrameSink

  #state = FIRST
  #first = 0
  #form = 0
  #length = 0
  #lengthBytesLeft = 0
  #key = 0
  #keyBytesLeft = 0
  #remaining = 0
  #fragmented = false
  #fragments = 0
  #messageLength = 0
  /** Of the message in progress. */
  #limit = 0
  #stopped = false
  /** Stream offset of index 0 of the chunk in hand: adding an index gives the offset in the stream. */
  #base = 0
  #consumed = 0

  constructor(options: FrameParserOptions, sink: FrameSink) {
    this.#role = options.role
    // No length past this is an exact number (STANDARDS G6), so not even `Infinity` allows more.
    this.#maxPayload = Math.min(options.maxPayload, Number.MAX_SAFE_INTEGER)
    this.#maxCompressed = Math.min(options.maxCompressed ?? options.maxPayload, Number.MAX_SAFE_INTEGER)
    this.#maxFragments = options.maxFragments
    this.#allowRsv1 = options.allowRsv1
    this.#applyMask = options.applyMask ?? applyMask
    this.#sink = sink
  }

  /** How many bytes of the stream have been consumed by completed calls of {@link push}, and up to the last frame end within one. */
  get consumed(): number {
    return this.#consumed
  }

  /** Whether the stream stands inside a frame or between the fragments of a message. */
  get midMessage(): boolean {
    return this.#state !== DISCARD && (this.#fragmented || this.#state !== FIRST)
  }

  /** How many bytes of the stream have been judged once the byte at `index` of the chunk in hand has been; for sinks, during a call. */
  offsetAfter(index: number): number {
    return this.#base + index + 1
  }

  /** Makes the running {@link push} return after the call in progress: at the end of a frame, with all else left unread. */
  stop(): void {
    this.#stopped = true
  }

  /** Consumes everything from now on without looking at it. */
  discard(): void {
    this.#state = DISCARD
  }

  /**
   * Parses `buffer[start, end)`, whose bytes it may change (unmasking in place).
   * @returns the index after the last byte consumed: `end`, unless the sink called {@link stop}
   */
  push(buffer: Uint8Array, start: number, end: number): number {
    this.#base = this.#consumed - start
    this.#stopped = false
    let at = start
    while (at < end && !this.#stopped) {
      switch (this.#state) {
        case FIRST: {
          const after = this.#takeWhole(buffer, at, end)
          if (after > at) {
            at = after
            break
          }
          this.#takeFirst(buffer[at], at)
          at++
          break
        }
        case SECOND:
          this.#takeSecond(buffer[at], at)
          at++
          break
        case LENGTH:
          this.#takeLength(buffer[at], at)
          at++
          break
        case KEY:
          this.#takeKey(buffer[at], at)
          at++
          break
        case PAYLOAD:
          at = this.#takePayload(buffer, at, end)
          break
        default:
          at = end
      }
    }
    this.#consumed = this.#base + at
    return at
  }

  /**
   * Takes a message of one frame, if it is all there and nothing is wrong with it.
   * @returns the index behind it; `at` if it has to be taken byte by byte
   */
  #takeWhole(buffer: Uint8Array, at: number, end: number): number {
    const sink = this.#sink
    const first = buffer[at]
    const kind = this.#allowRsv1 ? first & ~RSV1 : first
    if ((kind !== WHOLE_TEXT && kind !== WHOLE_BINARY) || this.#fragmented || end - at < SHORTEST_HEADER) return at
    const second = buffer[at + 1] // a length that lies behind `end` is no length, but then its payload would end there too
    let length = second & LENGTH_BITS
    let start = at + 2
    if (length === LENGTH_16) {
      length = (buffer[at + 2] << 8) | buffer[at + 3]
      start = at + 4
      if (length < LENGTH_16) return at
    } else if (length === LENGTH_64) {
      length = readUint32(buffer, at + 6)
      start = at + 10
      if (readUint32(buffer, at + 2) !== 0 || length <= MAX_LENGTH_16) return at
    }
    const masked = this.#role === 'server'
    if (masked) start += MASKING_KEY_SIZE
    const until = start + length
    if (second >= MASK !== masked || until > end || length > this.#limitOf(first)) return at
    if (sink.onMessageFrame === undefined) return at
    if (masked) this.#applyMask(buffer, start, until, readInt32(buffer, start - MASKING_KEY_SIZE), 0)
    this.#consumed = this.#base + until
    sink.onMessageFrame(first, buffer, start, until)
    return until
  }

  #takeFirst(byte: number, at: number): void {
    const broken = checkFirstByte(byte, this.#fragmented, this.#allowRsv1)
    if (broken !== undefined) return this.#violate(broken, at, `first byte 0x${hex(byte)}`)
    if (!isControl(byte)) {
      if (!this.#fragmented) this.#beginMessage(byte)
      if (++this.#fragments > this.#maxFragments) {
        return this.#violate('TOO_MANY_FRAGMENTS', at, `${this.#maxFragments} frames`)
      }
    }
    this.#first = byte
    this.#state = SECOND
  }

  #beginMessage(first: number): void {
    this.#limit = this.#limitOf(first)
    this.#messageLength = 0
    this.#fragments = 0
  }

  /** How large a message with this first byte may get on the wire. */
  #limitOf(first: number): number {
    return (first & RSV1) === 0 ? this.#maxPayload : this.#maxCompressed
  }

  #takeSecond(byte: number, at: number): void {
    const broken = checkSecondByte(byte, this.#first, this.#role)
    if (broken !== undefined) return this.#violate(broken, at)
    this.#form = byte & LENGTH_BITS
    if (this.#form < LENGTH_16) {
      this.#length = this.#form
      if (this.#tooBig(this.#length)) return this.#violateSize(this.#length, at)
      return this.#endLength(at)
    }
    this.#length = 0
    this.#lengthBytesLeft = this.#form === LENGTH_16 ? 2 : 8
    this.#state = LENGTH
  }

  #takeLength(byte: number, at: number): void {
    if (this.#form === LENGTH_64 && this.#lengthBytesLeft === 8 && byte >= SIGN_BIT) {
      return this.#violate('LENGTH_TOP_BIT', at) // §5.2
    }
    this.#length = this.#length * BYTE + byte
    const left = --this.#lengthBytesLeft
    const least = this.#length * BYTE ** left
    if (this.#tooBig(least)) return this.#violateSize(least, at)
    if (this.#notMinimal(left)) return this.#violate('LENGTH_NOT_MINIMAL', at)
    if (left === 0) this.#endLength(at)
  }

  #notMinimal(bytesLeft: number): boolean {
    if (this.#form === LENGTH_16) return bytesLeft === 0 && this.#length < LENGTH_16
    return bytesLeft === SHORT_TAIL && this.#length === 0
  }

  #tooBig(length: number): boolean {
    return !isControl(this.#first) && this.#messageLength + length > this.#limit
  }

  #endLength(at: number): void {
    this.#remaining = this.#length
    this.#key = 0
    this.#keyBytesLeft = this.#role === 'server' ? MASKING_KEY_SIZE : 0
    this.#state = KEY
    this.#sink.onHeader(this.#first, this.#length)
    if (this.#keyBytesLeft === 0) this.#endHeader(at)
  }

  #takeKey(byte: number, at: number): void {
    this.#key = (this.#key << 8) | byte
    if (--this.#keyBytesLeft === 0) this.#endHeader(at)
  }

  #endHeader(at: number): void {
    if (this.#state === DISCARD) return // the sink refused the header
    this.#state = PAYLOAD
    if (this.#remaining === 0) this.#endFrame(at + 1)
  }

  #takePayload(buffer: Uint8Array, at: number, end: number): number {
    const until = end - at < this.#remaining ? end : at + this.#remaining
    if (this.#role === 'server') this.#applyMask(buffer, at, until, this.#key, this.#length - this.#remaining)
    this.#remaining -= until - at
    this.#sink.onPayload(buffer, at, until)
    if (this.#remaining === 0 && this.#state === PAYLOAD) this.#endFrame(until)
    return until
  }

  #endFrame(at: number): void {
    this.#state = FIRST
    this.#consumed = this.#base + at
    if (!isControl(this.#first)) {
      this.#messageLength += this.#length
      this.#fragmented = (this.#first & FIN) === 0
    }
    this.#sink.onFrameEnd()
  }

  #violateSize(length: number, at: number): void {
    const sum = this.#messageLength + length
    this.#violate('MESSAGE_TOO_BIG', at, `${sum} bytes or more, ${this.#limit} allowed`)
  }

  #violate(code: ErrorCode, at: number, detail?: string): void {
    this.#state = DISCARD
    this.#sink.onViolation(violation(code, this.offsetAfter(at), detail))
  }
}

/** The opcode of a frame's first byte. */
export function opcodeOf(first: number): Opcode {
  return (first & OPCODE_BITS) as Opcode
}

function readInt32(buffer: Uint8Array, at: number): number {
  return (buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]
}

function readUint32(buffer: Uint8Array, at: number): number {
  return readInt32(buffer, at) >>> 0
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
