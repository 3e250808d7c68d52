import { describe, expect, test } from 'vitest'
import { UsageError } from '../src/index.ts'
import {
  defineInterface,
  orSyntaxError,
  toCloseArguments,
  toPayload,
  toProtocols,
  toUnsignedShort,
} from '../src/web-idl.ts'

describe('orSyntaxError', () => {
  test('a UsageError becomes a DOMException with the same words', () => {
    const check = () => {
      throw new UsageError('words')
    }
    expect(() => orSyntaxError(check)).toThrow(new DOMException('words', 'SyntaxError'))
  })
  test('all else passes', () => {
    expect(orSyntaxError(() => 5)).toBe(5)
    const check = () => {
      throw new RangeError('other')
    }
    expect(() => orSyntaxError(check)).toThrow(RangeError)
  })
})

test('defineInterface', () => {
  const prototype = Object.defineProperty({}, 'member', { value: 5, configurable: true })
  defineInterface(prototype, 'Name', ['member'])
  expect(Object.keys(prototype)).toEqual(['member'])
  expect(String(prototype)).toBe('[object Name]')
})

test.each([
  [1000, 1000],
  [-1, 65535],
  [65536, 0],
  [1.9, 1],
  [Number.NaN, 0],
  ['5', 5],
  [null, 0],
])('toUnsignedShort(%j) is %i', (value, short) => {
  expect(toUnsignedShort(value)).toBe(short)
})

test('[R1] toProtocols', () => {
  expect(toProtocols('a')).toEqual(['a'])
  expect(toProtocols(['a', 5])).toEqual(['a', '5'])
  expect(toProtocols(new Set(['a', 'b']))).toEqual(['a', 'b'])
  expect(toProtocols(5)).toEqual(['5'])
  expect(toProtocols(null)).toEqual(['null'])
  expect(toProtocols({ protocols: 'a' })).toBe(undefined)
  expect(toProtocols({ [Symbol.iterator]: null, length: 2 })).toBe(undefined)
  expect(toProtocols({ [Symbol.iterator]: undefined })).toBe(undefined)
  expect(() => toProtocols({ [Symbol.iterator]: 5 })).toThrow(TypeError)
  expect(() => toProtocols(Symbol('a'))).toThrow(TypeError)
})

describe('[R4] [R5] [L4] [L5] toCloseArguments', () => {
  test.each<[unknown[], object]>([
    [[undefined, undefined], { code: undefined, reason: '' }],
    [[1000, undefined], { code: 1000, reason: '' }],
    [['1000', 5], { code: 1000, reason: '5' }],
    [[3000, 'a'], { code: 3000, reason: 'a' }],
    [[4999, null], { code: 4999, reason: 'null' }],
    [[1000.4, ''], { code: 1000, reason: '' }],
    [[999.5, ''], { code: 1000, reason: '' }],
    [[1000.5, ''], { code: 1000, reason: '' }],
    [[2999.5, ''], { code: 3000, reason: '' }],
    [[4999.5 - 0.1, ''], { code: 4999, reason: '' }],
    [['0xbb8', ''], { code: 3000, reason: '' }],
    [[{ valueOf: () => 4000 }, { toString: () => 'mine' }], { code: 4000, reason: 'mine' }],
    [[1000, `${'ä'.repeat(61)}a`], { code: 1000, reason: `${'ä'.repeat(61)}a` }],
    [[undefined, 'a'.repeat(123)], { code: 1000, reason: 'a'.repeat(123) }],
  ])('%j', ([code, reason], expected) => {
    expect(toCloseArguments(code, reason)).toEqual(expected)
  })

  test.each([
    0,
    500,
    999,
    1001,
    1005,
    1006,
    1015,
    2999,
    5000,
    Number.NaN,
    'string',
    null,
    0x1_0000 + 1000,
    -1000,
    1001.5,
    4999.5,
    2999.4,
    true,
    '',
    [],
    {},
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e20,
  ])('code %s', (code) => {
    expect(() => toCloseArguments(code, '')).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
  })

  test.each(['a'.repeat(124), 'ä'.repeat(62), '\ud800'.repeat(42)])('reason %s', (reason) => {
    expect(() => toCloseArguments(1000, reason)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })

  test('both are converted before either is judged', () => {
    const error = new Error('mine')
    const reason = {
      toString() {
        throw error
      },
    }
    expect(() => toCloseArguments(5, reason)).toThrow(error)
  })

  test('what cannot be converted', () => {
    expect(() => toCloseArguments(Symbol('a'), '')).toThrow(TypeError)
    expect(() => toCloseArguments(1000n, '')).toThrow(TypeError)
    expect(() => toCloseArguments(1000, Symbol('a'))).toThrow(TypeError)
  })
})

describe('[R9] [R10] toPayload', () => {
  test.each([
    ['µ', 'µ', 2],
    ['', '', 0],
    ['\ud800', '\ud800', 3],
    [null, 'null', 4],
    [undefined, 'undefined', 9],
    [5, '5', 1],
    [{}, '[object Object]', 15],
    [['a', 'b'], 'a,b', 3],
  ])('text from %j', (value, data, size) => {
    expect(toPayload(value)).toEqual({ data, size })
  })

  test('bytes: exactly the window of the view', () => {
    const bytes = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7)
    expect(toPayload(bytes.buffer)).toEqual({ data: bytes, size: 8 })
    expect(toPayload(bytes.subarray(2, 5))).toEqual({ data: Uint8Array.of(2, 3, 4), size: 3 })
    expect(toPayload(new DataView(bytes.buffer, 6))).toEqual({ data: Uint8Array.of(6, 7), size: 2 })
    expect(toPayload(new Uint16Array(bytes.buffer, 2, 1))).toEqual({ data: Uint8Array.of(2, 3), size: 2 })
    expect(toPayload(new Float32Array(20)).size).toBe(80)
  })

  test('a Blob', () => {
    const blob = new Blob(['abc'])
    expect(toPayload(blob)).toEqual({ data: blob, size: 3 })
  })

  test('what cannot be sent', () => {
    expect(() => toPayload(Symbol('a'))).toThrow(TypeError)
    expect(() => toPayload(new Uint8Array(new SharedArrayBuffer(1)))).toThrow(TypeError)
    const resizable = new (ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer)(1, {
      maxByteLength: 2,
    })
    expect(() => toPayload(resizable)).toThrow(TypeError)
    expect(() => toPayload(new Uint8Array(resizable))).toThrow(TypeError)
  })
})
