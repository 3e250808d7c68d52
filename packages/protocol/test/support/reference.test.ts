import { describe, expect, test } from 'vitest'
import { concat, hex, toHex } from './bytes.ts'
import { frame, Peer, SAMPLE_KEY } from './encode.ts'
import { beginsText, DEFAULT_RULES, decodeFrames, decodeStream, firstImpossible, mayBeOnTheWire } from './reference.ts'

// The oracles are held to the examples that the RFC itself gives (§5.7), not to the code that they judge.

describe('reference encoder', () => {
  test.each([
    ['a single-frame unmasked text message', '81 05 48 65 6c 6c 6f', { opcode: 1, payload: 'Hello' }],
    [
      'a single-frame masked text message',
      '81 85 37 fa 21 3d 7f 9f 4d 51 58',
      { opcode: 1, payload: 'Hello', key: SAMPLE_KEY },
    ],
    ['a first fragment', '01 03 48 65 6c', { fin: false, opcode: 1, payload: 'Hel' }],
    ['a last fragment', '80 02 6c 6f', { opcode: 0, payload: 'lo' }],
    ['a ping', '89 05 48 65 6c 6c 6f', { opcode: 9, payload: 'Hello' }],
    ['a masked pong', '8a 85 37 fa 21 3d 7f 9f 4d 51 58', { opcode: 10, payload: 'Hello', key: SAMPLE_KEY }],
  ])('%s as in §5.7', (_, bytes, spec) => {
    expect(toHex(frame(spec))).toBe(toHex(hex(bytes)))
  })

  test('256 bytes and 64 KiB of binary as in §5.7', () => {
    expect(toHex(frame({ opcode: 2, payload: new Uint8Array(256) }).subarray(0, 4))).toBe('827e0100')
    expect(toHex(frame({ opcode: 2, payload: new Uint8Array(65_536) }).subarray(0, 10))).toBe('827f0000000000010000')
  })
})

describe('reference decoder', () => {
  const client = { ...DEFAULT_RULES, role: 'client' as const }
  const server = { ...DEFAULT_RULES, role: 'server' as const }

  test('reads the examples of §5.7', () => {
    const stream = hex('8105 48656c6c6f 0103 48656c 8905 48656c6c6f 8002 6c6f')
    expect(decodeStream(stream, client)).toEqual({
      events: [
        ['text', 'Hello'],
        ['ping', '48656c6c6f'],
        ['text', 'Hello'],
      ],
      fault: undefined,
    })
    expect(decodeStream(hex('8185 37fa213d 7f9f4d5158'), server).events).toEqual([['text', 'Hello']])
  })

  test('tells a Close, and nothing of what follows it', () => {
    const peer = new Peer('client')
    const stream = concat(peer.close(1001, 'PASS'), peer.text('late'))
    expect(decodeStream(stream, client)).toEqual({ events: [['close', 1001, 'PASS']], fault: undefined })
    expect(decodeStream(peer.close(), client).events).toEqual([['close', 1005, '']])
  })

  test('finds a fault and where it is', () => {
    expect(decodeStream(hex('8100 83'), client)).toEqual({
      events: [['text', '']],
      fault: { code: 'RESERVED_OPCODE', offset: 3 },
    })
    expect(decodeStream(hex('8104 61ce20'), client).fault).toEqual({ code: 'INVALID_UTF8', offset: 5 })
    expect(decodeStream(hex('8102 61ce'), client).fault).toEqual({ code: 'INVALID_UTF8', offset: 4 })
    expect(decodeStream(hex('8803 03e8ff'), client).fault).toEqual({ code: 'INVALID_UTF8', offset: 5 })
    expect(decodeStream(hex('8803 03ed61'), client).fault).toEqual({ code: 'CLOSE_CODE_INVALID', offset: 4 })
    expect(decodeFrames(hex('8105 4865'), client)).toEqual({
      frames: [{ first: 0x81, length: 5, payload: hex('4865'), payloadStart: 2, end: undefined }],
      fault: undefined,
    })
  })

  test('knows what begins a text', () => {
    expect([hex('f0'), hex('f48f'), hex('e0a0'), hex('ed9f'), hex('61c3')].map(beginsText)).toEqual(Array(5).fill(true))
    expect([hex('f5'), hex('f490'), hex('e080'), hex('eda0'), hex('c1')].map(beginsText)).toEqual(Array(5).fill(false))
    expect(firstImpossible(hex('6162eda080'))).toBe(3)
    expect(firstImpossible(hex('ceba'))).toBe(-1)
  })

  test('knows the codes of the RFC and the registry', () => {
    expect([1000, 1003, 1014, 3000, 4999].map(mayBeOnTheWire)).toEqual(Array(5).fill(true))
    expect([0, 999, 1004, 1006, 1015, 2999, 5000].map(mayBeOnTheWire)).toEqual(Array(7).fill(false))
  })
})
