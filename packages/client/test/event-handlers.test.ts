import { expect, test } from 'vitest'
import { defineEventHandlers } from '../src/event-handlers.ts'

class Target extends EventTarget {
  declare onping: unknown
  declare onpong: unknown
}
defineEventHandlers(Target.prototype, ['ping', 'pong'])

test('[R15] null at first, and on the prototype', () => {
  const target = new Target()
  expect([target.onping, target.onpong]).toEqual([null, null])
  expect(Object.keys(target)).toEqual([])
  const attribute = Object.getOwnPropertyDescriptor(Target.prototype, 'onping')
  expect([attribute?.enumerable, attribute?.configurable]).toEqual([true, true])
})

test('[R15] what is assigned is called, with the target as this', () => {
  const target = new Target()
  const calls: unknown[] = []
  const handler = function (this: unknown, event: Event) {
    calls.push(this, event.type)
  }
  target.onping = handler
  expect(target.onping).toBe(handler)
  target.dispatchEvent(new Event('ping'))
  expect(calls).toEqual([target, 'ping'])
})

test.each([2, 'text', null, undefined, {}, true])('[R15] what cannot be called is null: %j', (value) => {
  const target = new Target()
  let calls = 0
  target.onping = () => calls++
  target.onping = value
  expect(target.onping).toBe(null)
  target.dispatchEvent(new Event('ping'))
  expect(calls).toBe(0)
})

test('[R15] the order is that of registration; a replacement keeps its place, one after null does not', () => {
  const target = new Target()
  const calls: string[] = []
  const note = (name: string) => () => {
    calls.push(name)
  }
  target.addEventListener('ping', note('first'))
  target.onping = note('handler')
  target.addEventListener('ping', note('last'))
  target.dispatchEvent(new Event('ping'))
  target.onping = note('replaced')
  target.dispatchEvent(new Event('ping'))
  target.onping = null
  target.onping = note('anew')
  target.dispatchEvent(new Event('ping'))
  expect(calls).toEqual(['first', 'handler', 'last', 'first', 'replaced', 'last', 'first', 'last', 'anew'])
})

test('targets do not share handlers', () => {
  const [one, other] = [new Target(), new Target()]
  one.onping = () => {}
  one.onpong = null
  expect(other.onping).toBe(null)
})
