// The bytes of a job, against the library's codec: two implementations that know nothing of each other.

import { acceptKey, encodeFrame } from '@ws/protocol'
import { expect, test } from 'vitest'
import { inflated } from '../src/deflate.ts'
import { job } from '../src/job.ts'
import { ACCEPT, KEY, messageOf, payloadOf, replyOf, requestOf } from '../src/wire.ts'

const BINARY = 0x82
const TEXT = 0x81
const COMPRESSED_TEXT = 0xc1
const MASKING_KEY = 0x1234abcd

test.each([1, 125, 126, 65_535, 65_536])('a request and a reply of %i bytes are what the codec makes', (size) => {
  const work = job('echo', 1, size)
  expect(requestOf(work).equals(encodeFrame(BINARY, payloadOf(work), MASKING_KEY))).toBe(true)
  expect(replyOf(work).equals(encodeFrame(BINARY, payloadOf(work), undefined))).toBe(true)
})

test('a fragmented request holds the whole payload in as many frames', () => {
  const work = job('echo', 1, 10, { fragments: 4, payload: 'ascii' })
  const frames = [
    [0x01, 'abc'],
    [0x00, 'def'],
    [0x00, 'ghi'],
    [0x80, 'j'],
  ] as const
  const expected = frames.map(([first, text]) => encodeFrame(first, Buffer.from(text), MASKING_KEY))
  expect(requestOf(work)).toEqual(Buffer.concat(expected))
})

test.each([1, 45, 64, 1024])('text of %i bytes has that size and is valid UTF-8', (size) => {
  const work = job('echo', 1, size, { payload: 'unicode' })
  expect(Buffer.from(messageOf(work) as string).equals(payloadOf(work))).toBe(true)
  expect(payloadOf(work)).toHaveLength(size)
  expect(replyOf(work)[0]).toBe(TEXT)
})

test('the prepared handshake has the accept value that belongs to its key', () => {
  expect(ACCEPT).toBe(acceptKey(KEY))
})

test.each([100, 1024, 16_384])('JSON of %i bytes has that size and can be parsed', (size) => {
  const work = job('echo', 1, size, { payload: 'json' })
  expect(payloadOf(work)).toHaveLength(size)
  expect(JSON.parse(messageOf(work) as string).trades.length).toBeGreaterThan(0)
})

test('JSON that has no room for its frame is refused', () => {
  expect(() => payloadOf(job('echo', 1, 10, { payload: 'json' }))).toThrow('expected a size of 23 or more; got 10')
})

test.each([100, 1024, 16_384])(
  'a compressed message of %i bytes is shorter, and stands anywhere in a stream',
  (size) => {
    const work = job('echo', 1, size, { payload: 'json', deflate: 'takeover' })
    const reply = replyOf(work)
    const payload = reply.subarray(reply.length > 127 ? 4 : 2)
    expect(payload.length).toBeLessThan(size)
    const message = payloadOf(work)
    expect(inflated([payload, payload], 2 * size)).toEqual(Buffer.concat([message, message]))
    expect(reply.equals(encodeFrame(COMPRESSED_TEXT, payload, undefined))).toBe(true)
    expect(requestOf(work).equals(encodeFrame(COMPRESSED_TEXT, payload, MASKING_KEY))).toBe(true)
  },
)
