import { describe, expect, test } from 'vitest'
import { UsageError } from '../src/index.ts'
import { orSyntaxError, toCloseArguments, toPayload, toProtocols } from '../src/web-idl.ts'

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

test('[R1] toProtocols', () => {
  expect(toProtocols('a')).toEqual(['a'])
  expect(toProtocols(['a', 5])).toEqual(['a', '5'])
  expect(toProtocols(new Set(['a', 'b']))).toEqual(['a', 'b'])
  expect(toProtocols(5)).toEqual(['5'])
  expect(toProtocols(null)).toEqual(['null'])
  expect(toProtocols({ protocols: 'a' })).toBe(undefined)
  expect(() => toProtocols(Symbol('a'))).toThrow(TypeError)
})

describe('[R4] [R5] [L4] [L5] toCloseArguments', () => {
  test.each([
    [[undefined, undefined], { code: undefined, reason: '' }],
    [[1000, undefined], { code: 1000, reason: '' }],
    [['1000', 5], { code: 1000, reason: '5' }],
    [[3000, 'a'], { code: 3000, reason: 'a' }],
    [[4999, null], { code: 4999, reason: 'null' }],
    [[1000.4, ''], { code: 1000, reason: '' }],
    [[999.5, ''], { code: 1000, reason: '' }],
    [[1000.5, ''], { code: 1000, reason: '' }],
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
  ])('code %s', (code) => {
    expect(() => toCloseArguments(code, '')).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
  })

  test.each(['a'.repeat(124), 'ä'.repeat(62), '\ud800'.repeat(42)])('reason %s', (reason) => {
    expect(() => toCloseArguments(1000, reason)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
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
