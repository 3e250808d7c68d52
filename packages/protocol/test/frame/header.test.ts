import { describe, expect, test } from 'vitest'
import { frameHeaderSize, writeFrameHeader } from '../../src/frame/header.ts'
import { toHex } from '../support/bytes.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'

/** Length, and the header's bytes from the second on, without a mask. */
const LENGTHS: [number, string][] = [
  [0, '00'],
  [1, '01'],
  [125, '7d'],
  [126, '7e007e'],
  [127, '7e007f'],
  [128, '7e0080'],
  [255, '7e00ff'],
  [256, '7e0100'],
  [65_535, '7effff'],
  [65_536, '7f0000000000010000'],
  [2 ** 31, '7f0000000080000000'],
  [2 ** 32 - 1, '7f00000000ffffffff'],
  [2 ** 32, '7f0000000100000000'],
  [2 ** 53 - 1, '7f001fffffffffffff'],
]

function header(first: number, length: number, key: number | undefined): string {
  const target = new Uint8Array(20).fill(0xee)
  const end = writeFrameHeader(target, 3, first, length, key)
  expect([...target.subarray(0, 3), ...target.subarray(end)]).toEqual(Array(20 - (end - 3)).fill(0xee))
  return toHex(target.subarray(3, end))
}

describe('writeFrameHeader', () => {
  test.each(LENGTHS)('a length of %i in its shortest form: %s [G3, G5]', (length, bytes) => {
    expect(header(0x82, length, undefined)).toBe(`82${bytes}`)
  })

  test.each(LENGTHS)('a length of %i, masked [H1]', (length, bytes) => {
    const second = (Number.parseInt(bytes.slice(0, 2), 16) | 0x80).toString(16)
    expect(header(0x01, length, 0x37fa_213d)).toBe(`01${second}${bytes.slice(2)}37fa213d`)
  })

  test.each(LENGTHS)('a length of %i as the reference encoder tells it', (length) => {
    const declared = BigInt(length)
    expect(header(0x82, length, undefined)).toBe(toHex(frame({ opcode: 2, declared })))
    expect(header(0x82, length, 0x37fa_213d)).toBe(toHex(frame({ opcode: 2, declared, key: SAMPLE_KEY })))
  })

  test.each([
    [0, '00000000'],
    [1, '00000001'],
    [-1, 'ffffffff'],
    [0x8000_0000, '80000000'],
    [-0x8000_0000, '80000000'],
  ])('key %i goes out in network order', (key, bytes) => {
    expect(header(0x8a, 0, key)).toBe(`8a80${bytes}`)
  })
})

describe('frameHeaderSize', () => {
  test.each(LENGTHS)('is what writing takes: %i', (length) => {
    expect(frameHeaderSize(length, false)).toBe(header(0x82, length, undefined).length / 2)
    expect(frameHeaderSize(length, true)).toBe(header(0x82, length, 1).length / 2)
  })

  test.each([
    [125, 2, 6],
    [126, 4, 8],
    [65_535, 4, 8],
    [65_536, 10, 14],
  ])('%i bytes: %i without a key, %i with one', (length, plain, masked) => {
    expect([frameHeaderSize(length, false), frameHeaderSize(length, true)]).toEqual([plain, masked])
  })
})
