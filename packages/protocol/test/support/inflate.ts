// A slow, obvious inflater, the oracle of the codec: DEFLATE as RFC 1951 §3.2 tells it, bit by bit, and messages as RFC 7692
// §7.2.2 does. Rules: the tail is what the sender took off: it gives no output, and a block ends with it; no distance leaves the
// agreed window. The codec's engine differs in four points, which `engine: 'zlib'` repeats exactly:
// - Distances: zlib writes pieces. It reaches back over all of the piece in hand, and from its start by the window.
// - The limit is looked at after each piece, and at the end of the payload: what is too big and invalid within one piece is
//   called invalid.
// - Code lengths without any code are found out only behind all of the lengths, which are read as one bit each: a message that ends
//   before that, and is too big, is called too big.
// - A block that ends within the last byte of the tail will do. (It would have to be one of codes without any data.)

/** What breaks a message, named as the codec names it. */
export type InflateFault = 'INVALID_DEFLATE' | 'MESSAGE_TOO_BIG'

export interface InflateRules {
  /** The agreed window: 2^8 to 2^15 bytes. */
  readonly windowBits: number
  readonly takeover: boolean
  /** The most bytes of a message. */
  readonly limit: number
  readonly engine?: 'zlib' | undefined
}

/** Which the sender took off (RFC 7692 §7.2.1). */
const FLUSH = [0x00, 0x00, 0xff, 0xff]
/** Our own rule: no message has more final blocks than this. */
const MOST_FINAL_BLOCKS = 64
/** The engine's output buffers: with the largest window no distance goes too far back, so they may be larger. */
const SMALL_PIECE = 16 * 1024
const PIECE = 64 * 1024
const LARGEST_WINDOW_BITS = 15

/** RFC 1951 §3.2.5: the least value of each code, and how many extra bits say by how much it is more. */
const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163]
const LENGTHS = [...LENGTH_BASE, 195, 227, 258]
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
const DISTANCE_EXTRA = Array.from({ length: 30 }, (_, code) => Math.max(0, Math.floor(code / 2) - 1))
const DISTANCES = DISTANCE_EXTRA.map((_, code) => 1 + DISTANCE_EXTRA.slice(0, code).reduce((sum, e) => sum + 2 ** e, 0))
const END_OF_BLOCK = 256
/** §3.2.7: the order in which the lengths of the code length codes come. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

class Fault extends Error {
  readonly code: InflateFault

  constructor(code: InflateFault) {
    super(code)
    this.code = code
  }
}

/** Symbols by their code, which has a 1 in front: `1` alone is the empty code. */
type Codes = ReadonlyMap<number, number>

/** §3.2.2: codes of one length follow each other, in the order of their symbols. Sets that no sender makes are refused. */
function makeCodes(lengths: readonly number[], mayBeIncomplete: boolean): Codes {
  const codes = new Map<number, number>()
  let next = 0
  let used = 0
  for (let length = 1; length <= 15; length++) {
    next *= 2
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue
      used += 2 ** -length
      codes.set(2 ** length + next++, symbol)
    }
  }
  // One code of one bit may stand alone, and no code at all if none is used.
  const lone = mayBeIncomplete && (codes.size === 0 || (codes.size === 1 && codes.has(2)))
  if (used > 1 || (used < 1 && !lone)) throw new Fault('INVALID_DEFLATE')
  return codes
}

const ranges = (...pairs: readonly (readonly [count: number, length: number])[]): number[] =>
  pairs.flatMap(([count, length]) => Array<number>(count).fill(length))
/** §3.2.6. Symbols 286, 287 and distances 30, 31 have a code but no meaning. */
const FIXED_CODES = makeCodes(ranges([144, 8], [112, 9], [24, 7], [8, 8]), false)
const FIXED_DISTANCES = makeCodes(ranges([32, 5]), false)

/** Inflates what one side sends, message after message. */
export class ReferenceInflater {
  readonly #rules: InflateRules
  #window: readonly number[] = []

  constructor(rules: InflateRules) {
    this.#rules = rules
  }

  /** The message, or what breaks it. A fault leaves the window as it was. */
  inflate(payload: Uint8Array): Uint8Array | InflateFault {
    if (payload.length === 0) return new Uint8Array(0)
    try {
      const message = new Reading(payload, this.#window, this.#rules)
      message.blocks()
      if (this.#rules.takeover)
        this.#window = [...this.#window, ...message.output].slice(-(2 ** this.#rules.windowBits))
      return Uint8Array.from(message.output)
    } catch (error) {
      if (error instanceof Fault) return error.code
      throw error
    }
  }
}

/** The reading of one message. */
class Reading {
  readonly output: number[] = []
  readonly #limit: number
  readonly #windowSize: number
  readonly #piece: number
  readonly #asZlib: boolean
  readonly #bytes: Uint8Array
  readonly #payloadBits: number
  readonly #window: readonly number[]
  #finals = 0
  /** How many bits have been read. */
  #at = 0
  #pieceStart = 0

  constructor(payload: Uint8Array, window: readonly number[], rules: InflateRules) {
    this.#bytes = Uint8Array.from([...payload, ...FLUSH])
    this.#payloadBits = 8 * payload.length
    this.#window = window
    this.#limit = rules.limit
    this.#windowSize = 2 ** rules.windowBits
    this.#piece = rules.windowBits === LARGEST_WINDOW_BITS ? PIECE : SMALL_PIECE
    this.#asZlib = rules.engine === 'zlib'
  }

  /** RFC 1951 §3.2.3, until nothing is left; behind a final block, which ends on a byte, it goes on (RFC 7692 §7.2.3.4). */
  blocks(): void {
    while (!this.#ended()) {
      const final = this.#bit() === 1
      const type = this.#number(2)
      if (type === 0) this.#stored()
      else if (type === 1) this.#coded(FIXED_CODES, FIXED_DISTANCES)
      else if (type === 2) this.#dynamic()
      else throw new Fault('INVALID_DEFLATE')
      if (final && this.#endStream()) return
    }
  }

  #ended(): boolean {
    return (this.#asZlib ? 8 * Math.ceil(this.#at / 8) : this.#at) === 8 * this.#bytes.length
  }

  /** @returns whether the payload ends here, without the header of an empty block behind: a sender may do so */
  #endStream(): boolean {
    this.#align()
    this.#checkLimit()
    if (this.#at === this.#payloadBits || this.#ended()) return true
    if (this.#at > this.#payloadBits || ++this.#finals === MOST_FINAL_BLOCKS) throw new Fault('INVALID_DEFLATE')
    this.#pieceStart = this.output.length
    return false
  }

  /** §3.2.4 */
  #stored(): void {
    this.#align()
    const length = this.#number(16)
    if (this.#number(16) !== 0xffff - length) throw new Fault('INVALID_DEFLATE')
    for (let left = length; left > 0; left--) this.#emit(this.#number(8))
  }

  /** §3.2.7 */
  #dynamic(): void {
    const literals = 257 + this.#number(5)
    const distances = 1 + this.#number(5)
    const given = 4 + this.#number(4)
    // The text allows 32 distances, of which two can mean nothing; no inflater takes them.
    if (literals > 286 || distances > 30) throw new Fault('INVALID_DEFLATE')
    const codeLengths = Array<number>(19).fill(0)
    for (const symbol of CODE_LENGTH_ORDER.slice(0, given)) codeLengths[symbol] = this.#number(3)
    if (this.#asZlib && codeLengths.every((length) => length === 0)) this.#number(literals + distances)
    const lengths = this.#lengths(makeCodes(codeLengths, false), literals + distances)
    if (lengths[END_OF_BLOCK] === 0) throw new Fault('INVALID_DEFLATE')
    this.#coded(makeCodes(lengths.slice(0, literals), true), makeCodes(lengths.slice(literals), true))
  }

  /** The code lengths of both alphabets in one sequence; repetitions may cross from one to the other. */
  #lengths(codes: Codes, count: number): number[] {
    const lengths: number[] = []
    while (lengths.length < count) {
      const symbol = this.#symbol(codes)
      const last = lengths.at(-1)
      if (symbol < 16) lengths.push(symbol)
      else if (symbol === 17) lengths.push(...Array<number>(3 + this.#number(3)).fill(0))
      else if (symbol === 18) lengths.push(...Array<number>(11 + this.#number(7)).fill(0))
      else if (last !== undefined) lengths.push(...Array<number>(3 + this.#number(2)).fill(last))
      else throw new Fault('INVALID_DEFLATE')
    }
    if (lengths.length > count) throw new Fault('INVALID_DEFLATE')
    return lengths
  }

  #coded(codes: Codes, distances: Codes): void {
    for (let symbol = this.#symbol(codes); symbol !== END_OF_BLOCK; symbol = this.#symbol(codes)) {
      if (symbol < END_OF_BLOCK) this.#emit(symbol)
      else this.#copy(symbol - END_OF_BLOCK - 1, distances)
    }
  }

  #copy(lengthCode: number, distances: Codes): void {
    const length = this.#value(lengthCode, LENGTHS, LENGTH_EXTRA)
    const distance = this.#value(this.#symbol(distances), DISTANCES, DISTANCE_EXTRA)
    for (let left = length; left > 0; left--) this.#emit(this.#back(distance))
  }

  #value(code: number, bases: readonly number[], extra: readonly number[]): number {
    const [base, bits] = [bases[code], extra[code]]
    if (base === undefined || bits === undefined) throw new Fault('INVALID_DEFLATE')
    return base + this.#number(bits)
  }

  #emit(byte: number): void {
    if (this.#at > this.#payloadBits) throw new Fault('INVALID_DEFLATE') // out of the tail
    this.#nextPiece()
    this.output.push(byte)
    if (!this.#asZlib) this.#checkLimit()
  }

  /** The byte that lies so far back. */
  #back(distance: number): number {
    this.#nextPiece()
    if (distance > this.#reach()) throw new Fault('INVALID_DEFLATE')
    const at = this.output.length - distance
    return (at >= 0 ? this.output[at] : this.#window.at(at)) ?? 0
  }

  /** How far back a distance may reach. */
  #reach(): number {
    const start = this.#asZlib ? this.#pieceStart : this.output.length
    return this.output.length - start + Math.min(this.#windowSize, this.#window.length + start)
  }

  #nextPiece(): void {
    if (!this.#asZlib || this.output.length - this.#pieceStart < this.#piece) return
    this.#checkLimit()
    this.#pieceStart = this.output.length
  }

  #checkLimit(): void {
    if (this.output.length > this.#limit) throw new Fault('MESSAGE_TOO_BIG')
  }

  #symbol(codes: Codes): number {
    for (let code = 2 + this.#bit(); code < 2 ** 16; code = 2 * code + this.#bit()) {
      const symbol = codes.get(code)
      if (symbol !== undefined) return symbol
      // Of an incomplete set, one bit has shown that there is no such code.
      if (codes.size <= 1) break
    }
    throw new Fault('INVALID_DEFLATE')
  }

  #bit(): number {
    if (this.#at >= this.#payloadBits) this.#checkLimit()
    const byte = this.#bytes[Math.floor(this.#at / 8)]
    if (byte === undefined) throw new Fault('INVALID_DEFLATE')
    return (byte >> (this.#at++ % 8)) & 1
  }

  /** §3.1.1: the least significant bit comes first. */
  #number(width: number): number {
    let value = 0
    for (let index = 0; index < width; index++) value += this.#bit() << index
    return value
  }

  #align(): void {
    this.#at = 8 * Math.ceil(this.#at / 8)
  }
}
