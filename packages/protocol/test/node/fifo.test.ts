import { expect, test } from 'vitest'
import { Fifo } from '../../src/node/fifo.ts'

test('first in, first out, in any interleaving of push and shift', () => {
  const fifo = new Fifo<number>()
  let [pushed, shifted] = [0, 0]
  for (let round = 0; round < 2000; round++) {
    for (let count = 0; count < (round * 7) % 5; count++) fifo.push(pushed++)
    for (let count = 0; count < (round * 5) % 4 && shifted < pushed; count++) expect(fifo.shift()).toBe(shifted++)
    expect(fifo.length).toBe(pushed - shifted)
  }
  while (shifted < pushed) expect(fifo.shift()).toBe(shifted++)
  expect([fifo.shift(), fifo.length]).toEqual([undefined, 0])
})

test('clear forgets everything', () => {
  const fifo = new Fifo<string>()
  fifo.push('a')
  fifo.clear()
  expect(fifo.first).toBeUndefined()
  fifo.push('b')
  expect([fifo.length, fifo.first, fifo.shift(), fifo.shift()]).toEqual([1, 'b', 'b', undefined])
})
