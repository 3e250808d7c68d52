import { describe, expect, test } from 'vitest'
import type { CloseInfo } from '../src/close-info.ts'
import { ProtocolError, UsageError, WebSocketError } from '../src/errors.ts'
import { portablePlatform } from '../src/platform.ts'
import type { State } from '../src/state.ts'
import { concat, hex, pattern, toHex, utf8 } from './support/bytes.ts'
import { Peer } from './support/encode.ts'
import { collectGarbage } from './support/garbage.ts'
import { Endpoint, type Entry, ROLES, type Summary } from './support/record.ts'

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
const INVALID = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
const LOST: Summary = { code: 1006, reason: '', wasClean: false, initiator: 'transport', cause: 'CONNECTION_LOST' }

function close(code: number, reason = ''): string {
  return `88 ${code.toString(16).padStart(4, '0')}${toHex(utf8(reason))}`
}

describe.each(ROLES)('a %s', (role) => {
  const peer = new Peer(role)
  /** The server ends TCP as soon as both Closes are exchanged; the client waits for that (§7.1.1) [L11, L12]. */
  const ENDS: Entry[] = role === 'server' ? [['end']] : []

  describe('closes', () => {
    test('with code and reason, and hears the same back [L13, L17]', () => {
      const end = new Endpoint(role)
      expect(end.protocol.close(1000, 'bye')).toBe(true)
      expect([end.protocol.state, end.protocol.readyState]).toEqual(['local-closing', 2])
      expect(end.sent()).toEqual([close(1000, 'bye')])
      expect(end.log).toEqual([['closing']])
      end.receive(peer.close(1000))
      expect([end.protocol.state, end.protocol.readyState]).toEqual(['ending', 2])
      expect(end.log).toEqual([['closing'], ...ENDS])
      expect(end.sent()).toEqual([])
      expect(end.lose()).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
      expect([end.protocol.state, end.protocol.readyState]).toEqual(['closed', 3])
    })

    test('and reports what the peer says, not what it said itself [L13]', () => {
      const end = new Endpoint(role)
      end.protocol.close(1000, 'mine')
      end.receive(peer.close(4001, 'yours'))
      expect(end.lose()).toEqual({ code: 4001, reason: 'yours', wasClean: true, initiator: 'local' })
    })

    test('without a code, and hears nothing back: 1005 [L7, L13]', () => {
      const end = new Endpoint(role)
      expect(end.protocol.close()).toBe(true)
      expect(end.sent()).toEqual(['88'])
      end.receive(peer.close())
      expect(end.lose()).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'local' })
    })

    test('once only [L7]', () => {
      const end = new Endpoint(role)
      expect([end.protocol.close(1000), end.protocol.close(1001), end.protocol.close()]).toEqual([true, false, false])
      expect(end.sent()).toEqual([close(1000)])
      expect(end.log).toEqual([['closing']])
    })

    test('in the middle of a message that it sends or receives [L8, L10]', () => {
      const end = new Endpoint(role)
      end.protocol.sendFragment(1, utf8('a'), false)
      end.receive(peer.text('b', false))
      end.protocol.close(1001)
      expect(end.protocol.sendFragment(1, utf8('c'), true)).toBe(false)
      end.receive(peer.continuation('d', true), peer.close(1001))
      expect(end.sent()).toEqual(['01 61', close(1001)])
      expect(end.log).toEqual([['closing'], ...ENDS])
      expect(end.lose()).toMatchObject({ code: 1001, wasClean: true })
    })

    test('and still delivers what comes up to the peer’s Close, if it is not to discard', () => {
      const end = new Endpoint(role)
      end.receive(peer.text('a', false))
      end.protocol.close(1000, '', false)
      end.receive(peer.continuation('b', true), peer.binary('c'), peer.close(1000), peer.text('d'))
      expect(end.log).toEqual([['closing'], ['text', 'ab'], ['binary', '63'], ...ENDS])
    })

    test('and discards from the moment on at which it is told to, in the middle of a message too', () => {
      const end = new Endpoint(role)
      end.protocol.close(1000, '', false)
      end.receive(peer.text('a'), peer.text('b', false))
      expect(end.protocol.close(1000)).toBe(false)
      end.receive(peer.continuation('c', true), peer.text('d'), peer.close(1000))
      expect(end.log).toEqual([['closing'], ['text', 'a'], ...ENDS])
    })

    test('and reads on to the peer’s Close: data is dropped unread, rules of framing hold [L9]', () => {
      const end = new Endpoint(role)
      end.protocol.close(1000)
      end.receive(
        peer.text('late'),
        peer.text(hex('ff')),
        peer.binary('a', false),
        peer.continuation('b', true),
        peer.pong('p'),
      )
      expect(end.log).toEqual([['closing'], ['pong', '70']])
      expect([end.protocol.state, end.protocol.framesIn]).toEqual(['local-closing', 5])
      end.receive(peer.frame({ opcode: 3 }))
      expect(end.protocol.state).toBe('failed')
      expect(end.log).toEqual([['closing'], ['pong', '70'], ['end']])
      expect(end.sent()).toEqual([close(1000)])
      expect(end.lose()).toEqual({
        code: 1002,
        reason: 'reserved opcode: first byte 0x83',
        wasClean: false,
        initiator: 'local',
        cause: 'RESERVED_OPCODE',
      })
    })

    test.each<[string, [code?: unknown, reason?: unknown], string]>([
      ['1005 [L4]', [1005], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got 1005'],
      ['1006 [L4]', [1006], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got 1006'],
      ['NaN', [Number.NaN], 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got NaN'],
      ['124 bytes [L5]', [1000, 'é'.repeat(62)], 'close reason must have at most 123 bytes of UTF-8; got 124'],
      ['a reason without a code', [undefined, 'x'], 'a close reason needs a close code: close(1000, reason)'],
    ])('throws on %s, and nothing has happened', (_, given, message) => {
      const end = new Endpoint(role)
      expect(() => end.protocol.close(...(given as [number, string]))).toThrow(new UsageError(message))
      expect([end.protocol.state, end.log, end.sent()]).toEqual(['open', [], []])
    })

    test('with 1010 as a client only [L16]', () => {
      const end = new Endpoint(role)
      if (role === 'client') {
        expect(end.protocol.close(1010)).toBe(true)
        expect(end.sent()).toEqual([close(1010)])
      } else {
        const message = 'close code must be another one: only a client sends 1010 (RFC 6455 §7.4.1); got 1010'
        expect(() => end.protocol.close(1010)).toThrow(new UsageError(message))
        expect(end.sent()).toEqual([])
      }
    })
  })

  describe('is closed by the peer', () => {
    test.each(VALID)('with %i, and answers the same code [L2, L7]', (code) => {
      const end = new Endpoint(role).receive(peer.close(code, 'because'))
      expect(end.protocol.state).toBe('ending')
      expect(end.sent()).toEqual([close(code)])
      expect(end.log).toEqual([['closing'], ...ENDS])
      expect(end.lose()).toEqual({ code, reason: 'because', wasClean: true, initiator: 'remote' })
    })

    test('with an empty Close, and answers so [L7, L13]', () => {
      const end = new Endpoint(role).receive(peer.close())
      expect(end.sent()).toEqual(['88'])
      expect(end.lose()).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'remote' })
    })

    test('with 123 bytes of reason, a byte order mark kept [L5, K6]', () => {
      const reason = `\uFEFF${'€'.repeat(40)}`
      const end = new Endpoint(role).receive(peer.close(3000, reason))
      expect(end.lose()).toEqual({ code: 3000, reason, wasClean: true, initiator: 'remote' })
    })

    test('and closes no second time [L7]', () => {
      const end = new Endpoint(role).receive(peer.close(1000))
      expect(end.protocol.close(1000)).toBe(false)
      expect(end.sent()).toEqual([close(1000)])
    })

    test('in the middle of a message [L7]', () => {
      const end = new Endpoint(role).receive(peer.text('a', false), peer.close(1001))
      expect(end.sent()).toEqual([close(1001)])
      expect(end.lose()).toMatchObject({ code: 1001, wasClean: true })
    })

    test('and looks at nothing that follows: data, pings, a second Close, violations [J7, L9, L14]', () => {
      const end = new Endpoint(role)
      end.receive(concat(peer.close(1000), peer.text('late'), peer.ping(), peer.close(1002), hex('ffffff')), hex('83'))
      expect(end.sent()).toEqual([close(1000)])
      expect(end.log).toEqual([['closing'], ...ENDS])
      expect(end.lose()).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'remote' })
      expect(end.protocol.framesIn).toBe(1)
    })

    test.each(INVALID)('with %i, and fails on the second byte of the code [L3, G11]', (code) => {
      const frame = peer.close(code, 'x')
      const end = new Endpoint(role)
      const states = [...frame].map((byte) => end.receive(Uint8Array.of(byte)).protocol.state)
      expect(states.indexOf('failed')).toBe(frame.length - 2)
      const reason = `a close code that must not be on the wire: ${code}`
      expect(end.sent()).toEqual([close(1002, reason)])
      expect(end.log).toEqual([['closing'], ['end']])
      expect(end.lose()).toEqual({
        code: 1002,
        reason,
        wasClean: false,
        initiator: 'local',
        cause: 'CLOSE_CODE_INVALID',
      })
      expect(new Endpoint(role).receive(frame).lose()).toMatchObject({ code: 1002, cause: 'CLOSE_CODE_INVALID' })
    })

    test('with one byte, and fails on its length [L1]', () => {
      const end = new Endpoint(role).receive(peer.frame({ opcode: 8, payload: 'x' }).subarray(0, 2))
      expect(end.sent()).toEqual([close(1002, 'a Close payload of one byte')])
      expect(end.lose()).toMatchObject({ code: 1002, cause: 'CLOSE_PAYLOAD_SIZE' })
    })

    test.each([
      ['an impossible byte', '61ff62', 2, 'invalid UTF-8: close reason'],
      ['a surrogate', 'eda080', 2, 'invalid UTF-8: close reason'],
      ['a code point cut short', '61e282', 3, 'invalid UTF-8: close reason cut short'],
    ])('with a reason that is no UTF-8, and fails on the byte that shows it: %s [L6]', (_, reason, index, message) => {
      const frame = peer.close(1000, hex(reason))
      const before = frame.length - hex(reason).length
      const bytewise = new Endpoint(role)
      const states = [...frame].map((byte) => bytewise.receive(Uint8Array.of(byte)).protocol.state)
      expect(states.indexOf('failed') + 1).toBe(before + index)
      const whole = new Endpoint(role).receive(frame)
      for (const end of [bytewise, whole]) {
        expect(end.sent()).toEqual([close(1007, message)])
        const { cause } = end.protocol.transportClosed()
        expect(cause).toMatchObject({ code: 'INVALID_UTF8', closeCode: 1007, offset: before + index, message })
      }
    })

    test('wrongly, after its own Close: it fails without a second Close [L7, L14]', () => {
      const end = new Endpoint(role)
      end.protocol.close(1000)
      end.receive(peer.close(1006))
      expect(end.sent()).toEqual([close(1000)])
      expect(end.log).toEqual([['closing'], ['end']])
      expect(end.lose()).toMatchObject({ code: 1002, wasClean: false, initiator: 'local', cause: 'CLOSE_CODE_INVALID' })
    })
  })

  /** An end in each state that a test can see; 'remote-closing' passes within one call. */
  const IN: Record<Exclude<State, 'remote-closing'>, () => Endpoint> = {
    open: () => new Endpoint(role),
    'local-closing': () => {
      const end = new Endpoint(role)
      end.protocol.close(1000)
      return end
    },
    ending: () => new Endpoint(role).receive(peer.close(1001)),
    failed: () => new Endpoint(role).receive(peer.frame({ opcode: 3 })),
    closed: () => {
      const end = new Endpoint(role)
      end.lose()
      return end
    },
  }
  const inState = (state: keyof typeof IN): Endpoint => {
    const end = IN[state]()
    expect(end.protocol.state).toBe(state)
    end.sent()
    end.log.length = 0
    return end
  }

  describe('fails', () => {
    const tooSlow = new ProtocolError('MESSAGE_TIMEOUT', 'too slow', 7)

    test('from open: Close, then the end of TCP [L15, M6]', () => {
      const end = inState('open')
      end.protocol.fail(tooSlow)
      expect([end.protocol.state, end.protocol.readyState]).toEqual(['failed', 2])
      expect(end.sent()).toEqual([close(1008, 'too slow')])
      expect(end.log).toEqual([['closing'], ['end']])
      const info = end.protocol.transportClosed()
      expect(info).toEqual({ code: 1008, reason: 'too slow', wasClean: false, initiator: 'local', cause: tooSlow })
      expect(info.cause).toBe(tooSlow)
    })

    test('from local-closing: no second Close [L7]', () => {
      const end = inState('local-closing')
      end.protocol.fail(tooSlow)
      expect([end.sent(), end.log]).toEqual([[], [['end']]])
      expect(end.lose()).toEqual({
        code: 1008,
        reason: 'too slow',
        wasClean: false,
        initiator: 'local',
        cause: 'MESSAGE_TIMEOUT',
      })
    })

    test.each<[State & keyof typeof IN, Summary | undefined]>([
      ['ending', { code: 1001, reason: '', wasClean: true, initiator: 'remote' }],
      [
        'failed',
        {
          code: 1002,
          reason: 'reserved opcode: first byte 0x83',
          wasClean: false,
          initiator: 'local',
          cause: 'RESERVED_OPCODE',
        },
      ],
      ['closed', undefined],
    ])('not from %s: it is over already', (state, info) => {
      const end = inState(state)
      end.protocol.fail(tooSlow)
      expect([end.protocol.state, end.sent(), end.log]).toEqual([state, [], []])
      if (info !== undefined) expect(end.lose()).toEqual(info)
    })

    test('and looks at nothing that follows, not even a Close [L14]', () => {
      const end = inState('open')
      end.protocol.fail(tooSlow)
      end.receive(peer.close(1000), peer.ping(), peer.text('a'))
      expect(end.log).toEqual([['closing'], ['end']])
      expect(end.lose()).toMatchObject({ code: 1008, cause: 'MESSAGE_TIMEOUT' })
    })

    test('in the middle of a chunk that its own handler reads', () => {
      const end = new Endpoint(role, {}, ([what], { protocol }) => what === 'text' && protocol.fail(tooSlow))
      end.receive(concat(peer.text('a'), peer.text('b'), peer.close(1000)))
      expect(end.log).toEqual([['text', 'a'], ['closing'], ['end']])
    })

    test('with a reason cut to what a Close can carry, between code points [L5]', () => {
      const end = inState('open')
      end.protocol.fail(new ProtocolError('HANDLER_FAILED', 'é'.repeat(100), 0))
      expect(end.sent()).toEqual([close(1011, 'é'.repeat(61))])
      expect(end.lose().reason).toBe('é'.repeat(100))
    })

    test.each([
      ['MESSAGE_TIMEOUT', undefined, 1008, 'message makes too little progress'],
      ['MESSAGE_TIMEOUT', '100 bytes in 10 s', 1008, 'message makes too little progress: 100 bytes in 10 s'],
      ['HANDLER_FAILED', undefined, 1011, 'internal error'],
    ] as const)('for a reason of ours: %s, %s [L15]', (code, detail, closeCode, message) => {
      const end = new Endpoint(role).receive(peer.ping())
      end.sent()
      end.protocol.failWith(code, detail)
      expect(end.sent()).toEqual([close(closeCode, message)])
      expect(end.protocol.transportClosed().cause).toMatchObject({
        code,
        closeCode,
        message,
        offset: peer.ping().length,
      })
    })
  })

  describe('loses its transport', () => {
    test('while open: 1006 [L13, L19]', () => {
      const end = inState('open')
      const info = end.protocol.transportClosed()
      expect(info).toMatchObject({ code: 1006, reason: '', wasClean: false, initiator: 'transport' })
      expect(info.cause).toMatchObject({
        code: 'CONNECTION_LOST',
        message: 'the connection was lost without a Close frame',
      })
      expect(end.log).toEqual([])
      expect(end.sent()).toEqual([])
    })

    test('by an error: it is the cause of the cause', () => {
      const error = new Error('read ECONNRESET')
      const { cause } = inState('open').protocol.transportClosed(error)
      expect(cause).toMatchObject({ code: 'CONNECTION_LOST', message: 'the connection was lost: read ECONNRESET' })
      expect(cause?.cause).toBe(error)
    })

    test('by something that is no error', () => {
      const { cause } = inState('open').protocol.transportClosed('gone')
      expect(cause).toMatchObject({ message: 'the connection was lost without a Close frame', cause: 'gone' })
    })

    test('while it waits for the peer’s Close: 1006, and we began [L13]', () => {
      expect(inState('local-closing').lose(new Error('x'))).toEqual({ ...LOST, initiator: 'local' })
    })

    test('after both Closes: clean, even by an error [L17]', () => {
      expect(inState('ending').lose(new Error('x'))).toEqual({
        code: 1001,
        reason: '',
        wasClean: true,
        initiator: 'remote',
      })
    })

    test('in the middle of a Close frame: 1006 [L13]', () => {
      const end = new Endpoint(role).receive(peer.close(1000, 'bye').subarray(0, -1))
      expect(end.lose()).toEqual(LOST)
    })

    test('and then reads nothing, answers nothing', () => {
      const end = inState('closed')
      end.receive(peer.text('a'), peer.ping(), peer.close(1000), hex('ff'))
      end.protocol.unblocked()
      expect([end.protocol.state, end.log, end.sent()]).toEqual(['closed', [], []])
    })

    test('with a pong held back, which is dropped', () => {
      const end = new Endpoint(role)
      end.output.blocked = true
      end.receive(peer.ping('a'))
      end.lose()
      end.protocol.unblocked()
      expect(end.sent()).toEqual([])
    })

    test('once only: a second time is a bug of the caller', () => {
      expect(() => inState('closed').protocol.transportClosed()).toThrow(
        new Error("no transition from 'closed' upon 'transport-closed'"),
      )
    })
  })

  describe('aborts', () => {
    const timeout = new WebSocketError('HEARTBEAT_TIMEOUT', 'no pong')

    test.each<[State & keyof typeof IN, State, CloseInfo]>([
      ['open', 'failed', { code: 1006, reason: '', wasClean: false, initiator: 'local', cause: timeout }],
      ['local-closing', 'failed', { code: 1006, reason: '', wasClean: false, initiator: 'local', cause: timeout }],
      ['ending', 'ending', { code: 1001, reason: '', wasClean: true, initiator: 'remote' }],
    ])('from %s to %s, without a word', (state, next, info) => {
      const end = inState(state)
      end.protocol.abort(timeout)
      expect([end.protocol.state, end.sent(), end.log]).toEqual([next, [], []])
      const given = end.protocol.transportClosed(new Error('ECONNABORTED'))
      expect(given).toEqual(info)
      expect(given.cause).toBe(info.cause)
    })

    test('and looks at nothing that follows, not even a Close; a pong that waits is dropped [L14]', () => {
      const end = new Endpoint(role)
      end.output.blocked = true
      end.receive(peer.ping())
      end.log.length = 0
      end.protocol.abort(timeout)
      end.receive(peer.text('a'), peer.ping(), peer.close(1000))
      end.protocol.unblocked()
      expect([end.log, end.sent()]).toEqual([[], []])
      expect(end.lose()).toEqual({
        code: 1006,
        reason: '',
        wasClean: false,
        initiator: 'local',
        cause: 'HEARTBEAT_TIMEOUT',
      })
    })

    test('after a failure: the failure stays the cause', () => {
      const end = inState('failed')
      end.protocol.abort(timeout)
      expect(end.lose()).toMatchObject({ code: 1002, cause: 'RESERVED_OPCODE' })
    })

    test('twice: the first cause counts', () => {
      const end = inState('open')
      end.protocol.abort(timeout)
      end.protocol.abort(new WebSocketError('TERMINATED', 'terminated'))
      expect(end.lose()).toEqual({
        code: 1006,
        reason: '',
        wasClean: false,
        initiator: 'local',
        cause: 'HEARTBEAT_TIMEOUT',
      })
    })

    test('when all is over: nothing', () => {
      const end = inState('closed')
      end.protocol.abort(timeout)
      expect(end.protocol.state).toBe('closed')
    })
  })

  test.each<[string, (end: Endpoint) => void]>([
    ['it closes', (end) => void end.protocol.close(1000)],
    ['the peer closes', (end) => void end.receive(peer.close(1000))],
    ['it fails', (end) => end.protocol.failWith('HANDLER_FAILED')],
    ['it aborts', (end) => end.protocol.abort(new WebSocketError('TERMINATED', 'terminated'))],
    ['its transport ends', (end) => void end.lose()],
  ])('gives the memory of a message in progress back when %s', async (_, leaveOpen) => {
    let message: WeakRef<Uint8Array> | undefined
    const allocate = (size: number): Uint8Array => {
      const bytes = new Uint8Array(size)
      if (size === 1000) message = new WeakRef(bytes)
      return bytes
    }
    const end = new Endpoint(role, { platform: { ...portablePlatform, allocate } })
    end.receive(peer.binary(pattern(1000), false))
    await collectGarbage()
    expect(message?.deref()?.length).toBe(1000)
    leaveOpen(end)
    await collectGarbage()
    expect(message?.deref()).toBe(undefined)
  })

  test('closes at the same time as its peer: each gets the other’s code, neither answers twice [L18]', () => {
    const other = role === 'server' ? 'client' : 'server'
    const [mine, theirs] = [new Endpoint(role), new Endpoint(other)]
    mine.protocol.close(3001, 'mine')
    theirs.protocol.close(3002, 'theirs')
    const [fromMine, fromTheirs] = [mine.output.take(), theirs.output.take()]
    mine.receive(fromTheirs)
    theirs.receive(fromMine)
    expect([mine.sent(), theirs.sent()]).toEqual([[], []])
    expect([mine, theirs].map(({ log }) => log.filter(([what]) => what === 'end').length)).toEqual(
      role === 'server' ? [1, 0] : [0, 1],
    )
    expect(mine.lose()).toEqual({ code: 3002, reason: 'theirs', wasClean: true, initiator: 'local' })
    expect(theirs.lose()).toEqual({ code: 3001, reason: 'mine', wasClean: true, initiator: 'local' })
  })

  test('closes, and another end of ours answers: both are clean [L7, L17]', () => {
    const other = role === 'server' ? 'client' : 'server'
    const [mine, theirs] = [new Endpoint(role), new Endpoint(other)]
    mine.protocol.close(1001, 'going away')
    theirs.receive(mine.output.take())
    mine.receive(theirs.output.take())
    expect(mine.lose()).toEqual({ code: 1001, reason: '', wasClean: true, initiator: 'local' })
    expect(theirs.lose()).toEqual({ code: 1001, reason: 'going away', wasClean: true, initiator: 'remote' })
  })
})
