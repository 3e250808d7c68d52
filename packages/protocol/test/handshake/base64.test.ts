import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/handshake/base64.ts'
import { pattern, utf8 } from '../support/bytes.ts'

describe('encodeBase64', () => {
  test.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('%j as in RFC 4648 §10', (text, encoded) => {
    expect(encodeBase64(utf8(text))).toBe(encoded)
  })

  test('of 0 to 300 bytes, and of each byte, against Buffer', () => {
    const inputs = [...Array(301).keys()]
      .map(pattern)
      .concat([...Array(256).keys()].map((byte) => Uint8Array.of(byte, byte)))
    expect(inputs.map(encodeBase64)).toEqual(inputs.map((input) => Buffer.from(input).toString('base64')))
  })

  test('of any bytes, against Buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      }),
    )
  })
})
