// The bytes of a job, against the library's codec: two implementations that know nothing of each other.

import { acceptKey, encodeFrame } from '@ws/protocol'
import { expect, test } from 'vitest'
import { job } from '../src/job.ts'
import { ACCEPT, KEY, messageOf, payloadOf, replyOf, requestOf } from '../src/wire.ts'

const BINARY = 0x82
const TEXT = 0x81
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
