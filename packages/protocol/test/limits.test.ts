import { constants } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../src/errors.ts'
import { integerOption, LARGEST_MAX_PAYLOAD } from '../src/limits.ts'

describe('integerOption', () => {
  test.each([
    [undefined, 5],
    [0, 0],
    [1, 1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('%s gives %s', (value, result) => {
    expect(integerOption('size', value, 5)).toBe(result)
  })

  test('bounds are included', () => {
    expect(integerOption('size', 2, 5, 2, 9)).toBe(2)
    expect(integerOption('size', 9, 5, 2, 9)).toBe(9)
  })

  test.each<[unknown, string]>([
    [1, '1'],
    [10, '10'],
    [2.5, '2.5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [null, 'null'],
    ['5', '"5"'],
    [5n, '5n'],
  ])('%s is refused with what was expected and what came', (value, shown) => {
    const message = `option size must be an integer from 2 to 9; got ${shown}`
    expect(() => integerOption('size', value as number, 5, 2, 9)).toThrow(new UsageError(message))
  })

  test('by default an integer from 0 to 2^53 − 1', () => {
    const message = 'option size must be an integer from 0 to 9007199254740991; got -1'
    expect(() => integerOption('size', -1, 5)).toThrow(new UsageError(message))
    expect(() => integerOption('size', 2 ** 53, 5)).toThrow(UsageError)
  })
})

test('the largest maxPayload is what a string of this engine can hold', () => {
  expect(LARGEST_MAX_PAYLOAD).toBe(constants.MAX_STRING_LENGTH)
})
