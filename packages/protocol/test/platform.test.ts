import { afterEach, describe, expect, test, vi } from 'vitest'
import { maskingKeySource, portablePlatform } from '../src/platform.ts'
import { toHex, utf8 } from './support/bytes.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('maskingKeySource', () => {
  test('takes four bytes a key in network order, and draws in blocks of 4 KiB [H2]', () => {
    const draws: number[] = []
    const nextKey = maskingKeySource((target) => {
      draws.push(target.length)
      new DataView(target.buffer).setUint32(0, 0xfeed_0000 + draws.length)
      new DataView(target.buffer).setUint32(target.length - 4, 0x1234_0000 + draws.length)
    })
    expect(draws).toEqual([])
    const keys = Array.from({ length: 1025 }, () => nextKey() >>> 0)
    expect(draws).toEqual([4096, 4096])
    expect([keys[0], keys[1], keys[1023], keys[1024]]).toEqual([0xfeed_0001, 0, 0x1234_0001, 0xfeed_0002])
  })
})

describe('portablePlatform', () => {
  test('masking keys do not repeat beyond chance [H2]', () => {
    const keys = new Set(Array.from({ length: 10_000 }, () => portablePlatform.maskingKey()))
    // Two of 10,000 random 32-bit keys are equal in one run of a hundred; three pairs in one of some millions.
    expect(keys.size).toBeGreaterThanOrEqual(9_998)
  })

  test('masking keys use all 32 bits [H2]', () => {
    const seen = Array.from({ length: 200 }, () => portablePlatform.maskingKey())
    expect(seen.reduce((or, key) => or | key) >>> 0).toBe(0xffff_ffff)
    expect(seen.reduce((and, key) => and & key) >>> 0).toBe(0)
  })

  test('randomFill fills the whole target', () => {
    const or = new Uint8Array(64)
    for (let round = 0; round < 64; round++) {
      const drawn = new Uint8Array(64)
      portablePlatform.randomFill(drawn)
      drawn.forEach((byte, index) => {
        or[index] = (or[index] ?? 0) | byte
      })
    }
    expect(toHex(or)).toBe('ff'.repeat(64))
  })

  test('without Web Crypto there is no randomness, and that is said', () => {
    vi.stubGlobal('crypto', undefined)
    expect(() => portablePlatform.randomFill(new Uint8Array(1))).toThrow(
      expect.objectContaining({
        code: 'NO_RANDOMNESS',
        message: 'no globalThis.crypto here: pass a platform with randomFill()',
      }),
    )
  })

  test('the other parts are the portable implementations', () => {
    expect(portablePlatform.sha1Base64('abc')).toBe('qZk+NkcGgWq6PiVxeFDCbJzQ2J0=')
    const bytes = Uint8Array.of(1, 2, 3)
    portablePlatform.applyMask(bytes, 1, 3, 0x0a0b_0c0d, 3)
    expect([...bytes]).toEqual([1, 2 ^ 0x0d, 3 ^ 0x0a])
    expect(portablePlatform.isUtf8(utf8('aé'), 0, 3)).toBe(true)
    expect(portablePlatform.isUtf8(utf8('aé'), 0, 2)).toBe(false)
    expect(portablePlatform.decodeUtf8(utf8('aé'), 1, 3)).toBe('é')
    expect(toHex(portablePlatform.encodeUtf8('é'))).toBe('c3a9')
    expect([...portablePlatform.allocate(3)]).toEqual([0, 0, 0])
  })
})
