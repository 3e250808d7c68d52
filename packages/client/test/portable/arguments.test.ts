import { describe, expect, test } from 'vitest'
import { toCloseArguments, toProtocols } from '../../src/portable/arguments.ts'

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
