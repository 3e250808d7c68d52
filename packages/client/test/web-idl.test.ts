import { describe, expect, test } from 'vitest'
import { UsageError } from '../src/index.ts'
import { defineInterface, orSyntaxError, toPayload, toUnsignedShort } from '../src/web-idl.ts'

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
