import { expect, test } from 'vitest'
import { EventHandlers } from '../../src/portable/event-handlers.ts'

class Target extends EventTarget {
  readonly #handlers = new EventHandlers(this)

  get onping(): unknown {
    return this.#handlers.get('ping')
  }

  set onping(value: unknown) {
    this.#handlers.set('ping', value)
  }

  get onpong(): unknown {
    return this.#handlers.get('pong')
  }

  set onpong(value: unknown) {
    this.#handlers.set('pong', value)
  }
}

test('[R15] null at first', () => {
  const target = new Target()
  expect([target.onping, target.onpong]).toEqual([null, null])
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

test.each([2, 'text', null, undefined, {}, true, { handleEvent() {} }])(
  '[R15] what cannot be called is null: %j',
  (value) => {
    const target = new Target()
    let calls = 0
    target.onping = () => calls++
    target.onping = value
    expect(target.onping).toBe(null)
    target.dispatchEvent(new Event('ping'))
    expect(calls).toBe(0)
  },
)

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

test('[R15] null before it has been called in a dispatch: not called; another function: that one is', () => {
  const target = new Target()
  const calls: string[] = []
  target.addEventListener('ping', () => {
    target.onping = null
  })
  target.onping = () => calls.push('removed')
  target.dispatchEvent(new Event('ping'))
  target.addEventListener('pong', () => {
    target.onpong = () => calls.push('new')
  })
  target.onpong = () => calls.push('old')
  target.dispatchEvent(new Event('pong'))
  expect(calls).toEqual(['new'])
})

test('[R15] a handler is not the listener of the same function', () => {
  const target = new Target()
  let calls = 0
  const listener = () => {
    calls++
  }
  target.addEventListener('ping', listener)
  target.onping = listener
  target.dispatchEvent(new Event('ping'))
  expect(calls).toBe(2)
  target.removeEventListener('ping', listener)
  target.dispatchEvent(new Event('ping'))
  expect(calls).toBe(3)
})

test.each([
  [false, true],
  [undefined, false],
  [null, false],
  [0, false],
  [true, false],
])('[R15] a handler that returns %j: canceled %j', (returned, canceled) => {
  const target = new Target()
  target.onping = () => returned
  expect(target.dispatchEvent(new Event('ping', { cancelable: true }))).toBe(!canceled)
  const fixed = new Event('ping')
  expect(target.dispatchEvent(fixed)).toBe(true)
  expect(fixed.defaultPrevented).toBe(false)
})

test('[R15] methods of the target that a script has replaced are not told of handlers', () => {
  const target = new Target()
  const told: string[] = []
  target.addEventListener = () => void told.push('add')
  target.removeEventListener = () => void told.push('remove')
  let calls = 0
  target.onping = () => calls++
  target.dispatchEvent(new Event('ping'))
  target.onping = null
  target.dispatchEvent(new Event('ping'))
  expect([calls, told]).toEqual([1, []])
})
