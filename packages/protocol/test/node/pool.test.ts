// Memory for messages: what was handed out is never written again, and keeping it keeps little else alive.

import { expect, test } from 'vitest'
import { allocate, copy, OWN_FROM } from '../../src/node/pool.ts'
import { receiveWindow, windowMode } from '../../src/node/window.ts'

const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 95, 96, 97, 100, 1_023, OWN_FROM - 1, OWN_FROM, 70_000]

test('Buffers; from 4 KiB on each with an ArrayBuffer of its own, below in chunks of 16 KiB', () => {
  for (const size of SIZES) {
    const memory = allocate(size)
    expect([Buffer.isBuffer(memory), memory.length]).toEqual([true, size])
    if (size > 0) expect(memory.buffer.byteLength).toBe(size < OWN_FROM ? 16 * 1024 : size)
  }
})

test('nothing overlaps', () => {
  const taken = Array.from({ length: 3_000 }, (_, index) => allocate(index % 150).fill(index))
  expect(taken.every((memory, index) => memory.every((byte) => byte === (index & 0xff)))).toBe(true)
})

test.each(SIZES)('a copy of %i bytes is what it was, whatever becomes of the original', (size) => {
  const original = Buffer.from(Array.from({ length: size + 20 }, (_, index) => (index * 31) & 0xff))
  for (let start = 0; start < 9; start++) {
    const expected = Buffer.from(original.subarray(start, start + size))
    const copied = copy(Buffer.from(original), start, start + size)
    const next = allocate(3).fill(0xee)
    expect([copied.equals(expected), next.equals(Buffer.alloc(3, 0xee))]).toEqual([true, true])
  }
})

test.runIf(windowMode !== 'off').each(SIZES)('a copy of %i bytes out of the window, at any place', (size) => {
  for (const start of [0, 1, 2, 3, 13, receiveWindow.length - size]) {
    receiveWindow.fill(0x55)
    for (let at = 0; at < size; at++) receiveWindow[start + at] = (at * 31) & 0xff
    const expected = Buffer.from(receiveWindow.subarray(start, start + size))
    const copied = copy(receiveWindow, start, start + size)
    const next = copy(receiveWindow, start, start + size)
    receiveWindow.fill(0)
    expect([copied.equals(expected), next.equals(expected)]).toEqual([true, true])
  }
})
