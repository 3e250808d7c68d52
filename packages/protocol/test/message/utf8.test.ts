import { isUtf8 as nodeIsUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8, isUtf8, Utf8Validator, utf8Length } from '../../src/message/utf8.ts'
import { concat, hex, toHex } from '../support/bytes.ts'
import { firstImpossible } from '../support/reference.ts'

/** A fatal decoder that keeps a byte order mark: the oracle of what is valid, and of what it means. */
const oracle = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function accepts(bytes: Uint8Array): boolean {
  try {
    oracle.decode(bytes)
    return true
  } catch {
    return false
  }
}

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte)
/** Bytes on both sides of every border of the table in RFC 3629 §4. */
const BORDERS = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xff]

/** Sequences on which validator and oracles differ, in whether they are valid or in the first impossible byte. */
function differences(sequences: Iterable<readonly number[]>): string[] {
  const wrong: string[] = []
  for (const sequence of sequences) {
    const bytes = Uint8Array.from(sequence)
    const validator = new Utf8Validator()
    const index = validator.push(bytes, 0, bytes.length)
    const valid = index < 0 && validator.complete
    if (valid !== nodeIsUtf8(bytes) || valid !== isUtf8(bytes, 0, bytes.length) || index !== firstImpossible(bytes)) {
      wrong.push(toHex(bytes))
    }
  }
  return wrong
}

function* product(...columns: readonly (readonly number[])[]): Generator<number[]> {
  const [first, ...rest] = columns
  if (first === undefined) return yield []
  for (const head of first) for (const tail of product(...rest)) yield [head, ...tail]
}

describe('validity and the first impossible byte [K1, K3, K4, K5]', () => {
  test('all sequences of one byte', () => {
    expect(differences(product(ALL_BYTES))).toEqual([])
    expect(ALL_BYTES.filter((byte) => isUtf8(Uint8Array.of(byte), 0, 1))).toEqual(
      ALL_BYTES.filter((byte) => byte < 0x80),
    )
  })

  test('all sequences of two bytes', () => {
    expect(differences(product(ALL_BYTES, ALL_BYTES))).toEqual([])
  })

  test('all lead and second bytes of three, with the borders of the third', () => {
    expect(differences(product(ALL_BYTES.slice(0xe0, 0xf0), ALL_BYTES, BORDERS))).toEqual([])
  })

  test('the borders of four bytes', () => {
    const leads = [0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfc, 0xff]
    expect(differences(product(leads, BORDERS, BORDERS, BORDERS))).toEqual([])
  })

  test('all lead and second bytes of four', () => {
    expect(differences(product(ALL_BYTES.slice(0xf0), ALL_BYTES, [0x80], [0xbf]))).toEqual([])
  })

  test('what follows a code point in progress is judged as its continuation', () => {
    const begun = [[0xc2], [0xe0], [0xe1, 0x80], [0xed], [0xf0], [0xf0, 0x90], [0xf1, 0x80, 0x80], [0xf4]]
    expect(
      differences(begun.flatMap((head) => [...product(ALL_BYTES, [0x41, 0x80])].map((tail) => [...head, ...tail]))),
    ).toEqual([])
  })

  test('any bytes, against TextDecoder', () => {
    const mostlyText = fc
      .tuple(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.uint8Array({ maxLength: 3 }),
        fc.string({ unit: 'binary', maxLength: 20 }),
      )
      .map(([before, between, after]) =>
        concat(new TextEncoder().encode(before), between, new TextEncoder().encode(after)),
      )
    fc.assert(
      fc.property(mostlyText, (bytes) => {
        expect(isUtf8(bytes, 0, bytes.length)).toBe(accepts(bytes))
        expect(new Utf8Validator().push(bytes, 0, bytes.length)).toBe(firstImpossible(bytes))
      }),
      { numRuns: 500 },
    )
  })

  test.each<[string, string, number]>([
    ['overlong two bytes', 'c080', 0],
    ['overlong two bytes', 'c1bf', 0],
    ['overlong three bytes', 'e09fbf', 1],
    ['overlong four bytes', 'f08fbfbf', 1],
    ['the first surrogate', 'eda080', 1],
    ['the last surrogate', 'edbfbf', 1],
    ['past U+10FFFF', 'f4908080', 1],
    ['a lead byte of no code point', 'f5', 0],
    ['five bytes', 'f888808080', 0],
    ['a continuation alone', '6180', 1],
    ['text in place of a continuation', 'e28261', 2],
  ])('%s (%s) is impossible from byte %i on [K4]', (_, bytes, index) => {
    expect(new Utf8Validator().push(hex(bytes), 0, hex(bytes).length)).toBe(index)
  })

  test.each([
    ['U+0000', '00'],
    ['U+FFFD', 'efbfbd'],
    ['U+FFFE', 'efbfbe'],
    ['U+FFFF', 'efbfbf'],
    ['U+1FFFE', 'f09fbfbe'],
    ['U+10FFFF', 'f48fbfbf'],
    ['U+D7FF', 'ed9fbf'],
    ['U+E000', 'ee8080'],
    ['U+FEFF', 'efbbbf'],
  ])('%s is valid [K5]', (_, bytes) => {
    expect(isUtf8(hex(bytes), 0, hex(bytes).length)).toBe(true)
  })
})

describe('Utf8Validator', () => {
  const text = hex('48 c3a9 e282ac f09f9880 eda080')

  test('takes text in pieces, at any split [K2, K3]', () => {
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const validator = new Utf8Validator()
        const found = [
          [0, first],
          [first, second],
          [second, text.length],
        ].map(([start = 0, end = 0]) => validator.push(text, start, end))
        expect(found.filter((index) => index >= 0)[0]).toBe(11)
      }
    }
  })

  test('complete tells whether a code point is in progress', () => {
    const validator = new Utf8Validator()
    const states = [validator.complete]
    for (let at = 0; at < 10; at++) {
      expect(validator.push(text, at, at + 1)).toBe(-1)
      states.push(validator.complete)
    }
    //                       48    c3     a9    e2     82     ac    f0     9f     98     80
    expect(states).toEqual([true, true, false, true, false, false, true, false, false, false, true])
  })

  test.each([0xe0, 0xed, 0xf0, 0xf4, 0xc2, 0xe1])('reset forgets a code point begun with 0x%x', (lead) => {
    const validator = new Utf8Validator()
    validator.push(Uint8Array.of(lead), 0, 1)
    expect(validator.complete).toBe(false)
    validator.reset()
    expect(validator.complete).toBe(true)
    // The limits of the second byte are forgotten as well: these two are the least and the greatest.
    expect(validator.push(hex('e18080 e1bfbf'), 0, 6)).toBe(-1)
    expect(validator.complete).toBe(true)
  })

  test('looks at its range only', () => {
    expect(new Utf8Validator().push(hex('ff 61 62 ff'), 1, 3)).toBe(-1)
    expect(new Utf8Validator().push(hex('ff 61 62 ff'), 1, 4)).toBe(3)
    expect(isUtf8(hex('ff 61 62 ff'), 1, 3)).toBe(true)
    expect(isUtf8(hex('ff 61 62 ff'), 0, 3)).toBe(false)
  })
})

describe('decodeUtf8', () => {
  test('every code point, against TextDecoder', () => {
    const points = Array.from({ length: 0x110000 }, (_, point) => point).filter(
      (point) => point < 0xd800 || point > 0xdfff,
    )
    for (let at = 0; at < points.length; at += 10_000) {
      const expected = String.fromCodePoint(...points.slice(at, at + 10_000))
      const bytes = new TextEncoder().encode(expected)
      const decoded = decodeUtf8(bytes, 0, bytes.length)
      expect(decoded === expected).toBe(true)
      expect(toHex(encodeUtf8(expected)) === toHex(bytes)).toBe(true)
      expect(utf8Length(expected)).toBe(bytes.length)
    }
  })

  test('keeps a leading byte order mark [K6]', () => {
    expect(decodeUtf8(hex('efbbbf61'), 0, 4)).toBe('\uFEFFa')
    expect(decodeUtf8(hex('efbbbf61'), 0, 4).length).toBe(2)
  })

  test('decodes its range only', () => {
    expect(decodeUtf8(hex('61 c3a9 62'), 1, 3)).toBe('é')
    expect(decodeUtf8(hex('61'), 1, 1)).toBe('')
  })

  test.each([4095, 4096, 4097, 8192, 100_000])('%i units and more', (length) => {
    const ascii = 'x'.repeat(length)
    const pairs = `a${'😀'.repeat(length)}`
    for (const text of [ascii, pairs]) {
      const bytes = new TextEncoder().encode(text)
      expect(decodeUtf8(bytes, 0, bytes.length) === text).toBe(true)
    }
  })

  test('any text comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const bytes = encodeUtf8(text)
        expect(decodeUtf8(bytes, 0, bytes.length)).toBe(oracle.decode(bytes))
      }),
      { numRuns: 300 },
    )
  })
})

describe('encodeUtf8 and utf8Length', () => {
  test.each([
    ['', ''],
    ['\0', '00'],
    ['\x7f\x80', '7fc280'],
    ['\u07ff\u0800', 'dfbfe0a080'],
    ['\uffff\u{10000}', 'efbfbff0908080'],
    ['\u{10ffff}', 'f48fbfbf'],
    ['\uFEFF', 'efbbbf'],
    ['µ', 'c2b5'],
  ])('%j', (text, bytes) => {
    expect(toHex(encodeUtf8(text))).toBe(bytes)
    expect(utf8Length(text)).toBe(bytes.length / 2)
  })

  test.each([
    ['a high one alone', '\uD800', 'efbfbd'],
    ['a low one alone', '\uDC00', 'efbfbd'],
    ['two in the wrong order', '\uDC00\uD800', 'efbfbdefbfbd'],
    ['a high one before a letter', '\uDBFFx', 'efbfbd78'],
    ['a high one before a pair', '\uD83D\u{1f600}', 'efbfbdf09f9880'],
    ['the last low one', 'x\uDFFF', '78efbfbd'],
  ])('a lone surrogate becomes U+FFFD: %s [K7]', (_, text, bytes) => {
    expect(toHex(encodeUtf8(text))).toBe(bytes)
    expect(utf8Length(text)).toBe(bytes.length / 2)
  })

  test('any string, lone surrogates too, against TextEncoder [K7]', () => {
    const units = fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff })), { maxLength: 40 })
    fc.assert(
      fc.property(units, (codes) => {
        const text = String.fromCharCode(...codes)
        const expected = new TextEncoder().encode(text)
        expect(toHex(encodeUtf8(text))).toBe(toHex(expected))
        expect(utf8Length(text)).toBe(expected.length)
      }),
      { numRuns: 500 },
    )
  })
})
