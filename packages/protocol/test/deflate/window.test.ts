// The window that an inflater is given: the last bytes of all messages, however they came.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Window } from '../../src/deflate/window.ts'

function bytesOf(window: Window): string {
  return Buffer.concat(window.parts).toString('latin1')
}

test('holds the last bytes of what was added, up to its size [O6]', () => {
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(600)), { maxLength: 20 })
  const property = fc.property(fc.constantFrom(8, 9, 11), sizes, (bits, lengths) => {
    const window = new Window(bits, true)
    let all = ''
    for (const [index, length] of lengths.entries()) {
      const message = Buffer.alloc(length, `${index}.`)
      window.add(message)
      all += message.toString('latin1')
      expect([window.total, bytesOf(window)]).toEqual([all.length, all.slice(-(2 ** bits))])
    }
  })
  fc.assert(property)
})

test('keeps nothing without context takeover [O12]', () => {
  const window = new Window(15, false)
  window.add(Buffer.from('message'))
  expect([window.total, bytesOf(window)]).toEqual([0, ''])
})
