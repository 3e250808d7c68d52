import { describe, expect, test } from 'vitest'
import { BufferedOutput, encodeFrame } from '../src/output.ts'
import { hex, pattern, toHex } from './support/bytes.ts'
import { frame, SAMPLE_KEY } from './support/encode.ts'

const KEY = 0x37fa_213d

describe('encodeFrame', () => {
  test.each([0, 1, 125, 126, 127, 128, 65_535, 65_536])(
    '%i bytes as the reference encoder writes them [G3]',
    (length) => {
      const payload = pattern(length)
      expect(toHex(encodeFrame(0x82, payload, undefined))).toBe(toHex(frame({ opcode: 2, payload })))
      expect(toHex(encodeFrame(0x82, payload, KEY))).toBe(toHex(frame({ opcode: 2, payload, key: SAMPLE_KEY })))
    },
  )

  test('leaves the payload alone [H7]', () => {
    const payload = hex('010203')
    encodeFrame(0x82, payload, KEY)
    expect(toHex(payload)).toBe('010203')
  })

  test('a key of zero still masks [H1]', () => {
    expect(toHex(encodeFrame(0x89, hex('61'), 0))).toBe('89810000000061')
  })
})

describe('BufferedOutput', () => {
  test('gives its frames in order, each once', () => {
    const output = new BufferedOutput()
    expect(output.blocked).toBe(false)
    output.writeText(0x81, 'é', undefined)
    output.writeBinary(0x82, hex('ff'), undefined)
    expect(toHex(output.take())).toBe('8102c3a9 8201ff'.replace(' ', ''))
    expect(toHex(output.take())).toBe('')
    output.writeBinary(0x88, hex(''), undefined)
    expect(toHex(output.take())).toBe('8800')
  })

  test('draws a key for each frame [H1, H2]', () => {
    const keys = [0, 0x0102_0304]
    const output = new BufferedOutput()
    output.writeText(0x81, 'a', () => keys.shift() ?? -1)
    output.writeBinary(0x8a, hex(''), () => keys.shift() ?? -1)
    expect(toHex(output.take())).toBe('818100000000618a8001020304')
    expect(keys).toEqual([])
  })
})
