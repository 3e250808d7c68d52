import { describe, expect, test } from 'vitest'
import { UsageError } from '../src/errors.ts'
import { portablePlatform } from '../src/platform.ts'
import { Protocol, type ProtocolOptions } from '../src/protocol.ts'
import { concat, hex, pattern, toHex, utf8 } from './support/bytes.ts'
import { Peer } from './support/encode.ts'
import { Endpoint, type Entry, FIXED_KEY, ROLES } from './support/record.ts'
import { DEFAULT_RULES, decodeFrames } from './support/reference.ts'

/** Feeds a stream byte by byte; returns the number of the byte after which our Close was out, 0 if there was none. */
function closeAfter(endpoint: Endpoint, stream: Uint8Array): number {
  return [...stream].findIndex((byte) => endpoint.receive(Uint8Array.of(byte)).protocol.state !== 'open') + 1
}

describe.each(ROLES)('a %s receives', (role) => {
  const peer = new Peer(role)
  const header = peer.text('').length

  test.each([0, 1, 125, 126, 127, 128, 65_535, 65_536])(
    'messages of %i bytes, at several chops [G3, G7, G9]',
    (length) => {
      const text = 'x'.repeat(length)
      const stream = concat(peer.text(text), peer.binary(pattern(length)))
      for (const size of [997, stream.length]) {
        const end = new Endpoint(role)
        for (let at = 0; at < stream.length; at += size) end.receive(stream.subarray(at, at + size))
        expect(end.log).toEqual([
          ['text', text],
          ['binary', toHex(pattern(length))],
        ])
      }
    },
  )

  test('many frames of one chunk, in order [G8]', () => {
    const end = new Endpoint(role)
    const texts = Array.from({ length: 500 }, (_, index) => `message ${index}`)
    end.receive(concat(...texts.map((text) => peer.text(text))))
    expect(end.log).toEqual(texts.map((text) => ['text', text]))
    expect([end.protocol.framesIn, end.protocol.bytesIn]).toEqual([
      500,
      texts.reduce((sum, text) => sum + header + text.length, 0),
    ])
  })

  test('fragments, empty ones too [I1, I5]', () => {
    const end = new Endpoint(role)
    end.receive(peer.text('Hel', false), peer.continuation('', false), peer.continuation('lo', true))
    end.receive(peer.binary('', false), peer.continuation(hex('ff'), false), peer.continuation('', true))
    end.receive(peer.text('', false), peer.continuation('', true))
    expect(end.log).toEqual([
      ['text', 'Hello'],
      ['binary', 'ff'],
      ['text', ''],
    ])
    expect(end.sent()).toEqual([])
  })

  test('control frames between fragments at once, in order [I4, J3]', () => {
    const end = new Endpoint(role)
    end.receive(peer.text('Hel', false), peer.ping('1'))
    expect(end.sent()).toEqual(['8a 31'])
    end.receive(peer.continuation('', false), peer.ping('2'), peer.pong('3'))
    expect(end.sent()).toEqual(['8a 32'])
    end.receive(peer.continuation('lo', true))
    expect(end.log).toEqual([
      ['ping', '31'],
      ['ping', '32'],
      ['pong', '33'],
      ['text', 'Hello'],
    ])
  })

  test('a code point split over fragments and chunks [K2]', () => {
    const end = new Endpoint(role)
    const [a, b, c, d] = [hex('f0'), hex('9f'), hex('98'), hex('80')] as const
    end.receive(
      peer.text(a, false),
      peer.continuation(b, false),
      peer.ping(),
      peer.continuation(c, false),
      peer.continuation(d, true),
    )
    const whole = peer.text('😀')
    end.receive(...[...whole].map((byte) => Uint8Array.of(byte)))
    expect(end.log).toEqual([
      ['ping', ''],
      ['text', '😀'],
      ['text', '😀'],
    ])
  })

  test.each(['\uFEFFa', '\0', '\uFFFE\uFFFF', '\u{1fffe}\u{10ffff}'])('%j as it is [K5, K6]', (text) => {
    const end = new Endpoint(role)
    end.receive(
      peer.text(text),
      peer.text(utf8(text).subarray(0, 1), false),
      peer.continuation(utf8(text).subarray(1), true),
    )
    expect(end.log).toEqual([
      ['text', text],
      ['text', text],
    ])
  })

  test('binary messages, pings and pongs that are no UTF-8 [K8]', () => {
    const end = new Endpoint(role)
    end.receive(peer.binary(hex('ff c0')), peer.ping(hex('ff')), peer.pong(hex('c0')))
    expect(end.log).toEqual([
      ['binary', 'ffc0'],
      ['ping', 'ff'],
      ['pong', 'c0'],
    ])
  })

  test('binary messages that are its own: the chunk may be overwritten', () => {
    const messages: Uint8Array[] = []
    const end = new Endpoint(role, {}, (_, __, data) => void messages.push(data as Uint8Array))
    const stream = concat(peer.binary('whole'), peer.binary('in par', false), peer.continuation('ts', true))
    end.protocol.receive(stream)
    stream.fill(0)
    expect(messages).toEqual([utf8('whole'), utf8('in parts')])
  })

  test('a part of a buffer', () => {
    const end = new Endpoint(role)
    const stream = concat(hex('83'), peer.text('a'), hex('83'))
    expect(end.protocol.receive(stream, 1, stream.length - 1)).toBe(stream.length - 1)
    expect(end.log).toEqual([['text', 'a']])
    expect(end.protocol.bytesIn).toBe(header + 1)
  })

  test.each<[string, Uint8Array[], number]>([
    ['in one frame', [peer.text(hex('cebae1bdb9cf83cebcceb5f4908080656469746564'))], header + 13],
    [
      'in the second fragment',
      [peer.text(hex('cebae1bdb9cf83cebcceb5f4'), false), peer.continuation(hex('908080'), true)],
      2 * header + 13,
    ],
    ['with bytes still missing', [peer.frame({ opcode: 1, payload: hex('61ff'), declared: 100n })], header + 2],
    [
      'between control frames',
      [peer.text(hex('c3'), false), peer.ping(), peer.continuation(hex('28'), false)],
      3 * header + 2,
    ],
  ])('impossible text, and fails on its first byte: %s [K1, K3, K4]', (_, frames, offset) => {
    const stream = concat(...frames)
    const whole = new Endpoint(role).receive(stream)
    expect(whole.lose()).toEqual({
      code: 1007,
      reason: 'invalid UTF-8',
      wasClean: false,
      initiator: 'local',
      cause: 'INVALID_UTF8',
    })
    expect(whole.sent().at(-1)).toBe(`88 03ef${toHex(utf8('invalid UTF-8'))}`)
    expect(whole.log.slice(-2)).toEqual([['closing'], ['end']])
    expect(closeAfter(new Endpoint(role), stream)).toBe(offset)
  })

  test.each<[string, Uint8Array[]]>([
    ['in one frame', [peer.text(hex('61e282'))]],
    ['in fragments', [peer.text(hex('61e2'), false), peer.continuation(hex('82'), true)]],
    ['by an empty last fragment', [peer.text(hex('61e282'), false), peer.continuation('', true)]],
  ])('text cut short, and fails at its end: %s [K1]', (_, frames) => {
    const stream = concat(...frames)
    expect(closeAfter(new Endpoint(role), stream)).toBe(stream.length)
    const end = new Endpoint(role).receive(stream)
    expect(end.sent()).toEqual([`88 03ef${toHex(utf8('invalid UTF-8: cut short'))}`])
    const info = end.protocol.transportClosed()
    expect(info.cause).toMatchObject({ code: 'INVALID_UTF8', closeCode: 1007, offset: stream.length })
  })

  test('each message, then a broken rule: what came before it is delivered and answered [G1]', () => {
    const end = new Endpoint(role)
    end.receive(concat(peer.text('a'), peer.ping('p'), peer.frame({ opcode: 1, rsv: 1 }), peer.text('b')))
    expect(end.log).toEqual([['text', 'a'], ['ping', '70'], ['closing'], ['end']])
    const reason = 'a reserved bit is set that no negotiated extension uses: first byte 0x91'
    expect(end.sent()).toEqual(['8a 70', `88 03ea${toHex(utf8(reason))}`])
    expect(end.lose()).toEqual({ code: 1002, reason, wasClean: false, initiator: 'local', cause: 'RESERVED_BITS' })
  })

  test('what it needs in memory, asked for once: the length told, or nothing for text in one chunk', () => {
    const allocated: number[] = []
    const allocate = (size: number): Uint8Array => {
      allocated.push(size)
      return new Uint8Array(size)
    }
    const copy = (bytes: Uint8Array, start: number, end: number): Uint8Array => {
      allocated.push(end - start)
      return bytes.slice(start, end)
    }
    const end = new Endpoint(role, { platform: { ...portablePlatform, allocate, copy } })
    end.receive(peer.binary(pattern(5)), peer.text('Hello'), peer.ping('p'))
    end.receive(...[...peer.binary(pattern(300))].map((byte) => Uint8Array.of(byte)))
    expect(allocated).toEqual([5, 1, 300])
    expect(end.log.length).toBe(4)
  })

  test('where it stands: midMessage, framesIn, bytesIn', () => {
    const end = new Endpoint(role)
    const states = [
      peer.text('a', false),
      peer.ping(),
      peer.continuation('', true),
      peer.text('bc').subarray(0, 3),
    ].map((chunk) => {
      const { midMessage, framesIn, bytesIn } = end.receive(chunk).protocol
      return [midMessage, framesIn, bytesIn]
    })
    expect(states).toEqual([
      [true, 1, header + 1],
      [true, 2, 2 * header + 1],
      [false, 3, 3 * header + 1],
      [true, 3, 3 * header + 4],
    ])
  })
})

describe.each(ROLES)('a %s answers pings', (role) => {
  const peer = new Peer(role)

  test.each([0, 1, 125])('with the same %i bytes [J3]', (length) => {
    const end = new Endpoint(role).receive(peer.ping(pattern(length)))
    expect(end.sent()).toEqual([`8a ${toHex(pattern(length))}`.trimEnd()])
    expect(end.log).toEqual([['ping', toHex(pattern(length))]])
  })

  test('as soon as the last byte of it is there [J3]', () => {
    const end = new Endpoint(role)
    const ping = peer.ping('payload')
    const answered = [...ping].map((byte) => end.receive(Uint8Array.of(byte)).sent())
    expect(answered).toEqual([...Array(ping.length - 1).fill([]), [`8a ${toHex(utf8('payload'))}`]])
  })

  test('ten by ten while the output takes bytes [J4]', () => {
    const end = new Endpoint(role).receive(concat(...'0123456789'.split('').map((digit) => peer.ping(digit))))
    expect(end.sent()).toEqual('0123456789'.split('').map((digit) => `8a 3${digit}`))
  })

  test('by the latest only while the output is blocked [J4]', () => {
    const end = new Endpoint(role)
    end.output.blocked = true
    end.receive(peer.ping('1'), peer.ping('2'), peer.ping('3'))
    expect(end.sent()).toEqual([])
    end.output.blocked = false
    end.protocol.unblocked()
    expect(end.sent()).toEqual(['8a 33'])
    end.protocol.unblocked()
    expect(end.sent()).toEqual([])
    expect(end.log).toEqual([
      ['ping', '31'],
      ['ping', '32'],
      ['ping', '33'],
    ])
  })

  test('in order when one comes before the word that the output is free again [J4]', () => {
    const end = new Endpoint(role)
    end.output.blocked = true
    end.receive(peer.ping('1'))
    end.output.blocked = false
    end.receive(peer.ping('2'))
    end.protocol.unblocked()
    expect(end.sent()).toEqual(['8a 31', '8a 32'])
  })

  test('with what came, though a handler changes its payload while the pong waits', () => {
    const end = new Endpoint(role, {}, (_, __, payload) => void (payload as Uint8Array).fill(0))
    end.output.blocked = true
    end.receive(peer.ping('abc'))
    end.protocol.unblocked()
    expect(end.sent()).toEqual(['8a 616263'])
  })

  test('but no pongs [J5]', () => {
    const end = new Endpoint(role).receive(peer.pong(), peer.pong('x'))
    expect(end.sent()).toEqual([])
    expect(end.log).toEqual([
      ['pong', ''],
      ['pong', '78'],
    ])
  })

  test('also after its own Close, until the peer’s [J6, J7]', () => {
    const end = new Endpoint(role)
    end.protocol.close(1000)
    expect(end.sent()).toEqual(['88 03e8'])
    end.receive(peer.ping('a'))
    expect(end.sent()).toEqual(['8a 61'])
    end.output.blocked = true
    end.receive(peer.ping('b'))
    end.output.blocked = false
    end.protocol.unblocked()
    expect(end.sent()).toEqual(['8a 62'])
    end.output.blocked = true
    end.receive(peer.ping('c'), peer.close(1000), peer.ping('d'))
    end.output.blocked = false
    end.protocol.unblocked()
    expect(end.sent()).toEqual([])
    expect(end.log.filter(([what]) => what === 'ping')).toEqual([
      ['ping', '61'],
      ['ping', '62'],
      ['ping', '63'],
    ])
  })
})

describe.each(ROLES)('a %s sends', (role) => {
  test('text and binary, masked if it is a client [G3, H1, H4]', () => {
    const { protocol, output } = new Endpoint(role)
    expect(protocol.sendText('Hé')).toBe(true)
    expect(protocol.sendBinary(hex('0102'))).toBe(true)
    expect(protocol.sendBinary(utf8('é'), 1)).toBe(true)
    expect(protocol.ping(hex(''))).toBe(true)
    expect(protocol.pong(hex('aa'))).toBe(true)
    expect(protocol.close(1000)).toBe(true)
    expect(protocol.framesOut).toBe(6)
    const key = FIXED_KEY.toString(16)
    const mask = (bytes: string): string =>
      toHex(hex(bytes).map((byte, index) => byte ^ Number.parseInt(key.slice((index % 4) * 2).slice(0, 2), 16)))
    const frames = [
      ['81', '48c3a9'],
      ['82', '0102'],
      ['81', 'c3a9'],
      ['89', ''],
      ['8a', 'aa'],
      ['88', '03e8'],
    ]
    const plain = frames.map(([first, payload = '']) => `${first}0${payload.length / 2}${payload}`).join('')
    const masked = frames
      .map(([first, payload = '']) => `${first}8${payload.length / 2}${key}${mask(payload)}`)
      .join('')
    expect(toHex(output.take())).toBe(role === 'client' ? masked : plain)
  })

  test('each frame with a key of its own if it is a client [H2]', () => {
    const end = new Endpoint(role, { platform: portablePlatform })
    for (let count = 0; count < 1000; count++) end.protocol.ping(hex('00000000'))
    const frames = toHex(end.output.take()).match(role === 'client' ? /.{20}/g : /.{12}/g)
    // A payload of zeros comes out as the key itself. Two equal ones among a thousand come once in 8,600 runs.
    expect(new Set(frames).size).toBeGreaterThanOrEqual(role === 'client' ? 998 : 1)
    expect(frames?.filter((frame) => frame.slice(4, 12) !== frame.slice(-8))).toEqual([])
  })

  test('without touching the bytes that it is given [H7]', () => {
    const { protocol } = new Endpoint(role)
    const payload = hex('010203')
    protocol.sendBinary(payload)
    protocol.sendFragment(2, payload, true)
    protocol.ping(payload)
    protocol.pong(payload)
    expect(toHex(payload)).toBe('010203')
  })

  test('a lone surrogate as U+FFFD [K7]', () => {
    const end = new Endpoint(role)
    end.protocol.sendText('a\uD800')
    expect(end.sent()).toEqual(['81 61efbfbd'])
  })

  test('fragments: first the opcode, then continuations, FIN on the last [G12]', () => {
    const end = new Endpoint(role)
    expect(end.protocol.sendFragment(1, utf8('a'), false)).toBe(true)
    expect(end.protocol.sendFragment(1, utf8(''), false)).toBe(true)
    expect(end.protocol.sendFragment(1, utf8('b'), true)).toBe(true)
    expect(end.protocol.sendFragment(2, utf8('c'), true)).toBe(true)
    expect(end.protocol.sendFragment(2, utf8('d'), false)).toBe(true)
    expect(end.protocol.sendFragment(2, utf8(''), true)).toBe(true)
    expect(end.sent()).toEqual(['01 61', '00', '80 62', '82 63', '02 64', '80'])
    expect(end.protocol.framesOut).toBe(6)
  })

  test('control frames between fragments, but no other message [I6]', () => {
    const end = new Endpoint(role)
    const { protocol } = end
    protocol.sendFragment(1, utf8('a'), false)
    expect(protocol.ping(utf8('p'))).toBe(true)
    expect(protocol.pong(utf8('q'))).toBe(true)
    const inProgress = 'a fragmented message is being sent: end it first (RFC 6455 §5.4)'
    expect(() => protocol.sendText('b')).toThrow(new UsageError(inProgress))
    expect(() => protocol.sendBinary(utf8('b'))).toThrow(new UsageError(inProgress))
    expect(() => protocol.sendFragment(2, utf8('b'), true)).toThrow(
      new UsageError('all fragments of a message must have its opcode'),
    )
    protocol.sendFragment(1, utf8('c'), true)
    expect(protocol.sendText('d')).toBe(true)
    expect(end.sent()).toEqual(['01 61', '89 70', '8a 71', '80 63', '81 64'])
  })

  test('125 bytes of ping or pong, not 126 [J8]', () => {
    const end = new Endpoint(role)
    expect(end.protocol.ping(pattern(125))).toBe(true)
    expect(end.protocol.pong(pattern(125))).toBe(true)
    const error = new UsageError('length of a ping or pong payload must be at most 125 bytes (RFC 6455 §5.5); got 126')
    expect(() => end.protocol.ping(pattern(126))).toThrow(error)
    expect(() => end.protocol.pong(pattern(126))).toThrow(error)
    expect(end.sent().length).toBe(2)
  })

  test.each<[string, (end: Endpoint) => void]>([
    ['after its own Close', (end) => void end.protocol.close(1000)],
    ['after the peer’s Close', (end) => void end.receive(new Peer(role).close(1000))],
    ['after a failure', (end) => void end.receive(new Peer(role).frame({ opcode: 3 }))],
    ['after the end of the transport', (end) => void end.lose()],
  ])('nothing %s [G13, L8]', (_, leaveOpen) => {
    const end = new Endpoint(role)
    end.protocol.sendFragment(1, utf8('a'), false)
    leaveOpen(end)
    end.sent()
    const { protocol } = end
    expect(protocol.readyState).toBe(protocol.state === 'closed' ? 3 : 2)
    expect([
      protocol.sendText('b'),
      protocol.sendBinary(utf8('b')),
      protocol.sendFragment(1, utf8('b'), true),
      protocol.sendFragment(2, utf8('b'), true),
      protocol.ping(utf8('b')),
      protocol.pong(utf8('b')),
      protocol.close(1000),
    ]).toEqual(Array(7).fill(false))
    expect(end.sent()).toEqual([])
    // What the caller did wrong is said in any state.
    expect(() => protocol.ping(pattern(126))).toThrow(UsageError)
    expect(() => protocol.close(1005)).toThrow(UsageError)
  })
})

describe.each(ROLES)('a %s keeps limits', (role) => {
  const peer = new Peer(role)

  test('maxPayload: 1009 on the length told, with no payload byte read [G10, M1]', () => {
    const end = new Endpoint(role, { maxPayload: 1000 })
    const big = peer.binary(pattern(1001))
    const head = big.subarray(0, 4) // up to the length, before any masking key
    expect(closeAfter(end, head)).toBe(4)
    const reason = 'message larger than the limit: 1001 bytes or more, 1000 allowed'
    expect(end.sent()).toEqual([`88 03f1${toHex(utf8(reason))}`])
    end.receive(big.subarray(4))
    expect(end.lose()).toEqual({ code: 1009, reason, wasClean: false, initiator: 'local', cause: 'MESSAGE_TOO_BIG' })
    expect(end.log).toEqual([['closing'], ['end']])
  })

  test('maxPayload: the limit itself is allowed, in one frame or many [M1]', () => {
    const end = new Endpoint(role, { maxPayload: 10 })
    end.receive(
      peer.text('0123456789'),
      peer.text('01234', false),
      peer.continuation('56789', false),
      peer.continuation('', true),
    )
    expect(end.log).toEqual([
      ['text', '0123456789'],
      ['text', '0123456789'],
    ])
  })

  test('maxPayload: 1009 over the sum of the fragments [M1]', () => {
    const end = new Endpoint(role, { maxPayload: 10 })
    end.receive(peer.text('01234', false), peer.ping(), peer.continuation('56789x', true).subarray(0, 2))
    expect(end.lose()).toMatchObject({ code: 1009, cause: 'MESSAGE_TOO_BIG' })
  })

  test('maxPayload is 16 MiB by default [M1]', () => {
    const told = (declared: bigint): Uint8Array => peer.frame({ opcode: 2, declared }).subarray(0, 10)
    expect(new Endpoint(role).receive(told(16_777_216n)).protocol.state).toBe('open')
    expect(new Endpoint(role).receive(told(16_777_217n)).protocol.state).toBe('failed')
  })

  test('maxPayload 0 leaves empty messages and control frames', () => {
    const end = new Endpoint(role, { maxPayload: 0 })
    end.receive(peer.text(''), peer.ping(pattern(125)), peer.text('a'))
    expect(end.log).toEqual([['text', ''], ['ping', toHex(pattern(125))], ['closing'], ['end']])
  })

  test('maxFragments: 1008, empty ones counted, control frames not [I5, M2]', () => {
    const end = new Endpoint(role, { maxFragments: 3 })
    end.receive(
      peer.text('', false),
      peer.ping(),
      peer.continuation('', false),
      peer.ping(),
      peer.continuation('', true),
    )
    expect(end.log.at(-1)).toEqual(['text', ''])
    end.receive(
      peer.text('', false),
      peer.continuation('', false),
      peer.continuation('', false),
      peer.continuation('', true),
    )
    const reason = 'message of more fragments than the limit: 3 frames'
    expect(end.lose()).toEqual({ code: 1008, reason, wasClean: false, initiator: 'local', cause: 'TOO_MANY_FRAGMENTS' })
    expect(end.sent().at(-1)).toBe(`88 03f0${toHex(utf8(reason))}`)
  })

  test('a limit holds also while it waits for the peer’s Close [M1]', () => {
    const end = new Endpoint(role, { maxPayload: 10 })
    end.protocol.close(1000)
    end.receive(peer.text('0123456789'), peer.text('0123456789x'))
    expect(end.lose()).toMatchObject({ code: 1009, wasClean: false, cause: 'MESSAGE_TOO_BIG' })
    expect(end.sent()).toEqual(['88 03e8'])
  })

  const RANGES = { maxPayload: 'an integer from 0 to 536870888', maxFragments: 'an integer from 1 to 9007199254740991' }
  test.each<['maxPayload' | 'maxFragments', unknown, string]>([
    ['maxPayload', -1, '-1'],
    ['maxPayload', Number.NaN, 'NaN'],
    ['maxPayload', 1.5, '1.5'],
    ['maxPayload', Number.POSITIVE_INFINITY, 'Infinity'],
    ['maxPayload', 536_870_889, '536870889'],
    ['maxPayload', '1000', '"1000"'],
    ['maxFragments', 0, '0'],
    ['maxFragments', Number.POSITIVE_INFINITY, 'Infinity'],
  ])('%s %s makes no sense and throws', (option, value, shown) => {
    const options = { [option]: value } as Partial<ProtocolOptions>
    expect(() => new Endpoint(role, options)).toThrow(
      new UsageError(`option ${option} must be ${RANGES[option]}; got ${shown}`),
    )
  })
})

describe.each(ROLES)('a %s stops', (role) => {
  const peer = new Peer(role)
  const frames = [
    peer.text('one'),
    peer.text('two '.repeat(50)),
    peer.ping('p'),
    peer.binary('th', false),
    peer.continuation('ree', true),
    peer.text('four'),
  ]
  const stream = concat(...frames)

  test('after the frame in hand, and takes the remainder later', () => {
    const end = new Endpoint(role, {}, ([what], { protocol }) => what !== 'ping' && protocol.stop())
    const bytes = Uint8Array.from(stream)
    const stops: number[] = []
    for (let at = 0; at < bytes.length; ) {
      at = end.protocol.receive(bytes, at, bytes.length)
      stops.push(at)
      expect(end.protocol.bytesIn).toBe(at)
    }
    const ends = frames.map((_, index) => concat(...frames.slice(0, index + 1)).length)
    expect(stops).toEqual([ends[0], ends[1], ends[4], ends[5]])
    expect(end.log).toEqual(new Endpoint(role).receive(stream).log)
    expect(end.sent()).toEqual(['8a 70'])
  })

  test('and may be given the remainder in another buffer: nothing of it was unmasked', () => {
    const end = new Endpoint(role, {}, (_, { protocol }) => protocol.stop())
    let rest = Uint8Array.from(stream)
    while (rest.length > 0) rest = rest.slice(end.protocol.receive(rest))
    expect(end.log).toEqual(new Endpoint(role).receive(stream).log)
  })

  test('not when nothing is being received', () => {
    const end = new Endpoint(role)
    end.protocol.stop()
    end.receive(stream)
    expect(end.log.length).toBe(5)
  })
})

describe.each(ROLES)('within a handler of a %s', (role) => {
  const peer = new Peer(role)
  const first = (entries: readonly Entry[]): string[] => entries.map(([what]) => what)

  test('close() discards the messages that follow, not the pings', () => {
    const end = new Endpoint(role, {}, ([what], { protocol }) => what === 'text' && protocol.close(1000))
    end.receive(
      concat(peer.text('a'), peer.text('b'), peer.binary('c', false), peer.ping('p'), peer.continuation('d', true)),
    )
    expect(end.log).toEqual([['text', 'a'], ['closing'], ['ping', '70']])
    expect(end.sent()).toEqual(['88 03e8', '8a 70'])
    end.receive(peer.close(1001))
    expect(end.lose()).toEqual({ code: 1001, reason: '', wasClean: true, initiator: 'local' })
  })

  test('close() in a ping handler lets the message in progress go', () => {
    const end = new Endpoint(role, {}, ([what], { protocol }) => what === 'ping' && protocol.close())
    end.receive(concat(peer.text('a', false), peer.ping(), peer.continuation(hex('ff'), true), peer.close()))
    expect(first(end.log)).toEqual(role === 'server' ? ['ping', 'closing', 'end'] : ['ping', 'closing'])
    expect(end.sent()).toEqual(['8a', '88'])
    expect(end.lose()).toMatchObject({ code: 1005, wasClean: true })
  })

  test.each(['text', 'ping', 'pong', 'closing'])('the transport may end in %s: nothing more is said', (when) => {
    const end = new Endpoint(role, {}, ([what], { protocol }) => what === when && protocol.transportClosed())
    end.receive(concat(peer.ping(), peer.pong(), peer.text('a'), peer.frame({ opcode: 3 }), peer.text('b')))
    const all = ['ping', 'pong', 'text', 'closing', 'end']
    // A failure is said in full: both of its duties are known by then.
    expect(first(end.log)).toEqual(when === 'closing' ? all : all.slice(0, all.indexOf(when) + 1))
    expect(end.protocol.state).toBe('closed')
  })

  test('sending from a handler keeps the order', () => {
    const end = new Endpoint(
      role,
      {},
      (entry, { protocol }) => entry[0] === 'text' && protocol.sendText(`re: ${entry[1]}`),
    )
    end.receive(concat(peer.text('a'), peer.ping('p'), peer.text('b')))
    expect(end.sent()).toEqual([`81 ${toHex(utf8('re: a'))}`, '8a 70', `81 ${toHex(utf8('re: b'))}`])
  })
})

test('two ends understand each other, whatever the sizes', () => {
  const client = new Endpoint('client', { platform: portablePlatform })
  const server = new Endpoint('server')
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 70_001]
  for (const size of sizes) {
    client.protocol.sendBinary(pattern(size))
    server.protocol.sendText('é'.repeat(size))
  }
  server.receive(client.output.take())
  client.receive(server.output.take())
  expect(server.log).toEqual(sizes.map((size) => ['binary', toHex(pattern(size))]))
  expect(client.log).toEqual(sizes.map((size) => ['text', 'é'.repeat(size)]))
})

test('works with the portable platform unless told otherwise', () => {
  const messages: unknown[] = []
  const end = new Endpoint('server')
  const protocol = new Protocol({
    role: 'client',
    output: end.output,
    handler: { onMessage: (data) => messages.push(data), onPing() {}, onPong() {}, onClosing() {}, onEnd() {} },
  })
  protocol.sendText('a')
  protocol.receive(new Peer('client').text('b'))
  const { frames } = decodeFrames(end.output.take(), { ...DEFAULT_RULES, role: 'server' })
  expect(frames.map(({ payload }) => toHex(payload))).toEqual(['61'])
  expect(messages).toEqual(['b'])
  expect([protocol.role, protocol.readyState]).toEqual(['client', 1])
})
