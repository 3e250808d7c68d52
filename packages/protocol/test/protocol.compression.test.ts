// What Protocol does with compressed messages, for both roles; how they are compressed is the codec's.

import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BufferedOutput, type InflateSink, type MessageCompression, Protocol, WebSocketError } from '../src/index.ts'
import { chunkSizes, cut } from './support/arbitrary.ts'
import { concat, toHex, utf8 } from './support/bytes.ts'
import { DirectCompression } from './support/compression.ts'
import { Peer } from './support/encode.ts'
import { Endpoint, type Entry, ROLES } from './support/record.ts'
import { deserved, observed } from './support/verdict.ts'

const RSV1 = 4
const LONG = 'x'.repeat(2000)

function deflated(data: string | Uint8Array): Uint8Array {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

/** The frames put out since the last call, as first byte and payload: the reference decoder knows no extension. */
function sent({ output }: Endpoint): string[] {
  const bytes = output.take()
  const frames: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const [first = 0, second = 0, high = 0, low = 0] = bytes.subarray(at, at + 4)
    const long = (second & 0x7f) === 126
    const keyAt = at + (long ? 4 : 2)
    const start = keyAt + (second >= 0x80 ? 4 : 0)
    const key = bytes.subarray(keyAt, start)
    const end = start + (long ? high * 256 + low : second & 0x7f)
    const payload = bytes.subarray(start, end).map((byte, index) => byte ^ (key[index % 4] ?? 0))
    frames.push(`${first.toString(16)} ${toHex(payload)}`)
    at = end
  }
  return frames
}

/** Compression whose answers the test gives. */
class Later implements MessageCompression {
  readonly threshold = 1024
  waits: InflateSink | undefined
  closed = false

  inflate(_: Uint8Array, __: number, sink: InflateSink): undefined {
    this.waits = sink
  }

  deflate(): undefined {}

  close(): void {
    this.closed = true
  }
}

describe.each(ROLES)('the %s', (role) => {
  const peer = new Peer(role)
  const start = (threshold = 1024) => {
    const compression = new DirectCompression({ threshold })
    onTestFinished(() => compression.close())
    return new Endpoint(role, { compression })
  }
  const compressed = (data: string | Uint8Array, opcode = 1) =>
    peer.frame({ opcode, rsv: RSV1, payload: deflated(data) })

  test('reads text and binary, compressed or not [O3]', () => {
    const protocol = start().receive(
      compressed('text'),
      peer.text('plain'),
      compressed(utf8('bytes'), 2),
      compressed(''),
    )
    expect(protocol.log).toEqual([
      ['text', 'text'],
      ['text', 'plain'],
      ['binary', toHex(utf8('bytes'))],
      ['text', ''],
    ])
  })

  test.each([
    ['invalid data [O14]', peer.frame({ opcode: 1, rsv: RSV1, payload: 'no deflate data' }), 1007, 'INVALID_DEFLATE'],
    ['text that is no UTF-8 [K9]', compressed(Uint8Array.of(0xff)), 1007, 'INVALID_UTF8'],
    ['RSV1 on a continuation [O1]', peer.frame({ opcode: 0, rsv: RSV1 }), 1002, 'RESERVED_BITS'],
    ['RSV1 on a ping [O2]', peer.frame({ opcode: 9, rsv: RSV1 }), 1002, 'RESERVED_BITS'],
    ['RSV2', peer.frame({ opcode: 1, rsv: 2 }), 1002, 'RESERVED_BITS'],
  ])('fails on %s', (_, bytes, code, cause) => {
    expect(start().receive(bytes).lose()).toMatchObject({ code, wasClean: false, cause })
  })

  test('writes RSV1 on what it compresses, from the threshold on, unless told not to [M7, O17]', () => {
    const protocol = start()
    protocol.protocol.sendText(LONG)
    protocol.protocol.sendBinary(utf8(LONG))
    protocol.protocol.sendBinary(utf8(LONG), 1)
    const payload = toHex(deflated(LONG))
    expect(sent(protocol)).toEqual([`c1 ${payload}`, `c2 ${payload}`, `c1 ${payload}`])
    protocol.protocol.sendText(LONG, false)
    protocol.protocol.sendBinary(utf8(LONG), 2, false)
    protocol.protocol.sendText('x'.repeat(1023))
    const plain = toHex(utf8(LONG))
    expect(sent(protocol)).toEqual([`81 ${plain}`, `82 ${plain}`, `81 ${toHex(utf8('x'.repeat(1023)))}`])
  })

  test('what does not shrink goes out plain; fragments always do', () => {
    const protocol = start(0)
    protocol.protocol.sendText('ab')
    protocol.protocol.sendFragment(1, utf8(LONG), true)
    expect(sent(protocol)).toEqual(['81 6162', `81 ${toHex(utf8(LONG))}`])
  })

  test('sends nothing once it is closing', () => {
    const protocol = start()
    protocol.protocol.close()
    expect([protocol.protocol.sendText(LONG), protocol.protocol.sendBinary(utf8(LONG))]).toEqual([false, false])
  })

  test('says the same however a stream is cut, and what the reference says [G7, O4, O18]', () => {
    const message = fc.record({
      opcode: fc.constantFrom(1, 2),
      data: fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom(LONG, LONG.slice(0, 300))),
      compress: fc.boolean(),
      cuts: fc.array(fc.nat(30), { maxLength: 3 }),
      ping: fc.boolean(),
    })
    const change = fc.record({ at: fc.nat(300), bit: fc.nat(7) })
    const property = fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.option(change, { freq: 1 }),
      fc.constantFrom(20_000, 300),
      chunkSizes,
      (messages, changed, maxPayload, sizes) => {
        const stream = concat(...messages.flatMap(framesOf))
        const at = changed === null ? -1 : changed.at % (stream.length + 1)
        if (changed !== null && at < stream.length) stream[at] = (stream[at] ?? 0) ^ (1 << changed.bit)
        const limits = { maxPayload, maxFragments: 131_072 }
        const run = (...chunks: Uint8Array[]) =>
          observed(new Endpoint(role, { ...limits, compression: new DirectCompression() }).receive(...chunks))
        const { words, ...facts } = run(stream)
        const deflate = { windowBits: 15, takeover: false, engine: 'zlib' } as const
        expect(facts).toEqual(deserved(stream, { role, ...limits, deflate }))
        expect(run(...cut(stream, sizes))).toEqual({ words, ...facts })
      },
    )
    fc.assert(property, { numRuns: 200 })
  })

  test('sends what was compressed elsewhere, in its order; nothing once it is closing', () => {
    const protocol = start()
    const said = [
      protocol.protocol.sendDeflated(utf8(LONG), 1, deflated(LONG)),
      protocol.protocol.sendDeflated(utf8('ab'), 2, undefined),
    ]
    expect([...said, sent(protocol)]).toEqual([true, true, [`c1 ${toHex(deflated(LONG))}`, '82 6162']])
    protocol.protocol.close()
    expect(protocol.protocol.sendDeflated(utf8(LONG), 1, deflated(LONG))).toBe(false)
  })

  describe('a message that takes longer to inflate', () => {
    const first = compressed('not looked at', 1)
    const stream = concat(peer.text('before'), first, peer.ping('p'), peer.text('after'))
    const upToFirst = peer.text('before').length + first.length

    /** An end that has read up to the end of that message. */
    function waiting(react?: (entry: Entry, end: Endpoint) => void) {
      const compression = new Later()
      const end = new Endpoint(role, { compression }, react)
      const consumed = end.protocol.receive(Uint8Array.from(stream))
      expect([consumed, end.protocol.inflating, end.log]).toEqual([upToFirst, true, [['text', 'before']]])
      expect(end.protocol.receive(Uint8Array.from(stream), upToFirst)).toBe(upToFirst)
      return { compression, end, rest: () => end.protocol.receive(Uint8Array.from(stream), upToFirst) }
    }

    test('keeps what follows back until it is there', () => {
      const { compression, end, rest } = waiting()
      compression.waits?.onInflated(utf8('inflated'))
      expect([end.protocol.inflating, rest()]).toEqual([false, stream.length])
      expect(end.log.slice(1)).toEqual([
        ['text', 'inflated'],
        ['receivable'],
        ['ping', toHex(utf8('p'))],
        ['text', 'after'],
      ])
    })

    test.each([
      ['MESSAGE_TOO_BIG', 1009, 'MESSAGE_TOO_BIG'],
      [Uint8Array.of(0xff), 1007, 'INVALID_UTF8'],
    ] as const)('fails on %s, and reads no further', (inflated, code, cause) => {
      const { compression, end, rest } = waiting()
      compression.waits?.onInflated(inflated)
      rest()
      expect(end.log.map(([name]) => name)).toEqual(['text', 'closing', 'end', 'receivable'])
      expect(end.lose()).toMatchObject({ code, cause })
      expect(compression.closed).toBe(true)
    })

    test('is given up by a close: reading goes on, up to the Close of the peer', () => {
      const { compression, end, rest } = waiting()
      end.protocol.close(1000)
      expect([compression.closed, end.protocol.inflating, rest()]).toEqual([true, false, stream.length])
      compression.waits?.onInflated(utf8('too late'))
      expect(end.log.slice(1)).toEqual([['closing'], ['receivable'], ['ping', toHex(utf8('p'))]])
    })

    test('is given up when the connection is', () => {
      const { compression, end } = waiting()
      end.protocol.abort(new WebSocketError('TERMINATED', 'over'))
      compression.waits?.onInflated(utf8('too late'))
      expect([compression.closed, end.protocol.inflating, end.log.length]).toEqual([true, false, 1])
    })

    test('binary data is handed on as it is', () => {
      const end = new Endpoint(role, { compression: new Later() })
      end.receive(compressed('not looked at', 2))
      end.protocol.onInflated(Uint8Array.of(1, 2, 3))
      expect(end.log).toEqual([['binary', '010203'], ['receivable']])
    })

    test('an owner that never waits need not hear of it', () => {
      const handler = { onMessage() {}, onPing() {}, onPong() {}, onClosing() {}, onEnd() {} }
      const protocol = new Protocol({ role, output: new BufferedOutput(), handler, compression: new Later() })
      protocol.receive(compressed('not looked at'))
      protocol.close()
      expect(protocol.inflating).toBe(false)
    })
  })

  /** The frames of a message: cut anywhere, with pings between them if they are wanted. */
  function framesOf(message: { opcode: number; data: string; compress: boolean; cuts: number[]; ping: boolean }) {
    const payload = message.compress ? deflated(message.data) : utf8(message.data)
    const cuts = message.cuts.map((at) => at % (payload.length + 1)).sort((a, b) => a - b)
    const edges = [0, ...cuts, payload.length]
    return edges.slice(1).flatMap((end, index) => {
      const opcode = index === 0 ? message.opcode : 0
      const rsv = index === 0 && message.compress ? RSV1 : 0
      const piece = peer.frame({
        opcode,
        rsv,
        fin: index === cuts.length,
        payload: payload.subarray(edges[index], end),
      })
      return message.ping ? [piece, peer.ping('p')] : [piece]
    })
  }
})
