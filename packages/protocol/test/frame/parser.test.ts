import { describe, expect, test } from 'vitest'
import { FrameParser, opcodeOf } from '../../src/frame/parser.ts'
import type { ErrorCode } from '../../src/index.ts'
import { concat, hex, pattern, toHex } from '../support/bytes.ts'
import { type FrameSpec, frame, Peer, SAMPLE_KEY } from '../support/encode.ts'
import { type Call, ROLES, recordParser } from '../support/record.ts'

/** A stream that breaks a rule: `bad` does at its byte number `at`; `good` is equal to it up to there and does not. */
interface Fault {
  readonly rule: string
  readonly code: ErrorCode
  readonly before?: FrameSpec[]
  readonly bad: FrameSpec
  readonly at: number
  readonly good: FrameSpec
  readonly limits?: { maxPayload?: number; maxFragments?: number; allowRsv1?: boolean }
}

const text = (payload = ''): FrameSpec => ({ opcode: 1, payload })
const part = (payload: string, opcode = 0): FrameSpec => ({ opcode, payload, fin: false })
const binary = (declared: bigint, form?: 7 | 16 | 64): FrameSpec => ({
  opcode: 2,
  declared,
  payload: pattern(Number(declared > 70_000n ? 0n : declared)),
  ...(form === undefined ? {} : { form }),
})

const FAULTS: Fault[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv): Fault => {
    const opcode = 1
    return { rule: `RSV ${rsv} [G1]`, code: 'RESERVED_BITS', bad: { opcode, rsv }, at: 1, good: text() }
  }),
  ...[8, 9, 10].map((opcode): Fault => {
    const limits = { allowRsv1: true }
    return {
      rule: `RSV1 on control opcode ${opcode} though RSV1 is negotiated [G1]`,
      code: 'RESERVED_BITS',
      bad: { opcode, rsv: 4 },
      at: 1,
      good: { opcode },
      limits,
    }
  }),
  {
    rule: 'RSV1 on a continuation though RSV1 is negotiated [G1]',
    code: 'RESERVED_BITS',
    before: [{ opcode: 1, rsv: 4, fin: false, payload: 'a' }],
    bad: { opcode: 0, rsv: 4 },
    at: 1,
    good: { opcode: 0 },
    limits: { allowRsv1: true },
  },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Fault => {
    return { rule: `opcode ${opcode} [G2, G11]`, code: 'RESERVED_OPCODE', bad: { opcode }, at: 1, good: text() }
  }),
  ...[8, 9, 10].map((opcode): Fault => {
    const bad = { opcode, fin: false }
    return {
      rule: `control opcode ${opcode} without FIN [J2]`,
      code: 'FRAGMENTED_CONTROL',
      bad,
      at: 1,
      good: { opcode },
    }
  }),
  ...[false, true].map((fin): Fault => {
    const bad = { opcode: 0, fin }
    return {
      rule: `continuation with nothing open, FIN ${fin} [I2]`,
      code: 'UNEXPECTED_CONTINUATION',
      bad,
      at: 1,
      good: text(),
    }
  }),
  {
    rule: 'continuation after the end of a message [I2]',
    code: 'UNEXPECTED_CONTINUATION',
    before: [part('a', 1), { opcode: 0, payload: 'b' }],
    bad: { opcode: 0, payload: 'c' },
    at: 1,
    good: text('c'),
  },
  ...[1, 2].map((opcode): Fault => {
    const before = [part('a', 2), { opcode: 9 }]
    const bad = { opcode, payload: 'b' }
    const good = { opcode: 0, payload: 'b' }
    return { rule: `opcode ${opcode} inside a message [I3]`, code: 'INTERLEAVED_MESSAGE', before, bad, at: 1, good }
  }),
  ...[8, 9, 10].flatMap((opcode) =>
    [126n, 127n, 65_536n].map((declared): Fault => {
      const rule = `control opcode ${opcode} with ${declared} bytes [J1, G11]`
      return { rule, code: 'CONTROL_TOO_LONG', bad: { opcode, declared }, at: 2, good: { opcode } }
    }),
  ),
  {
    rule: 'Close of one byte [L1]',
    code: 'CLOSE_PAYLOAD_SIZE',
    bad: { opcode: 8, payload: 'a' },
    at: 2,
    good: { opcode: 8 },
  },
  ...[0n, 1n, 125n].map((length): Fault => {
    const rule = `${length} bytes in the 16-bit form [G5]`
    return { rule, code: 'LENGTH_NOT_MINIMAL', bad: binary(length, 16), at: 4, good: binary(126n) }
  }),
  ...[0n, 125n, 126n, 65_535n].map((length): Fault => {
    const rule = `${length} bytes in the 64-bit form [G5]`
    return { rule, code: 'LENGTH_NOT_MINIMAL', bad: binary(length, 64), at: 8, good: binary(65_536n) }
  }),
  ...[2n ** 63n, 2n ** 64n - 1n].map((length): Fault => {
    const limits = { maxPayload: Number.POSITIVE_INFINITY }
    return {
      rule: `${length} bytes [G4]`,
      code: 'LENGTH_TOP_BIT',
      bad: binary(length),
      at: 3,
      good: binary(65_536n),
      limits,
    }
  }),
  ...[
    { length: 11n, at: 2, maxPayload: 10, good: 10n },
    { length: 126n, at: 4, maxPayload: 125, good: 125n, form: 16 as const },
    { length: 127n, at: 4, maxPayload: 126, good: 126n },
    { length: 65_535n, at: 3, maxPayload: 1000, good: 1000n },
    { length: 65_536n, at: 8, maxPayload: 65_535, good: 65_535n, form: 64 as const },
    { length: 65_537n, at: 10, maxPayload: 65_536, good: 65_536n },
    { length: 2n ** 40n, at: 5, maxPayload: 2 ** 24, good: 65_536n },
    { length: 2n ** 53n, at: 4, maxPayload: Number.MAX_SAFE_INTEGER, good: 2n ** 53n - 1n },
    { length: 2n ** 53n, at: 4, maxPayload: Number.POSITIVE_INFINITY, good: 2n ** 53n - 1n },
    { length: 2n ** 63n - 1n, at: 3, maxPayload: Number.POSITIVE_INFINITY, good: 2n ** 53n - 1n },
  ].map(({ length, at, maxPayload, good, form }): Fault => {
    const rule = `${length} bytes where ${maxPayload} are allowed [G6, G10, M1]`
    return { rule, code: 'MESSAGE_TOO_BIG', bad: binary(length), at, good: binary(good, form), limits: { maxPayload } }
  }),
  {
    rule: 'a sum of fragments over the limit [M1]',
    code: 'MESSAGE_TOO_BIG',
    before: [part('sixsix', 1), { opcode: 9, payload: 'not counted' }],
    bad: { opcode: 0, payload: 'fives' },
    at: 2,
    good: { opcode: 0, payload: 'four' },
    limits: { maxPayload: 10 },
  },
  {
    rule: 'more fragments than allowed, an empty one and none of the pings counted [I5, M2]',
    code: 'TOO_MANY_FRAGMENTS',
    before: [part('', 1), { opcode: 9 }, part('b'), { opcode: 9 }],
    bad: { opcode: 0 },
    at: 1,
    good: { opcode: 9 },
    limits: { maxFragments: 2 },
  },
]

describe.each(ROLES)('FrameParser of a %s', (role) => {
  const peer = new Peer(role)
  const encode = (specs: readonly FrameSpec[]): Uint8Array => concat(...specs.map((spec) => peer.frame(spec)))
  const header = peer.frame({ opcode: 1 }).length

  test('calls onHeader, onPayload and onFrameEnd for each frame [G8, G9]', () => {
    const { push, calls } = recordParser({ role })
    const stream = encode([text('Hello'), text(), part('a', 2), { opcode: 9, payload: 'p' }, { opcode: 0 }])
    expect(push(stream)).toBe(stream.length)
    const payloads = [5, 0, 1, 1, 0]
    const ends = payloads.map((_, index) => header * (index + 1) + payloads.slice(0, index + 1).reduce((a, b) => a + b))
    expect(calls).toEqual([
      ['header', '81', 5],
      ['payload', toHex(Buffer.from('Hello'))],
      ['end', ends[0]],
      ['header', '81', 0],
      ['end', ends[1]],
      ['header', '02', 1],
      ['payload', '61'],
      ['end', ends[2]],
      ['header', '89', 1],
      ['payload', '70'],
      ['end', ends[3]],
      ['header', '80', 0],
      ['end', ends[4]],
    ])
  })

  test.each([0, 1, 125, 126, 127, 128, 65_535, 65_536])('reads %i bytes of payload [G3, H6]', (length) => {
    const payload = pattern(length)
    for (const size of [1, 3, 1000, 1_000_000]) {
      const { push, calls } = recordParser({ role })
      const stream = peer.binary(payload)
      for (let at = 0; at < stream.length; at += size) push(stream.subarray(at, at + size))
      const between: Call[] = length === 0 ? [] : [['payload', toHex(payload)]]
      expect(calls).toEqual([['header', '82', length], ...between, ['end', stream.length]])
    }
  })

  test.each(FAULTS)('$rule', ({ code, before = [], bad, at, good, limits = {} }) => {
    const start = encode(before)
    const stream = concat(start, peer.frame(bad))
    const offset = start.length + at
    const untilThen = recordParser({ role, ...limits })
    untilThen.push(start)

    const whole = recordParser({ role, ...limits })
    expect(whole.push(concat(stream, peer.ping()))).toBe(stream.length + peer.ping().length)
    expect(whole.calls.map((call) => call.slice(0, 3))).toEqual([...untilThen.calls, ['violation', code, offset]])

    const bytewise = recordParser({ role, ...limits })
    const seen = [...stream].map((byte) => {
      bytewise.push(Uint8Array.of(byte))
      return bytewise.calls.some(([call]) => call === 'violation')
    })
    expect(seen.indexOf(true)).toBe(offset - 1)
    expect(bytewise.calls).toEqual(whole.calls)

    // It could not be known a byte earlier: this frame begins with the same bytes and does not break the rule.
    const fine = peer.frame(good)
    expect(toHex(fine.subarray(0, at - 1))).toBe(toHex(peer.frame(bad).subarray(0, at - 1)))
    const other = recordParser({ role, ...limits })
    other.push(concat(start, fine))
    expect(other.calls.filter(([call, what]) => call === 'violation' && what === code)).toEqual([])
    expect(other.calls.length).toBeGreaterThan(untilThen.calls.length)
  })

  test('refuses the other end’s kind of frame on its second byte [H3, H5, G11]', () => {
    const { push, calls } = recordParser({ role })
    push(concat(peer.ping(), frame({ opcode: 1, payload: 'a', key: role === 'server' ? undefined : SAMPLE_KEY })))
    const expected: Call =
      role === 'server'
        ? ['violation', 'MASK_MISSING', header + 2, 'a client must mask its frames']
        : ['violation', 'MASK_UNEXPECTED', header + 2, 'a server must not mask its frames']
    expect(calls.slice(2)).toEqual([expected])
  })

  test.each<[string, FrameSpec[], { maxPayload?: number; maxFragments?: number }, string]>([
    ['a first byte', [{ opcode: 3 }], {}, 'reserved opcode: first byte 0x83'],
    ['a first byte under 0x10', [{ opcode: 9, fin: false }], {}, 'control frame without FIN: first byte 0x09'],
    ['a length', [text('12345')], { maxPayload: 4 }, 'message larger than the limit: 5 bytes or more, 4 allowed'],
    [
      'the least of a length',
      [binary(1023n)],
      { maxPayload: 4 },
      'message larger than the limit: 768 bytes or more, 4 allowed',
    ],
    [
      'a sum',
      [part('123', 1), part('45')],
      { maxPayload: 4 },
      'message larger than the limit: 5 bytes or more, 4 allowed',
    ],
    [
      'a number of frames',
      [part('', 1), part('')],
      { maxFragments: 1 },
      'message of more fragments than the limit: 1 frames',
    ],
  ])('says what came and what was allowed: %s', (_, specs, limits, message) => {
    const { push, calls } = recordParser({ role, ...limits })
    push(encode(specs))
    expect(calls.at(-1)?.[3]).toBe(message)
  })

  test('RSV1 on the first frame of a message is handed on where it is negotiated [G1]', () => {
    const { push, calls } = recordParser({ role, allowRsv1: true })
    push(encode([{ opcode: 1, rsv: 4, fin: false }, { opcode: 0 }, { opcode: 2, rsv: 4 }]))
    expect(calls.flatMap(([call, first]) => (call === 'header' ? [first] : []))).toEqual(['41', '80', 'c2'])
  })

  test('limits are of each message, not of the connection [M1, M2]', () => {
    const { push, calls } = recordParser({ role, maxPayload: 4, maxFragments: 2 })
    const messages = [text('1234'), part('12', 1), { opcode: 0, payload: '34' }, { opcode: 2, payload: '1234' }]
    push(encode([...messages, ...messages]))
    expect(calls.filter(([call]) => call === 'end').length).toBe(8)
    expect(calls.at(-1)?.[0]).toBe('end')
  })

  test('control frames may be longer than messages', () => {
    const { push, calls } = recordParser({ role, maxPayload: 0 })
    push(encode([{ opcode: 9, payload: pattern(125) }, text()]))
    expect(calls.map(([call]) => call)).toEqual(['header', 'payload', 'end', 'header', 'end'])
  })

  test('counts empty fragments: 131,072 by default [I5]', () => {
    const { push, calls } = recordParser({ role })
    const first = part('', 1)
    push(peer.frame(first))
    const thousand = encode(Array<FrameSpec>(1000).fill(part('')))
    for (let count = 0; count < 131; count++) push(thousand)
    push(encode(Array<FrameSpec>(71).fill(part(''))))
    expect(calls.at(-1)).toEqual(['end', 131_072 * header])
    push(encode([{ opcode: 0 }]))
    expect(calls.at(-1)?.slice(0, 3)).toEqual(['violation', 'TOO_MANY_FRAGMENTS', 131_072 * header + 1])
  })

  test('the length 2^53 − 1 is exact [G6]', () => {
    const { push, calls } = recordParser({ role, maxPayload: Number.POSITIVE_INFINITY })
    push(peer.frame({ opcode: 2, declared: 2n ** 53n - 1n, payload: 'a' }))
    expect(calls).toEqual([
      ['header', '82', 9_007_199_254_740_991],
      ['payload', '61'],
    ])
  })

  test('takes a part of a buffer, and touches nothing but its payload', () => {
    const stream = encode([text('Hello'), { opcode: 9, payload: 'ping' }])
    const buffer = concat(hex('aabbcc'), stream, hex('8300'))
    const { parser, calls } = recordParser({ role })
    expect(parser.push(buffer, 3, 3 + stream.length)).toBe(3 + stream.length)
    expect(calls.at(-1)).toEqual(['end', stream.length])
    const plain = concat(
      hex('aabbcc'),
      peer.text('Hello').subarray(0, header),
      Buffer.from('Hello'),
      peer.ping('ping').subarray(0, header),
      Buffer.from('ping'),
      hex('8300'),
    )
    expect(toHex(buffer)).toBe(toHex(plain))
  })

  test('an empty chunk changes nothing', () => {
    const { parser, calls } = recordParser({ role })
    expect(parser.push(hex('ffff'), 1, 1)).toBe(1)
    expect([parser.consumed, parser.midMessage, calls]).toEqual([0, false, []])
  })

  test('consumed counts the stream', () => {
    const { parser, push } = recordParser({ role })
    push(encode([text('Hello')]).subarray(0, header + 2))
    expect(parser.consumed).toBe(header + 2)
    push(encode([text('Hello')]).subarray(header + 2))
    expect(parser.consumed).toBe(header + 5)
    push(hex('8300000000'))
    expect(parser.consumed).toBe(header + 10)
  })

  test('midMessage tells whether the peer owes something', () => {
    const { parser, push } = recordParser({ role })
    const stream = encode([part('a', 1), { opcode: 9, payload: 'b' }, { opcode: 0, payload: 'c' }])
    const owed = [...stream].map((byte) => {
      push(Uint8Array.of(byte))
      return parser.midMessage
    })
    expect(owed).toEqual([...Array(stream.length - 1).fill(true), false])
    push(hex('83'))
    expect(parser.midMessage).toBe(false)
  })

  test('offsetAfter gives the offset in the stream of a byte in hand', () => {
    const stream = encode([text('Hello')])
    const offsets: number[] = []
    const parser = new FrameParser(
      { role, maxPayload: 10, maxFragments: 1, allowRsv1: false },
      {
        onHeader() {},
        onPayload: (_, start, end) => void offsets.push(parser.offsetAfter(start), parser.offsetAfter(end - 1)),
        onFrameEnd() {},
        onViolation() {},
      },
    )
    parser.push(concat(hex('0000'), stream.slice(0, header + 2)), 2, 2 + header + 2)
    parser.push(concat(hex('00'), stream.slice(header + 2)), 1, 1 + 3)
    expect(offsets).toEqual([header + 1, header + 2, header + 3, header + 5])
  })

  test('unmasks with what it is given, and only what is masked', () => {
    const asked: unknown[] = []
    const { push } = recordParser({ role, applyMask: (_, ...rest) => void asked.push(rest) })
    push(encode([text('Hello')]).subarray(0, header + 2))
    push(encode([text('Hello')]).subarray(header + 2))
    const server = [
      [header, header + 2, 0x37fa_213d, 0],
      [0, 3, 0x37fa_213d, 2],
    ]
    expect(asked).toEqual(role === 'server' ? server : [])
  })
})

describe.each(ROLES)('FrameParser of a %s, told by its sink', (role) => {
  const peer = new Peer(role)
  const stream = concat(peer.text('one'), peer.text(''), peer.ping('p'), peer.text('two'))

  function parserThat(reacts: (call: string, parser: FrameParser) => void): { parser: FrameParser; calls: string[] } {
    const calls: string[] = []
    const on = (call: string) => (): void => {
      calls.push(call)
      reacts(call, parser)
    }
    const parser = new FrameParser(
      { role, maxPayload: 100, maxFragments: 10, allowRsv1: false },
      { onHeader: on('header'), onPayload: on('payload'), onFrameEnd: on('end'), onViolation: on('violation') },
    )
    return { parser, calls }
  }

  test('stops at the end of a frame and goes on with the remainder', () => {
    const { parser, calls } = parserThat((call, it) => call === 'end' && it.stop())
    const ends: number[] = []
    for (let at = 0; at < stream.length; ) {
      at = parser.push(stream.slice(), at, stream.length)
      ends.push(at)
      expect(parser.consumed).toBe(at)
    }
    const sizes = ['one', '', 'p', 'two'].map((payload) => peer.text(payload).length)
    expect(ends).toEqual(sizes.map((_, index) => sizes.slice(0, index + 1).reduce((a, b) => a + b)))
    expect(calls).toEqual([
      'header',
      'payload',
      'end',
      'header',
      'end',
      'header',
      'payload',
      'end',
      'header',
      'payload',
      'end',
    ])
  })

  test('a stop holds for the push in which it is called, not for the next', () => {
    const { parser, calls } = parserThat(() => {})
    parser.stop()
    expect(parser.push(stream.slice(), 0, stream.length)).toBe(stream.length)
    expect(calls.length).toBe(11)
  })

  test.each([
    ['header', ['header']],
    ['payload', ['header', 'payload']],
    ['end', ['header', 'payload', 'end']],
  ])('discards all that follows when told so in %s', (when, expected) => {
    const { parser, calls } = parserThat((call, it) => call === when && it.discard())
    expect(parser.push(stream.slice(), 0, stream.length)).toBe(stream.length)
    expect(parser.push(hex('83838383'), 1, 4)).toBe(4)
    expect(calls).toEqual(expected)
    expect([parser.consumed, parser.midMessage]).toEqual([stream.length + 3, false])
  })

  test('discards also when the header refused is that of an empty frame', () => {
    const { parser, calls } = parserThat((call, it) => call === 'header' && it.discard())
    parser.push(peer.text(''), 0, peer.text('').length)
    expect(calls).toEqual(['header'])
  })
})

test.each([
  [0x00, 0],
  [0x81, 1],
  [0x42, 2],
  [0xf8, 8],
  [0x89, 9],
  [0x8a, 10],
])('opcodeOf 0x%x is %i', (first, opcode) => {
  expect(opcodeOf(first)).toBe(opcode)
})

describe('a message of one frame', () => {
  test.each(ROLES)('comes as three calls where the sink has nothing else, role %s', (role) => {
    const bytes = frame({ opcode: 2, payload: 'abc', ...(role === 'server' ? { key: SAMPLE_KEY } : {}) })
    const [inOne, inThree] = [recordParser({ role }), recordParser({ role }, false)]
    inOne.push(bytes)
    inThree.push(bytes)
    expect(inThree.calls).toEqual([
      ['header', '82', 3],
      ['payload', '616263'],
      ['end', bytes.length],
    ])
    expect(inOne.calls).toEqual(inThree.calls)
  })
})
