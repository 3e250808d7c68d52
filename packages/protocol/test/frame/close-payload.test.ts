import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import {
  firstCloseFault,
  isWireCloseCode,
  makeClosePayload,
  parseClosePayload,
  truncateUtf8,
} from '../../src/frame/close-payload.ts'
import { concat, hex, toHex, utf8 } from '../support/bytes.ts'
import { firstImpossible, mayBeOnTheWire } from '../support/reference.ts'

const ALL_CODES = Array.from({ length: 65_536 }, (_, code) => code)

function payload(code: number, reason = ''): Uint8Array {
  return concat(Uint8Array.of(code >> 8, code & 0xff), utf8(reason))
}

describe('isWireCloseCode', () => {
  test('every code from 0 to 65535 against the RFC and the registry [L2, L3]', () => {
    expect(ALL_CODES.filter(isWireCloseCode)).toEqual(ALL_CODES.filter(mayBeOnTheWire))
  })

  test.each([1000.5, Number.NaN, Number.POSITIVE_INFINITY, -1000, 65_536 + 1000])('%f is no code', (code) => {
    expect(isWireCloseCode(code)).toBe(false)
  })
})

describe('parseClosePayload', () => {
  test('every code from 0 to 65535 [L2, L3]', () => {
    const wrong = ALL_CODES.filter((code) => {
      const expected = mayBeOnTheWire(code)
        ? { code, reason: '' }
        : { error: 'CLOSE_CODE_INVALID', index: 1, detail: String(code) }
      return JSON.stringify(parseClosePayload(payload(code))) !== JSON.stringify(expected)
    })
    expect(wrong).toEqual([])
  })

  test.each<[string, Uint8Array, object]>([
    ['nothing is 1005 [L13]', hex(''), { code: 1005, reason: '' }],
    ['one byte is no code [L1]', hex('03'), { error: 'CLOSE_PAYLOAD_SIZE', index: 0, detail: '' }],
    ['a reason', payload(1001, 'PASS'), { code: 1001, reason: 'PASS' }],
    ['123 bytes of reason [L5]', payload(4999, 'x'.repeat(123)), { code: 4999, reason: 'x'.repeat(123) }],
    ['a byte order mark stays [K6]', payload(1000, '\uFEFFa'), { code: 1000, reason: '\uFEFFa' }],
    ['a code that may not be sent [L3]', payload(1006, 'x'), { error: 'CLOSE_CODE_INVALID', index: 1, detail: '1006' }],
    ['an impossible byte [L6]', hex('03e8 61 ed a0 80'), { error: 'INVALID_UTF8', index: 4, detail: 'close reason' }],
    [
      'a reason cut short [L6]',
      hex('03e8 61 e2 82'),
      { error: 'INVALID_UTF8', index: 4, detail: 'close reason cut short' },
    ],
    ['code before reason', hex('03ed ff'), { error: 'CLOSE_CODE_INVALID', index: 1, detail: '1005' }],
  ])('%s', (_, bytes, expected) => {
    expect(parseClosePayload(bytes)).toEqual(expected)
  })
})

describe('firstCloseFault', () => {
  test.each(['03e8 61 ed a0 80', '03e8 f4 90 80 80', '03e8 c3 28', '03e8 f0 9f 98 80', '03e7 61', '03e8'])(
    'judges every beginning of %s by what is there [G11, L6]',
    (text) => {
      const bytes = hex(text)
      const faults = Array.from(
        { length: bytes.length + 1 },
        (_, length) => firstCloseFault(bytes, length)?.index ?? -1,
      )
      const expected = Array.from({ length: bytes.length + 1 }, (_, length) => {
        if (length < 2) return -1
        if (!mayBeOnTheWire(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0))) return 1
        const index = firstImpossible(bytes.subarray(2, length))
        return index < 0 ? -1 : index + 2
      })
      expect(faults).toEqual(expected)
    },
  )
})

describe('makeClosePayload', () => {
  test('every code from 0 to 65535: written if it may be on the wire, else thrown [L2, L4]', () => {
    const wrong = ALL_CODES.filter((code) => {
      try {
        return toHex(makeClosePayload(code)) !== code.toString(16).padStart(4, '0') || !mayBeOnTheWire(code)
      } catch (error) {
        const message = `close code must be one of 1000-1003, 1007-1014 or 3000-4999; got ${code}`
        return mayBeOnTheWire(code) || !(error instanceof UsageError) || error.message !== message
      }
    })
    expect(wrong).toEqual([])
  })

  test.each<[string, [code?: number | undefined, reason?: string], string]>([
    ['nothing', [], ''],
    ['an empty reason without a code', [undefined, ''], ''],
    ['a code', [1000], '03e8'],
    ['a reason', [3000, 'bye'], '0bb8627965'],
    ['a lone surrogate as U+FFFD [K7]', [1000, '\uD800'], '03e8efbfbd'],
    ['123 bytes of reason [L5]', [1000, `${'€'.repeat(41)}`], `03e8${'e282ac'.repeat(41)}`],
  ])('%s', (_, given, expected) => {
    expect(toHex(makeClosePayload(...given))).toBe(expected)
  })

  test.each<[string, [code?: unknown, reason?: unknown], string]>([
    [
      '124 bytes, though fewer characters [L5]',
      [1000, `${'€'.repeat(41)}x`],
      'close reason must have at most 123 bytes of UTF-8; got 124',
    ],
    ['a reason without a code', [undefined, 'bye'], 'a close reason needs a close code: close(1000, reason)'],
    ['a reason that is no string', [1000, 5], 'close reason must be a string; got 5'],
    [
      'bytes as a reason [L22]',
      [1000, new Float32Array(20)],
      'close reason must be a string; got an instance of Float32Array',
    ],
    ['null as a reason', [undefined, null], 'close reason must be a string; got null'],
    ['1005 [L4]', [1005], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got 1005'],
    ['a string', ['1000'], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got "1000"'],
    ['a fraction', [1000.5], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got 1000.5'],
    ['null', [null], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got null'],
    ['more than two bytes', [65_536 + 1000], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got 66536'],
  ])('throws on %s', (_, given, message) => {
    expect(() => makeClosePayload(...(given as [number, string]))).toThrow(new UsageError(message))
  })
})

describe('truncateUtf8', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abc', 2, 'ab'],
    ['abc', 0, ''],
    ['', 5, ''],
    ['a€b', 3, 'a'],
    ['a€b', 4, 'a€'],
    ['😀', 3, ''],
    ['😀', 4, '😀'],
    ['é'.repeat(70), 123, 'é'.repeat(61)],
    ['\uD800x', 3, '\uD800'],
  ])('%j to %i bytes', (text, limit, kept) => {
    expect(truncateUtf8(text, limit)).toBe(kept)
  })
})
