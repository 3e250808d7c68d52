import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { acceptKey, generateKey, isKey } from '../../src/handshake/key.ts'
import { toHex } from '../support/bytes.ts'

describe('acceptKey', () => {
  test.each([
    ['dGhlIHNhbXBsZSBub25jZQ==', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
    ['x3JJHMbDL1EzLkh9GBhXDw==', 'HSmrc0sMlYUkAGmm5OPpG2HaGWk='],
  ])('of the samples of the RFC: %s [C4]', (key, accept) => {
    expect(acceptKey(key)).toBe(accept)
  })

  test('is of the text, not of the bytes that it stands for [D5]', () => {
    // Both decode to the same 16 bytes.
    expect(acceptKey('AQIDBAUGBwgJCgsMDQ4PEA==')).toBe('C/0nmHhBztSRGR1CwL6Tf4ZjwpY=')
    expect(acceptKey('AQIDBAUGBwgJCgsMDQ4PEC==')).not.toBe(acceptKey('AQIDBAUGBwgJCgsMDQ4PEA=='))
  })

  test('of random keys, against node:crypto', () => {
    const keys = Array.from({ length: 50 }, () => generateKey())
    const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    expect(keys.map((key) => acceptKey(key))).toEqual(
      keys.map((key) =>
        createHash('sha1')
          .update(key + guid)
          .digest('base64'),
      ),
    )
  })

  test('hashes with the platform that it is given', () => {
    const given: string[] = []
    const sha1Base64 = (text: string): string => {
      given.push(text)
      return 'AQID'
    }
    expect(acceptKey('abc', { sha1Base64 })).toBe('AQID')
    expect(given).toEqual(['abc258EAFA5-E914-47DA-95CA-C5AB0DC85B11'])
  })
})

describe('generateKey', () => {
  test('is base64 of 16 bytes, and fresh each time [B4]', () => {
    const keys = Array.from({ length: 1000 }, () => generateKey())
    expect(keys.filter((key) => !/^[+/0-9A-Za-z]{21}[AQgw]==$/.test(key))).toEqual([])
    expect(new Set(keys).size).toBe(1000)
  })

  test('takes its randomness from the platform that it is given', () => {
    const randomFill = (target: Uint8Array): void => void target.set(Buffer.from('the sample nonce'))
    expect(generateKey({ randomFill })).toBe('dGhlIHNhbXBsZSBub25jZQ==')
    expect(toHex(Buffer.from(generateKey({ randomFill }), 'base64'))).toBe('7468652073616d706c65206e6f6e6365')
  })
})

describe('isKey [D5]', () => {
  test.each([
    ['dGhlIHNhbXBsZSBub25jZQ==', true],
    ['AQIDBAUGBwgJCgsMDQ4PEC==', true],
    ['0123456789abcdefxyzAZ+==', true],
    ['++++////////////////////'.slice(0, 22).concat('=='), true],
    ['', false],
    ['==', false],
    ['%%%', false],
    ['AQIDBAUGBwgJCgsMDQ4P', false], // 15 bytes
    ['AQIDBAUGBwgJCgsMDQ4PEBE=', false], // 17 bytes
    ['dGhlIHNhbXBsZSBub25jZQ', false],
    ['dGhlIHNhbXBsZSBub25jZQ=', false],
    ['dGhlIHNhbXBsZSBub25jZQ==\n', false],
    [' dGhlIHNhbXBsZSBub25jZQ==', false],
    ['dGhlIHNhbXBsZSBub25j-_==', false],
    ['dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==', false],
  ])('%j: %s', (value, valid) => {
    expect(isKey(value)).toBe(valid)
  })
})
