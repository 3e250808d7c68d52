// permessage-deflate on connections, over real sockets: what goes on the wire, what is refused, and every agreement.

import { constants, deflateRawSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { DeflateParameters } from '../../src/deflate/parameters.ts'
import { UsageError } from '../../src/errors.ts'
import { deflateSettings } from '../../src/node/deflate/settings.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { DEFAULT_RULES, decodeFrames, decodeStream } from '../support/reference.ts'
import { collect, connected, type Setup, withPeer } from './support/connections.ts'

const AGREED: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}
const ON: Setup = { perMessageDeflate: { threshold: 0 }, deflate: AGREED }
const RSV1 = 4
const TEXT = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id}` })))

function deflated(data: string | Uint8Array): Uint8Array {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

async function server(setup: Setup = ON) {
  const made = await withPeer('server', setup)
  onTestFinished(made.dispose)
  return made
}

const compressed = (payload: Uint8Array | string, rest: { opcode?: number; fin?: boolean } = {}) =>
  frame({ opcode: 1, rsv: RSV1, key: SAMPLE_KEY, payload, ...rest })

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('no takeover at the server %s, at the client %s', (serverNoContextTakeover, clientNoContextTakeover) => {
  test.each([8, 9, 12, 15])(
    'windows of 2^%i: messages of all kinds, both ways, in order [N8, O6, O20]',
    async (bits) => {
      const deflate = {
        serverNoContextTakeover,
        clientNoContextTakeover,
        serverMaxWindowBits: bits,
        clientMaxWindowBits: bits,
      }
      const setup: Setup = { ...ON, deflate }
      const ends = await connected(undefined, { client: setup, server: setup })
      onTestFinished(ends.dispose)
      const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(3000)))
      const messages = [
        TEXT,
        TEXT,
        '',
        Buffer.from(TEXT),
        noise,
        'x'.repeat(200_000),
        Buffer.alloc(0),
        TEXT.repeat(30),
        '☺'.repeat(999),
      ]
      for (const [from, to] of [
        [ends.client, ends.server],
        [ends.server, ends.client],
      ] as const) {
        const received = collect(to, messages.length)
        for (const message of messages) from.send(message)
        expect(await received).toEqual(messages)
        expect(to.stats().bytesIn).toBeLessThan(50_000)
      }
    },
  )
})

describe('on the wire', () => {
  test('a message that is worth it has RSV1 on its only frame, others have not [O1, O17]', async () => {
    const { socket, peer } = await server({ ...ON, perMessageDeflate: true })
    socket.send('x'.repeat(2000))
    const payload = deflated('x'.repeat(2000))
    const expected = Buffer.from(frame({ opcode: 1, rsv: RSV1, payload })).toString('hex')
    expect(await peer.read(expected.length / 2)).toBe(expected)
    socket.send('x'.repeat(1023)) // under the threshold
    expect(await peer.read(1027)).toBe(Buffer.from(frame({ opcode: 1, payload: 'x'.repeat(1023) })).toString('hex'))
    socket.send(Buffer.alloc(2000), { compress: false }) // [M7]
    expect(await peer.read(2004)).toBe(Buffer.from(frame({ opcode: 2, payload: Buffer.alloc(2000) })).toString('hex'))
  })

  test.each(['string as binary', 'text as bytes', 'Blob'] as const)('%s', async (kind) => {
    const { socket, peer } = await server()
    const data = 'y'.repeat(2000)
    if (kind === 'string as binary') socket.send(data, { binary: true })
    else if (kind === 'text as bytes') socket.send(Buffer.from(data), { binary: false })
    else socket.send(new Blob([data]))
    const opcode = kind === 'text as bytes' ? 1 : 2
    const expected = Buffer.from(frame({ opcode, rsv: RSV1, payload: deflated(data) })).toString('hex')
    expect(await peer.read(expected.length / 2)).toBe(expected)
  })
})

describe('received', () => {
  test('in fragments, cut anywhere, with control frames between them, and plain messages beside them [O3, O4, O18]', async () => {
    const { socket, peer } = await server()
    const payload = deflated(TEXT)
    const pieces = [payload.subarray(0, 1), payload.subarray(1, 50), new Uint8Array(0), payload.subarray(50)]
    const received = collect(socket, 3)
    pieces.forEach((piece, index) => {
      const last = index === pieces.length - 1
      if (index === 0) peer.write(compressed(piece, { fin: false }))
      else peer.write(frame({ opcode: 0, fin: last, payload: piece, key: SAMPLE_KEY }))
      if (!last) peer.write(frame({ opcode: 9, payload: String(index), key: SAMPLE_KEY }))
    })
    peer.write(
      frame({ opcode: 1, payload: 'plain', key: SAMPLE_KEY }),
      compressed(deflated(Buffer.from('binary')), { opcode: 2 }),
    )
    expect(await received).toEqual([TEXT, 'plain', Buffer.from('binary')])
    expect(await peer.read(9)).toBe('8a01308a01318a0132')
  })

  test.each<[string, Uint8Array, number, string]>([
    ['invalid data [O14]', compressed('no deflate data'), 1007, 'INVALID_DEFLATE'],
    ['data that is cut short [O15]', compressed(Uint8Array.of(0xf2, 0x48, 0xcd)), 1007, 'INVALID_DEFLATE'],
    ['text that is no UTF-8 [K9]', compressed(deflated(Uint8Array.of(0x61, 0xff))), 1007, 'INVALID_UTF8'],
    ['a bomb [O13]', compressed(deflated(Buffer.alloc(20 * 1024 * 1024))), 1009, 'MESSAGE_TOO_BIG'],
    [
      'RSV1 on a continuation [O1]',
      Buffer.concat([compressed('', { fin: false }), compressed('', { opcode: 0 })]),
      1002,
      'RESERVED_BITS',
    ],
    ['RSV1 on a ping [O2]', compressed('', { opcode: 9 }), 1002, 'RESERVED_BITS'],
  ])('%s', async (_, sent, code, cause) => {
    const { socket, peer } = await server()
    peer.write(sent)
    const close = await peer.rest()
    expect([close.slice(0, 2), close.slice(4, 8)]).toEqual(['88', code.toString(16).padStart(4, '0')])
    peer.stream.end()
    expect(await socket.closed).toMatchObject({ code, cause: { code: cause } })
  })

  test('a bomb in a hundred small frames fails as well, with the sum of what is inflated', async () => {
    const { socket, peer } = await server()
    const bomb = deflated(Buffer.alloc(20 * 1024 * 1024))
    const size = Math.ceil(bomb.length / 100)
    for (let index = 0; index < 100; index++) {
      const payload = bomb.subarray(index * size, (index + 1) * size)
      if (index === 0) peer.write(compressed(payload, { opcode: 2, fin: false }))
      else peer.write(frame({ opcode: 0, fin: index === 99, payload, key: SAMPLE_KEY }))
    }
    peer.stream.resume().on('end', () => peer.stream.end())
    expect((await socket.closed).code).toBe(1009)
  })

  test('a compressed message after our Close is not looked at', async () => {
    const { socket, peer } = await server()
    const closed = socket.close(1000)
    peer.write(compressed('no deflate data'), frame({ opcode: 8, payload: Buffer.from([3, 232]), key: SAMPLE_KEY }))
    peer.stream.resume().on('end', () => peer.stream.end())
    expect((await closed).wasClean).toBe(true)
  })
})

describe.each(['server', 'client'] as const)('a close right behind what a %s sends [O19]', (role) => {
  const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(3000)))
  const peerRole = role === 'server' ? 'client' : 'server'

  test('all of it arrives, in its order, before the Close; nothing is sent later', async () => {
    const ends = await connected(undefined, { client: ON, server: ON })
    onTestFinished(ends.dispose)
    const [sender, receiver] = [ends[role], ends[peerRole]]
    const received: unknown[] = []
    receiver.on('message', (data) => received.push(data))
    receiver.on('close', ({ code, reason }) => received.push([code, reason]))
    const large = TEXT.repeat(200)
    for (const data of [TEXT, noise, large, new Blob([TEXT]), TEXT]) sender.send(data)
    const closed = sender.close(1000, 'done')
    expect([sender.send('late'), sender.readyState]).toEqual([false, 2])
    expect([(await closed).wasClean, (await receiver.closed).wasClean]).toEqual([true, true])
    expect(sender.send('later')).toBe(false)
    expect(received).toEqual([TEXT, noise, large, Buffer.from(TEXT), TEXT, [1000, 'done']])
    expect(sender.stats()).toMatchObject({ messagesOut: 5, framesOut: 6, dropped: 2 })
  })

  test('on the wire: compressed frames, the Close, the end', async () => {
    const { socket, peer, dispose } = await withPeer(role, ON)
    onTestFinished(dispose)
    socket.send(TEXT)
    const key = role === 'server' ? SAMPLE_KEY : undefined
    socket.send(TEXT, {
      onFlushed() {
        peer.write(frame({ opcode: 8, payload: Buffer.from([3, 232]), key }))
        if (role === 'client') peer.stream.end()
      },
    })
    const closed = socket.close(1000)
    const written = Buffer.from(await peer.rest(), 'hex')
    peer.stream.end()
    const deflate = { windowBits: 15, takeover: true }
    const rules = { ...DEFAULT_RULES, role: peerRole, deflate } as const
    expect(decodeFrames(written, rules).frames.map(({ first, end }) => [first, end === written.length])).toEqual([
      [0xc1, false],
      [0xc1, false],
      [0x88, true],
    ])
    expect(decodeStream(written, rules)).toEqual({
      events: [
        ['text', TEXT],
        ['text', TEXT],
        ['close', 1000, ''],
      ],
      fault: undefined,
    })
    expect((await closed).wasClean).toBe(true)
  })

  test('and a peer that goes away meanwhile: the connection ends, quietly', async () => {
    const { socket, peer, dispose } = await withPeer(role, ON)
    onTestFinished(dispose)
    const large = TEXT.repeat(200)
    for (const data of [large, new Blob([large]), large]) socket.send(data)
    const closed = socket.close(1000)
    peer.stream.destroy()
    expect((await closed).wasClean).toBe(false)
    expect([socket.send(TEXT), socket.readyState]).toEqual([false, 3])
  })
})

describe('the option', () => {
  test('is off by default; true gives the defaults', () => {
    expect([deflateSettings(), deflateSettings(false)]).toEqual([undefined, undefined])
    expect(deflateSettings(true)).toMatchObject({ offer: AGREED, threshold: 1024, level: -1, memLevel: 8 })
    expect(deflateSettings(true)?.workload.atOnce).toBe(32_768)
  })

  test.each([
    [1, 'option perMessageDeflate must be a boolean or an object; got 1'],
    [null, 'option perMessageDeflate must be a boolean or an object; got null'],
    [{ threshold: -1 }, 'option perMessageDeflate.threshold must be an integer from 0 to 9007199254740991; got -1'],
    [{ level: 10 }, 'option perMessageDeflate.level must be an integer from -1 to 9; got 10'],
    [{ memLevel: 0 }, 'option perMessageDeflate.memLevel must be an integer from 1 to 9; got 0'],
    [{ syncLimit: 1.5 }, 'option perMessageDeflate.syncLimit must be an integer from 0 to 1048576; got 1.5'],
    [{ serverMaxWindowBits: 7 }, 'option serverMaxWindowBits must be an integer from 8 to 15; got 7'],
  ])('%j', (given, message) => {
    expect(() => deflateSettings(given as never)).toThrow(new UsageError(message))
  })
})
