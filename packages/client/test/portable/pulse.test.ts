// The heartbeat made of messages, on a clock that a test moves: when it asks, and what it makes of an answer, of none, and of a
// timer that rings late.

import { expect, onTestFinished, test, vi } from 'vitest'
import { startPulse } from '../../src/portable/pulse.ts'

const DEAD = 'dead: no message after the heartbeat'

function pulse() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const seen: string[] = []
  let questions = 0
  const settings = { interval: 1_000, timeout: 100, message: () => `${++questions}` }
  const beating = startPulse(
    settings,
    (question) => seen.push(`asked ${question}`),
    (cause) => seen.push(`dead: ${(cause as Error).message}`),
  )
  onTestFinished(() => {
    beating.stop()
    vi.useRealTimers()
  })
  return { seen, ...beating }
}

test('asks after an interval of silence, and again after an answer', () => {
  const { seen, beat } = pulse()
  vi.advanceTimersByTime(999)
  expect(seen).toEqual([])
  vi.advanceTimersByTime(1)
  expect(seen).toEqual(['asked 1'])
  beat()
  vi.advanceTimersByTime(1_000)
  expect(seen).toEqual(['asked 1', 'asked 2'])
  vi.advanceTimersByTime(100)
  expect(seen).toEqual(['asked 1', 'asked 2', DEAD])
})

test('a message within the interval puts the question off', () => {
  const { seen, beat } = pulse()
  vi.advanceTimersByTime(500)
  beat()
  vi.advanceTimersByTime(1_499)
  expect(seen).toEqual([])
  vi.advanceTimersByTime(1)
  expect(seen).toEqual(['asked 1'])
})

test('probe() asks at once, and only once', () => {
  const { seen, probe } = pulse()
  probe()
  probe()
  expect(seen).toEqual(['asked 1'])
})

test('a timer that rings much too late asks again before it judges', () => {
  const { seen, probe } = pulse()
  probe()
  vi.setSystemTime(Date.now() + 3_600_000)
  vi.advanceTimersByTime(100)
  expect(seen).toEqual(['asked 1', 'asked 2'])
  vi.advanceTimersByTime(100)
  expect(seen).toEqual(['asked 1', 'asked 2', DEAD])
})
