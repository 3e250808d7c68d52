import { describe, expect, test } from 'vitest'
import { applyMask, rotateKey } from '../../src/frame/mask.ts'
import { hex, pattern, toHex, utf8 } from '../support/bytes.ts'

/** RFC 6455 §5.3 to the letter: octet i XOR octet (i mod 4) of the key. */
function slowMask(payload: Uint8Array, key: number, phase: number): Uint8Array {
  const octets = [(key >>> 24) & 255, (key >>> 16) & 255, (key >>> 8) & 255, key & 255]
  return payload.map((octet, index) => octet ^ (octets[((phase % 4) + index) % 4] ?? 0))
}

const KEYS = [0x37fa_213d, 0x8000_0001, -2, 0xffff_ffff, 0]

describe('applyMask', () => {
  test.each(KEYS)('key %i at every offset 0–15, length 0–70 and phase agrees with the oracle [H6, H8]', (key) => {
    const surroundings = pattern(15 + 70 + 5)
    const wrong: string[] = []
    for (let start = 0; start <= 15; start++) {
      for (let length = 0; length <= 70; length++) {
        for (const phase of [0, 1, 2, 3, 5, 1023, 2 ** 32 + 2, Number.MAX_SAFE_INTEGER]) {
          const end = start + length
          const bytes = Uint8Array.from(surroundings)
          const expected = Uint8Array.from(surroundings)
          expected.set(slowMask(surroundings.slice(start, end), key, phase), start)
          applyMask(bytes, start, end, key, phase)
          if (toHex(bytes) !== toHex(expected)) wrong.push(`start ${start}, length ${length}, phase ${phase}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  test('gives Hello of §5.7, at every split [H6]', () => {
    for (let first = 0; first <= 5; first++) {
      for (let second = first; second <= 5; second++) {
        const bytes = hex('7f9f4d5158')
        applyMask(bytes, 0, first, 0x37fa_213d, 0)
        applyMask(bytes, first, second, 0x37fa_213d, first)
        applyMask(bytes, second, 5, 0x37fa_213d, second)
        expect(new TextDecoder().decode(bytes)).toBe('Hello')
      }
    }
  })

  test('applied twice gives the original back', () => {
    const bytes = utf8('the quick brown fox')
    applyMask(bytes, 0, bytes.length, 0xdead_beef, 0)
    expect(new TextDecoder().decode(bytes)).not.toBe('the quick brown fox')
    applyMask(bytes, 0, bytes.length, 0xdead_beef, 0)
    expect(new TextDecoder().decode(bytes)).toBe('the quick brown fox')
  })

  test('works on a view of a larger buffer', () => {
    const whole = pattern(20)
    applyMask(whole.subarray(7, 15), 1, 8, 0x0102_0304, 0)
    const expected = pattern(20)
    expected.set(slowMask(pattern(20).slice(8, 15), 0x0102_0304, 0), 8)
    expect(toHex(whole)).toBe(toHex(expected))
  })
})

describe('rotateKey', () => {
  test.each([
    [0, 0x0102_0304],
    [1, 0x0203_0401],
    [2, 0x0304_0102],
    [3, 0x0401_0203],
    [4, 0x0102_0304],
    [2 ** 40 + 1, 0x0203_0401],
  ])('from octet %i on', (phase, key) => {
    expect(rotateKey(0x0102_0304, phase) >>> 0).toBe(key)
  })
})
