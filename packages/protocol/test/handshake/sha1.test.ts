import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { sha1 } from '../../src/handshake/sha1.ts'
import { pattern, toHex, utf8 } from '../support/bytes.ts'

describe('sha1', () => {
  test.each([
    ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '84983e441c3bd26ebaae4aa1f95129e5e54670f1'],
    ['a'.repeat(100_000), createHash('sha1').update('a'.repeat(100_000)).digest('hex')],
  ])('of a text as RFC 3174 and node:crypto have it', (text, digest) => {
    expect(toHex(sha1(utf8(text)))).toBe(digest)
  })

  test('of 0 to 200 bytes, across the borders of blocks, against node:crypto', () => {
    const lengths = Array.from({ length: 201 }, (_, length) => length)
    expect(lengths.map((length) => toHex(sha1(pattern(length))))).toEqual(
      lengths.map((length) => createHash('sha1').update(pattern(length)).digest('hex')),
    )
  })

  test('leaves its input alone', () => {
    const data = pattern(64)
    sha1(data)
    expect(toHex(data)).toBe(toHex(pattern(64)))
  })
})
