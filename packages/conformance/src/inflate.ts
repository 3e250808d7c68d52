// Inflating what the target sends (RFC 1951, RFC 7692 §7.2.2), slowly and obviously, without zlib. It is strict where zlib is
// not: a distance past the agreed window is a fault, also within a message, and so is a payload that ends within a block.

const FLUSH = Uint8Array.of(0x00, 0x00, 0xff, 0xff)
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const END_OF_BLOCK = 256
const MAX_CODE_BITS = 15

/** Base and extra bits of the codes 257 to 285, and of the distance codes (RFC 1951 §3.2.5). */
const LENGTHS = ranges(3, [8, 4, 4, 4, 4, 4], 28).concat([{ base: 258, extra: 0 }])
const DISTANCES = ranges(1, [4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2], 30)

function ranges(first: number, perExtra: readonly number[], count: number): { base: number; extra: number }[] {
  const list: { base: number; extra: number }[] = []
  let base = first
  perExtra.forEach((codes, extra) => {
    for (let code = 0; code < codes && list.length < count; code++) {
      list.push({ base, extra })
      base += 2 ** extra
    }
  })
  return list
}

/** How many codes there are of each length, and the symbols in the order of their codes (RFC 1951 §3.2.2). */
interface Codes {
  readonly counts: readonly number[]
  readonly symbols: readonly number[]
}

function codesOf(lengths: readonly number[]): Codes {
  const counts = Array.from({ length: MAX_CODE_BITS + 1 }, () => 0)
  const symbols: number[] = []
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    lengths.forEach((length, symbol) => {
      if (length === bits) symbols.push(symbol)
    })
    counts[bits] = lengths.filter((length) => length === bits).length
  }
  return { counts, symbols }
}

const FIXED_LITERALS = codesOf(
  Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
)
const FIXED_DISTANCES = codesOf(Array.from({ length: 30 }, () => 5))

/** Inflates the messages of one direction. */
export class MessageInflater {
  readonly #window: number
  readonly #takeover: boolean
  #before: Uint8Array = new Uint8Array(0)

  constructor({ bits, takeover }: { readonly bits: number; readonly takeover: boolean }) {
    this.#window = 2 ** bits
    this.#takeover = takeover
  }

  /** The content of a message. @throws Error if a correct end cannot have sent it */
  inflate(payload: Uint8Array): Buffer {
    const stream = new Stream(Buffer.concat([payload, FLUSH]), this.#before, this.#window)
    const all = stream.inflate()
    if (this.#takeover) this.#before = all.subarray(Math.max(all.length - this.#window, 0))
    return Buffer.from(all.subarray(stream.start))
  }
}

class Stream {
  readonly start: number
  readonly #input: Uint8Array
  readonly #window: number
  #bit = 0
  #output: Uint8Array
  #size: number

  constructor(input: Uint8Array, before: Uint8Array, window: number) {
    this.#input = input
    this.#window = window
    this.start = before.length
    this.#size = before.length
    this.#output = new Uint8Array(before.length + 4 * input.length)
    this.#output.set(before)
  }

  /** What came before, and the content. */
  inflate(): Uint8Array {
    while (this.#bit < 8 * this.#input.length) this.#block()
    return this.#output.subarray(0, this.#size)
  }

  /** Whether what was read last lies in the tail, which is the rest of an empty block and gives nothing (RFC 7692 §7.2.1). */
  get #inTail(): boolean {
    return this.#bit > 8 * (this.#input.length - FLUSH.length)
  }

  #block(): void {
    const final = this.#bits(1) === 1
    const type = this.#bits(2)
    if (type === 0) this.#stored()
    else if (type === 1) this.#compressed(FIXED_LITERALS, FIXED_DISTANCES)
    else if (type === 2) this.#compressed(...this.#dynamicCodes())
    else throw new Error('compressed: a block of type 3')
    if (final) this.#align() // the message may go on with a new stream (RFC 7692 §7.2.3.4)
  }

  #stored(): void {
    this.#align()
    const size = this.#bits(16)
    if ((this.#bits(16) ^ size) !== 0xffff) throw new Error('compressed: the length of a stored block is wrong')
    for (let left = size; left > 0; left--) this.#put(this.#bits(8))
  }

  #compressed(literals: Codes, distances: Codes): void {
    for (let symbol = this.#symbol(literals); symbol !== END_OF_BLOCK; symbol = this.#symbol(literals)) {
      if (symbol < END_OF_BLOCK) this.#put(symbol)
      else this.#copy(this.#range(LENGTHS, symbol - END_OF_BLOCK - 1), this.#range(DISTANCES, this.#symbol(distances)))
    }
  }

  #copy(length: number, distance: number): void {
    if (distance > this.#size) throw new Error(`compressed: a distance of ${distance}, before all that was sent`)
    if (distance > this.#window)
      throw new Error(`compressed: a distance of ${distance}, in a window of ${this.#window}`)
    for (let left = length; left > 0; left--) this.#put(this.#output[this.#size - distance] as number)
  }

  #dynamicCodes(): [Codes, Codes] {
    const literals = this.#bits(5) + 257
    const distances = this.#bits(5) + 1
    const few = this.#bits(4) + 4
    const lengths = Array.from({ length: LENGTH_ORDER.length }, () => 0)
    for (let at = 0; at < few; at++) lengths[LENGTH_ORDER[at] as number] = this.#bits(3)
    const all = this.#codeLengths(codesOf(lengths), literals + distances)
    return [codesOf(all.slice(0, literals)), codesOf(all.slice(literals))]
  }

  #codeLengths(codes: Codes, count: number): number[] {
    const lengths: number[] = []
    while (lengths.length < count) {
      const symbol = this.#symbol(codes)
      if (symbol < 16) lengths.push(symbol)
      else if (symbol === 16) lengths.push(...Array.from({ length: this.#bits(2) + 3 }, () => lengths.at(-1) ?? 0))
      else lengths.push(...Array.from({ length: symbol === 17 ? this.#bits(3) + 3 : this.#bits(7) + 11 }, () => 0))
    }
    return lengths
  }

  /** Reads one code, bit by bit: codes of one length follow each other (RFC 1951 §3.2.2). */
  #symbol({ counts, symbols }: Codes): number {
    let code = 0
    let first = 0
    let index = 0
    for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
      code |= this.#bits(1)
      const count = counts[bits] as number
      if (code - first < count) return symbols[index + code - first] as number
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    throw new Error('compressed: a code that is none')
  }

  #range(list: readonly { readonly base: number; readonly extra: number }[], index: number): number {
    const range = list[index]
    if (range === undefined) throw new Error('compressed: a length or distance that is none')
    return range.base + this.#bits(range.extra)
  }

  #bits(count: number): number {
    let value = 0
    for (let bit = 0; bit < count; bit++, this.#bit++) {
      const byte = this.#input[this.#bit >> 3]
      if (byte === undefined) throw new Error('compressed: the message ends within a block')
      value |= ((byte >> (this.#bit & 7)) & 1) << bit
    }
    return value
  }

  #align(): void {
    this.#bit = (this.#bit + 7) & ~7
  }

  #put(byte: number): void {
    if (this.#inTail) throw new Error('compressed: the message is cut short')
    if (this.#size === this.#output.length) {
      const larger = new Uint8Array(2 * this.#size)
      larger.set(this.#output)
      this.#output = larger
    }
    this.#output[this.#size++] = byte
  }
}
