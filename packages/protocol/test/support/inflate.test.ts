// The oracle of the codec is held to the examples of the RFCs and to zlib's own output, not to the code that it judges.

import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { hex, utf8 } from './bytes.ts'
import { type InflateRules, ReferenceInflater } from './inflate.ts'

const RULES: InflateRules = { windowBits: 15, takeover: true, limit: 1024 * 1024 }

function inflater(rules: Partial<InflateRules> = {}): ReferenceInflater {
  return new ReferenceInflater({ ...RULES, ...rules })
}

function text(inflated: Uint8Array | string): string {
  return typeof inflated === 'string' ? `fault ${inflated}` : Buffer.from(inflated).toString('latin1')
}

const inflate = (payload: string, rules: Partial<InflateRules> = {}) => text(inflater(rules).inflate(hex(payload)))

/** A message as zlib makes it. */
function deflated(data: string | Uint8Array, options: ZlibOptions = {}): Uint8Array {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, ...options }).subarray(0, -4)
}

/** Bytes of bits, as they stand in the stream: the first is the least significant of its byte. */
function packed(bits: string): string {
  const octets = bits.replaceAll(' ', '').match(/.{1,8}/g) ?? []
  return octets
    .map((octet) =>
      Number.parseInt([...octet].reverse().join(''), 2)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')
}

const least = (value: number, width: number): string => [...value.toString(2).padStart(width, '0')].reverse().join('')

/** A dynamic block of nothing but its end, and the empty stored block's header: `1` is the length of one code, all else 0. */
function dynamicBlock(
  literals: number,
  distances: number,
  codeLengths: Record<number, number> = { 18: 1, 0: 2, 1: 2 },
): string {
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1]
  const head = `0 01 ${least(literals - 257, 5)} ${least(distances - 1, 5)} ${least(order.length - 4, 4)}`
  const zeros = (count: number) => (count > 10 ? `0${least(count - 11, 7)}` : '10'.repeat(count))
  const lengths = `${zeros(138)} ${zeros(118)} 11 ${zeros(literals - 257)} ${'10'.repeat(distances)}`
  return packed(`${head} ${order.map((symbol) => least(codeLengths[symbol] ?? 0, 3)).join(' ')} ${lengths} 0 000`)
}

const BOTH = [undefined, 'zlib'] as const

describe.each(BOTH)('the reference inflater, engine %s', (engine) => {
  test.each([
    ['RFC 7692 §7.2.3.1, one block', 'f248cdc9c90700', 'Hello'],
    ['RFC 7692 §7.2.3.3, a stored block', '000500faff48656c6c6f00', 'Hello'],
    ['RFC 7692 §7.2.3.4, a final block', 'f348cdc9c9070000', 'Hello'],
    ['RFC 7692 §7.2.3.5, two blocks', 'f24805000000ffffcac9c90700', 'Hello'],
    ['RFC 7692 §7.2.3.6, an empty message', '00', ''],
    ['a final block, and the payload ends', 'f348cdc9c90700', 'Hello'],
    ['a final block in the middle', 'f3480500f248cdc9c90700', 'HeHello'],
    ['an empty payload', '', ''],
  ])('%s', (_, payload, expected) => {
    expect(inflate(payload, { engine })).toBe(expected)
  })

  test.each([
    ['a block of type 3', '06'],
    ['a stored block whose lengths disagree', '000500fbff48656c6c6f00'],
    ['a stored block that is cut short', '000500faff4865'],
    ['a stored block whose data is our tail', '000400fbff'],
    ['a final stored block that takes our tail, and more', '010600f9ff'],
    ['codes that are cut short', 'f248cd'],
    ['a message that begins with a distance', 'f200110000'],
  ])('refuses %s', (_, payload) => {
    expect(inflate(payload, { engine })).toBe('fault INVALID_DEFLATE')
  })

  test('an alphabet has 286 lengths and literals, and 30 distances', () => {
    const say = (literals: number, distances: number) => inflate(dynamicBlock(literals, distances), { engine })
    expect([say(286, 30), say(287, 30), say(286, 31)]).toEqual(['', ...Array(2).fill('fault INVALID_DEFLATE')])
  })

  test('of the fixed codes two symbols and two distances mean nothing', () => {
    // Literal "a", then a length code, which is 7 or 8 bits long; a distance code of 5 bits; the end of the block.
    const say = (length: string, distance: string) =>
      inflate(packed(`010 10010001 ${length} ${distance} 0000000 000`), { engine })
    expect([say('0000001', '00000'), say('11000101 00000', '00000')]).toEqual(['aaaa', `a${'a'.repeat(258)}`])
    expect([say('11000110', '00000'), say('11000111', '00000')]).toEqual(Array(2).fill('fault INVALID_DEFLATE'))
    expect([say('0000001', '11110'), say('0000001', '11111')]).toEqual(Array(2).fill('fault INVALID_DEFLATE'))
  })

  test('codes are a complete set, or one code of one bit, or none', () => {
    const say = (lengths: Record<number, number>) => inflate(dynamicBlock(257, 1, lengths), { engine })
    expect(say({ 18: 1, 0: 2, 1: 2 })).toBe('')
    expect([say({ 18: 1, 0: 1, 1: 1 }), say({ 18: 2, 0: 2, 1: 2 }), say({})]).toEqual(
      Array(3).fill('fault INVALID_DEFLATE'),
    )
  })

  test('RFC 7692 §7.2.3.2: the window of the message before, if it is taken over', () => {
    const say = (takeover: boolean) => {
      const one = inflater({ engine, takeover })
      return ['f248cdc9c90700', 'f200110000'].map((payload) => text(one.inflate(hex(payload))))
    }
    expect(say(true)).toEqual(['Hello', 'Hello'])
    expect(say(false)).toEqual(['Hello', 'fault INVALID_DEFLATE'])
  })

  test('reads what zlib writes: every level, strategy and window, with the window of the message before', () => {
    for (const level of [0, 1, 3, 6, 9]) {
      for (const strategy of [0, 1, 2, 3, 4]) {
        for (const windowBits of [9, 12, 15]) {
          const one = inflater({ engine, windowBits })
          const messages = [`${level}${'abcab'.repeat(300)}`, `${strategy}${'xabca'.repeat(400)}`, '', 'a']
          let dictionary: Buffer | undefined
          for (const message of messages) {
            const options = { level, strategy, windowBits, ...(dictionary === undefined ? {} : { dictionary }) }
            expect(text(one.inflate(deflated(message, options)))).toBe(message)
            dictionary = Buffer.from((dictionary ?? '') + message).subarray(-(2 ** windowBits))
          }
        }
      }
    }
  })

  test('a limit is what a message may have', () => {
    const payload = deflated('x'.repeat(300))
    expect(text(inflater({ engine, limit: 300 }).inflate(payload))).toBe('x'.repeat(300))
    expect(inflater({ engine, limit: 299 }).inflate(payload)).toBe('MESSAGE_TOO_BIG')
    expect(inflater({ engine, limit: 0 }).inflate(deflated(''))).toEqual(new Uint8Array(0))
  })

  test('64 final blocks, and no more', () => {
    const blocks = (count: number) => inflate('0300'.repeat(count), { engine })
    expect([blocks(64), blocks(65)]).toEqual(['', 'fault INVALID_DEFLATE'])
  })
})

describe('what zlib does otherwise than the RFC', () => {
  const all = (payload: Uint8Array, rules: Partial<InflateRules> = {}) =>
    BOTH.map((engine) => text(inflater({ ...rules, engine }).inflate(payload)))

  test('it reaches over all of the piece that it writes, but not beyond the window into the one before', () => {
    const unit = Buffer.from(crypto.getRandomValues(new Uint8Array(300))).toString('latin1')
    const data = Buffer.from(unit + unit, 'latin1')
    expect(all(deflated(data), { windowBits: 8 })).toEqual(['fault INVALID_DEFLATE', data.toString('latin1')])
    const late = Buffer.concat([Buffer.alloc(16_384 - 300), data])
    expect(all(deflated(late), { windowBits: 8 })).toEqual(Array(2).fill('fault INVALID_DEFLATE'))
    expect(all(deflated(late), { windowBits: 9 })).toEqual(Array(2).fill(late.toString('latin1')))
  })

  test('it looks at the limit after a piece, so a fault within the piece comes first', () => {
    const tooBig = (size: number) =>
      Buffer.concat([
        deflateRawSync('x'.repeat(size), { finishFlush: constants.Z_SYNC_FLUSH }),
        Uint8Array.of(0x06), // a block of type 3
      ])
    expect(all(tooBig(16_383), { limit: 10 })).toEqual(['fault MESSAGE_TOO_BIG', 'fault INVALID_DEFLATE'])
    expect(all(tooBig(16_385), { limit: 10 })).toEqual(['fault MESSAGE_TOO_BIG', 'fault INVALID_DEFLATE'])
    expect(all(tooBig(16_385), { limit: 10, windowBits: 14 })).toEqual(Array(2).fill('fault MESSAGE_TOO_BIG'))
    expect(all(tooBig(65_537), { limit: 10 })).toEqual(Array(2).fill('fault MESSAGE_TOO_BIG'))
  })
})

test('a fault leaves the window as it was', () => {
  const one = inflater()
  const payloads = ['f248cdc9c90700', 'ffffff', 'f200110000']
  expect(payloads.map((payload) => text(one.inflate(hex(payload))))).toEqual([
    'Hello',
    'fault INVALID_DEFLATE',
    'Hello',
  ])
})

test('text is bytes', () => {
  expect(inflater().inflate(deflated('é'))).toEqual(utf8('é'))
})
