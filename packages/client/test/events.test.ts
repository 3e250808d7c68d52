import { expect, test } from 'vitest'
import { CloseEvent } from '../src/index.ts'

test('[R13] CloseEvent', () => {
  const event = new CloseEvent('close', { wasClean: true, code: 1000, reason: 'done' })
  expect(event).toBeInstanceOf(Event)
  expect([event.type, event.wasClean, event.code, event.reason]).toEqual(['close', true, 1000, 'done'])
  expect([event.bubbles, event.cancelable]).toEqual([false, false])
  expect(String(event)).toBe('[object CloseEvent]')
})

test('its defaults', () => {
  const event = new CloseEvent('close')
  expect([event.wasClean, event.code, event.reason]).toEqual([false, 0, ''])
})
