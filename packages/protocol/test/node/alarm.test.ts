// Alarms share timers, never ring early and at most about 6 % late.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LONGEST_DELAY } from '../../src/limits.ts'
import { Alarm } from '../../src/node/alarm.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

test.each([1, 15, 16, 100, 1000, 10_000, 30_000, 3_600_000])(
  '%d ms: not early, and late by a sixteenth at most',
  (delay) => {
    for (const offset of [0, 1, delay / 7, delay / 3]) {
      vi.advanceTimersByTime(offset)
      const start = performance.now()
      let rang = Number.NaN
      const wake = (): void => {
        rang = performance.now() - start
      }
      new Alarm(wake).set(delay)
      vi.advanceTimersByTime(delay - 1)
      expect(rang).toBeNaN()
      vi.advanceTimersByTime(delay / 16 + 3)
      expect(rang).toBeGreaterThanOrEqual(delay)
      expect(rang).toBeLessThanOrEqual(delay + delay / 16 + 2)
    }
  },
)

test('ten thousand alarms of one delay take a handful of timers', () => {
  const alarms = Array.from({ length: 10_000 }, () => new Alarm(() => {}))
  for (const alarm of alarms) {
    alarm.set(30_000)
    vi.advanceTimersByTime(1)
  }
  expect(vi.getTimerCount()).toBeLessThanOrEqual(12)
  for (const alarm of alarms) alarm.clear()
  expect(vi.getTimerCount()).toBe(0)
})

test('set again moves it, clear ends it, both from within other alarms of the same bucket', () => {
  const log: string[] = []
  const cleared = new Alarm(() => log.push('cleared'))
  const moved = new Alarm(() => log.push('moved'))
  const wake = (): void => {
    log.push('first')
    cleared.clear()
    moved.set(1000)
  }
  const first = new Alarm(wake)
  first.set(100)
  cleared.set(100)
  moved.set(100)
  expect([first.pending, cleared.pending]).toEqual([true, true])
  vi.advanceTimersByTime(200)
  expect([log, first.pending, cleared.pending, moved.pending]).toEqual([['first'], false, false, true])
  vi.advanceTimersByTime(1100)
  expect(log).toEqual(['first', 'moved'])
  cleared.clear()
})

test('the longest delay is one: rounded up it would overflow the timer, which then rings at once', () => {
  let rang = 0
  const alarm = new Alarm(() => rang++)
  alarm.set(2 * LONGEST_DELAY)
  vi.advanceTimersByTime(LONGEST_DELAY - 1)
  expect(rang).toBe(0)
  vi.advanceTimersByTime(1)
  expect(rang).toBe(1)
})
