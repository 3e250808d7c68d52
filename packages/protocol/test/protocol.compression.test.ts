// What Protocol does with compressed messages, for both roles; how they are compressed is the codec's.

import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MessageCompression } from '../src/index.ts'
import { zlibEngine } from '../src/node/zlib.ts'
import { chunkSizes, cut } from './support/arbitrary.ts'
import { concat, toHex, utf8 } from './support/bytes.ts'
import { Peer } from './support/encode.ts'
import { Endpoint, ROLES } from './support/record.ts'
import { deserved, observed } from './support/verdict.ts'

const COMPRESSION: MessageCompression = {
  parameters: {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  },
  engine: zlibEngine,
}
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

describe.each(ROLES)('the %s', (role) => {
  const peer = new Peer(role)
  const start = (threshold?: number) => new Endpoint(role, { compression: { ...COMPRESSION, threshold } })
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
          observed(new Endpoint(role, { ...limits, compression: COMPRESSION }).receive(...chunks))
        const { words, ...facts } = run(stream)
        const deflate = { windowBits: 15, takeover: false, engine: 'zlib' } as const
        expect(facts).toEqual(deserved(stream, { role, ...limits, deflate }))
        expect(run(...cut(stream, sizes))).toEqual({ words, ...facts })
      },
    )
    fc.assert(property, { numRuns: 200 })
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
