// Node's platform gives what the portable one gives: that one is the oracle.

import { describe, expect, test } from 'vitest'
import { acceptKey, createUpgradeRequest, generateKey } from '../../src/node/handshake.ts'
import { asBuffer, nodePlatform } from '../../src/node/platform.ts'
import { portablePlatform } from '../../src/platform.ts'

const TEXTS = ['', 'ascii', 'ümläut', '\ufefffirst', '\u0000', '€', '😀', '\ud800 lone', 'x'.repeat(10_000)]

describe('against the portable platform', () => {
  test.each(TEXTS)('text %j', (text) => {
    const bytes = nodePlatform.encodeUtf8(text)
    expect(Buffer.from(portablePlatform.encodeUtf8(text)).equals(bytes)).toBe(true)
    const padded = new Uint8Array(bytes.length + 4)
    padded.set(bytes, 2)
    const end = 2 + bytes.length
    expect(nodePlatform.decodeUtf8(padded, 2, end)).toBe(portablePlatform.decodeUtf8(padded, 2, end))
    expect(nodePlatform.isUtf8(padded, 2, end)).toBe(true)
  })

  test.each(['c0af', 'eda080', 'f4908080', '80', 'e282', 'ff'])('invalid text %s', (hex) => {
    const bytes = Buffer.from(hex, 'hex')
    expect([nodePlatform.isUtf8(bytes, 0, bytes.length), portablePlatform.isUtf8(bytes, 0, bytes.length)]).toEqual([
      false,
      false,
    ])
  })

  test('SHA-1', () => {
    for (let length = 0; length < 130; length++) {
      const text = '~'.repeat(length)
      expect(nodePlatform.sha1Base64(text)).toBe(portablePlatform.sha1Base64(text))
    }
  })

  test('masking', () => {
    const key = nodePlatform.maskingKey()
    const [one, two] = [Buffer.alloc(100, 5), new Uint8Array(100).fill(5)]
    nodePlatform.applyMask(one, 3, 97, key, 2)
    portablePlatform.applyMask(two, 3, 97, key, 2)
    expect(one.equals(two)).toBe(true)
  })
})

test('[H2] masking keys do not repeat beyond chance', () => {
  const keys = new Set(Array.from({ length: 10_000 }, () => nodePlatform.maskingKey()))
  expect(keys.size).toBeGreaterThan(9_990)
})

test('randomness fills what it is given', () => {
  const bytes = new Uint8Array(64)
  nodePlatform.randomFill(bytes)
  expect(bytes.some((byte) => byte !== 0)).toBe(true)
})

test('a Buffer stays itself, other bytes are shown without a copy', () => {
  const buffer = Buffer.from('abc')
  expect(asBuffer(buffer)).toBe(buffer)
  const bytes = Uint8Array.from([1, 2, 3, 4]).subarray(1, 3)
  const shown = asBuffer(bytes)
  bytes[0] = 9
  expect([...shown]).toEqual([9, 3])
})

test('[C4] the handshake functions are bound to it', () => {
  expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  expect(generateKey()).toMatch(/^[+/0-9A-Za-z]{21}[AQgw]==$/)
  const sent = createUpgradeRequest()
  expect(sent.expectedAccept).toBe(acceptKey(sent.key))
})
