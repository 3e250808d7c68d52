import { expect, test } from 'vitest'
import { median, medians, ratio } from '../src/stats.ts'

test('the median of an odd number of values is the middle one, of an even number the mean of two', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 2, 4, 100])).toBe(7)
  expect(median([3])).toBe(3)
  expect(() => median([])).toThrow(RangeError)
})

test('the median leaves its values as they are', () => {
  const values = [3, 1, 2]
  median(values)
  expect(values).toEqual([3, 1, 2])
})

test('medians are taken figure by figure, over the rounds that have it', () => {
  const rounds = [{ perSecond: 10, p50: 1 }, undefined, { perSecond: 30 }, { perSecond: 20, p50: 3 }]
  expect(medians(rounds)).toEqual({ perSecond: 20, p50: 2 })
  expect(medians([undefined])).toEqual({})
})

test('a ratio is the median of the ratios of rounds, not the ratio of medians', () => {
  const fast = [{ perSecond: 100 }, { perSecond: 30 }, { perSecond: 20 }]
  const slow = [{ perSecond: 10 }, { perSecond: 30 }, { perSecond: 40 }]
  expect(ratio(fast, slow, 'perSecond')).toBe(1) // of 10, 1 and 0.5; the medians are both 30
  expect(ratio(slow, [{ perSecond: 5 }, undefined, { perSecond: 10 }], 'perSecond')).toBe(3)
})

test('there is no ratio without a round that both have', () => {
  expect(ratio([{ perSecond: 1 }, undefined], [undefined, { perSecond: 1 }], 'perSecond')).toBeUndefined()
  expect(ratio([{ perSecond: 1 }], [{ p50: 1 }], 'perSecond')).toBeUndefined()
  expect(ratio([{ perSecond: 1 }], [{ perSecond: 0 }], 'perSecond')).toBeUndefined()
})
