// UTF-8 (RFC 3629), portable and incremental: no TextDecoder, since that strips a byte order mark and is not of the
// language. The validator fails on the first byte that no valid text can have there (STANDARDS K3, K4).

const CONTINUATION_LOW = 0x80
const CONTINUATION_HIGH = 0xbf
const REPLACEMENT = 0xfffd
/** `String.fromCharCode` takes its units as arguments; this many at once are safe on every engine. */
const UNITS_AT_ONCE = 4096

/** Validates text that arrives in pieces, at any split. */
export class Utf8Validator {
  /** How many continuation bytes the code point in progress still needs, and what the next of them may be. */
  #needed = 0
  #low = CONTINUATION_LOW
  #high = CONTINUATION_HIGH

  /** Whether what was pushed ends between two code points. */
  get complete(): boolean {
    return this.#needed === 0
  }

  /** Forgets a code point in progress: the next push begins a new text. */
  reset(): void {
    this.#needed = 0
    this.#low = CONTINUATION_LOW
    this.#high = CONTINUATION_HIGH
  }

  /**
   * Validates `bytes[start, end)` as the next piece.
   * @returns the index of the first byte that cannot stand where it does, or −1
   */
  push(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = bytes[at]
      if (this.#needed > 0) {
        if (byte < this.#low || byte > this.#high) return at
        this.#needed--
        this.#low = CONTINUATION_LOW
        this.#high = CONTINUATION_HIGH
      } else if (byte >= 0x80 && !this.#lead(byte)) {
        return at
      }
    }
    return -1
  }

  /** Takes the first byte of a sequence of two to four; the table of RFC 3629 §4. */
  #lead(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false // stray continuation, overlong two-byte form, past U+10FFFF
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    if (byte === 0xe0)
      this.#low = 0xa0 // overlong
    else if (byte === 0xed)
      this.#high = 0x9f // surrogates
    else if (byte === 0xf0)
      this.#low = 0x90 // overlong
    else if (byte === 0xf4) this.#high = 0x8f // past U+10FFFF
    return true
  }
}

/** Whether `bytes[start, end)` is a whole valid text. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  const validator = new Utf8Validator()
  return validator.push(bytes, start, end) < 0 && validator.complete
}

/** Decodes `bytes[start, end)`, which must have been validated. A leading U+FEFF is data and stays (STANDARDS K6). */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  let units: number[] = []
  for (let at = start; at < end; ) {
    const byte = bytes[at]
    const size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    pushUnits(units, codePointAt(bytes, at, size))
    at += size
    if (units.length >= UNITS_AT_ONCE) {
      text += String.fromCharCode(...units)
      units = []
    }
  }
  return text + String.fromCharCode(...units)
}

function codePointAt(bytes: Uint8Array, at: number, size: number): number {
  const lead = bytes[at]
  if (size === 1) return lead
  let point = lead & (0x7f >> size)
  for (let next = at + 1; next < at + size; next++) point = (point << 6) | (bytes[next] & 0x3f)
  return point
}

function pushUnits(units: number[], point: number): void {
  if (point < 0x10000) units.push(point)
  else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff))
}

/** The code point of one element of a string's iteration, which never is empty. */
function pointOf(character: string): number {
  return character.codePointAt(0) as number
}

/** The size of `text` in UTF-8, in bytes; a lone surrogate counts as U+FFFD (STANDARDS K7). */
export function utf8Length(text: string): number {
  let length = 0
  for (const character of text) {
    const point = pointOf(character)
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return length
}

/** Encodes text; a lone surrogate becomes U+FFFD (STANDARDS K7). */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text))
  let at = 0
  for (const character of text) {
    const point = pointOf(character)
    at = writeCodePoint(bytes, at, point >= 0xd800 && point <= 0xdfff ? REPLACEMENT : point)
  }
  return bytes
}

function writeCodePoint(bytes: Uint8Array, offset: number, point: number): number {
  let at = offset
  if (point < 0x80) {
    bytes[at++] = point
  } else if (point < 0x800) {
    bytes[at++] = 0xc0 | (point >> 6)
    bytes[at++] = 0x80 | (point & 0x3f)
  } else if (point < 0x10000) {
    bytes[at++] = 0xe0 | (point >> 12)
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
    bytes[at++] = 0x80 | (point & 0x3f)
  } else {
    bytes[at++] = 0xf0 | (point >> 18)
    bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
    bytes[at++] = 0x80 | (point & 0x3f)
  }
  return at
}
