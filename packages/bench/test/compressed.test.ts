// Compressed replies: counted by their headers however they are split, and the first ones inflated.

import { constants, createDeflateRaw } from 'node:zlib'
import { encodeFrame } from '@ws/protocol'
import { expect, test } from 'vitest'
import { deflated } from '../src/deflate.ts'
import { CompressedReplies } from '../src/load/compressed.ts'

const FIRST = 0xc1
const MESSAGE = Buffer.from('{"a":"one, one, one","b":"two, two, two"}')
const OTHER = Buffer.from(MESSAGE.toString().replace('"b"', '"c"'))

function replies(takeover = false): CompressedReplies {
  return new CompressedReplies({ first: FIRST, message: MESSAGE, takeover })
}

function frameOf(message: Buffer, first = FIRST): Buffer {
  return Buffer.from(encodeFrame(first, deflated(message), undefined))
}

function take(counter: CompressedReplies, bytes: Buffer): number {
  return counter.take(bytes, 0, bytes.length)
}

/** Frames of one compressor, each message after the first in terms of those before. */
async function takenOver(messages: readonly Buffer[]): Promise<Buffer[]> {
  const compressor = createDeflateRaw()
  const frames: Buffer[] = []
  for (const message of messages) {
    compressor.write(message)
    await new Promise<void>((resolve) => compressor.flush(constants.Z_SYNC_FLUSH, resolve))
    frames.push(Buffer.from(encodeFrame(FIRST, compressor.read().subarray(0, -4), undefined)))
  }
  compressor.close()
  return frames
}

test.each([1, 2, 3, 7, 1000])('messages are counted in pieces of %i bytes', (step) => {
  const counter = replies()
  const stream = Buffer.concat(Array.from({ length: 5 }, () => frameOf(MESSAGE)))
  let count = 0
  for (let at = 0; at < stream.length; at += step) count += counter.take(stream, at, Math.min(stream.length, at + step))
  expect([count, counter.whole]).toEqual([5, 5])
})

test.each([126, 65_536])('a payload of %i bytes has its length in further bytes', (length) => {
  const counter = replies()
  take(counter, Buffer.concat([frameOf(MESSAGE), frameOf(MESSAGE)]))
  expect(take(counter, Buffer.from(encodeFrame(FIRST, Buffer.alloc(length), undefined)))).toBe(1)
  expect(take(counter, frameOf(MESSAGE))).toBe(1)
})

test('with context takeover the second message may refer to the first', async () => {
  const frames = await takenOver([MESSAGE, MESSAGE, MESSAGE])
  expect(frames[1]?.length).toBeLessThan((frames[0] as Buffer).length)
  expect(take(replies(true), Buffer.concat(frames))).toBe(3)
})

test('without context takeover it may not', async () => {
  const frames = await takenOver([MESSAGE, MESSAGE])
  expect(() => take(replies(), Buffer.concat(frames))).toThrow('invalid distance too far back')
})

test.each([
  ['the first', [OTHER], 1],
  ['the second', [MESSAGE, OTHER], 2],
])('%s message is compared', async (_, messages, number) => {
  const expected = `reply ${number} inflates to something else: {"a":"one, one, one","c":"two, two, two"}`
  expect(() => take(replies(), Buffer.concat(messages.map((message) => frameOf(message))))).toThrow(expected)
  expect(() => take(replies(true), Buffer.concat(messages.map((message) => frameOf(message))))).toThrow(expected)
})

test('a message that is not compressed, fragmented or masked fails, wherever it comes', () => {
  const counter = replies()
  for (let left = 100; left > 0; left--) take(counter, frameOf(MESSAGE))
  expect(() => take(replies(), frameOf(MESSAGE, 0x81))).toThrow('expected a reply that begins with 0xc1; got 0x81')
  expect(() => take(replies(), frameOf(MESSAGE, 0x41))).toThrow('expected a reply that begins with 0xc1; got 0x41')
  expect(() => take(replies(), Buffer.from([FIRST, 0x81]))).toThrow('a reply is masked')
  expect(() => take(replies(), Buffer.from([FIRST, 0]))).toThrow('a compressed reply is empty')
  expect(() => take(counter, frameOf(MESSAGE, 0x81))).toThrow('expected a reply that begins with 0xc1; got 0x81')
})

test('a reply that inflates to more than was sent is not inflated further', () => {
  expect(() => take(replies(), frameOf(Buffer.alloc(1e6)))).toThrow('Cannot create a Buffer larger than 41 bytes')
})
