// A hostile server on an open connection, and the application's part in it: each attack ends with its close code, nothing
// throws where it must not, and nothing gets onto the wire that nobody sent.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { constants, deflateRawSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ConnectOptions, connect, WebSocket, type WebSocketConnection } from '../../src/index.ts'
import { closeFrame, FrameReader, frame } from '../support/frames.ts'
import { rawServer, switching } from '../support/raw-server.ts'

const MIB = 1024 * 1024
const ON = { perMessageDeflate: true }

/** An open connection to a hostile server. */
async function opened(options: ConnectOptions = {}) {
  const lines = options.perMessageDeflate === true ? ['Sec-WebSocket-Extensions: permessage-deflate'] : []
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept, ...lines)))
  const connection = await connect(server.url, { perMessageDeflate: false, ...options })
  const [peer] = server.sockets
  if (peer === undefined) throw new Error('no connection came')
  return { connection, peer, reader: new FrameReader(peer) }
}

/** Sends bytes; expects a Close with this code, masked, and then the end. */
async function endsWith(code: number, bytes: Uint8Array, options?: ConnectOptions) {
  const { connection, peer, reader } = await opened(options)
  peer.write(bytes)
  const { first, payload } = await reader.next()
  expect([first, payload.readUInt16BE()]).toEqual([0x88, code])
  peer.end()
  expect(await connection.closed).toMatchObject({ code, wasClean: false, initiator: 'local' })
}

const long = (first: number, digits: string) => Buffer.concat([Buffer.of(first, 127), Buffer.from(digits, 'hex')])

test.each<[string, number, Uint8Array]>([
  ['[G4] a length with the top bit set', 1002, long(0x82, '8000000000000001')],
  ['[G4] a length with the top bit set, after one byte of it', 1002, long(0x81, '80')],
  ['[G6] a length past 2^53', 1009, long(0x82, '0020000000000001')],
  ['[G10] a length of 2^62', 1009, long(0x02, '4000000000000000')],
  ['[J1] a ping of 126 bytes', 1002, frame(0x89, 'x'.repeat(126))],
  ['[J1] a pong of 2^62 bytes', 1002, long(0x8a, '4000000000000000')],
  ['[J2] the beginning of a ping', 1002, frame(0x09, 'x')],
  ['[J2] the beginning of a Close', 1002, frame(0x08)],
  ['[L1] a Close of 1 byte', 1002, frame(0x88, Buffer.of(3))],
  ['[L6] a Close whose reason is no UTF-8', 1007, frame(0x88, Buffer.of(3, 232, 0xff))],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code): [string, number, Uint8Array] => [
    `[L3] a Close with code ${code}`,
    1002,
    closeFrame(code),
  ]),
])('%s', async (_, code, bytes) => {
  await endsWith(code, bytes)
})

describe('a limit is crossed', () => {
  const deflated = (size: number) =>
    deflateRawSync(Buffer.alloc(size), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  const bomb = deflated(17 * MIB)
  const size = Math.ceil(bomb.length / 100)
  const split = Array.from({ length: 100 }, (_, index) =>
    frame(index === 0 ? 0x42 : index === 99 ? 0x80 : 0, bomb.subarray(index * size, (index + 1) * size)),
  )
  const piece = frame(0, Buffer.alloc(MIB))
  test.each<[string, Uint8Array]>([
    ['[M1] by the sum of fragments', Buffer.concat([frame(2, 'x'), Buffer.alloc(16 * piece.length, piece)])],
    ['[M1] by the sum of two lengths', Buffer.concat([frame(2, 'x'), long(0x80, '0000000001000000')])],
    ['[O13] by inflation', frame(0xc2, bomb)],
    ['[O13] by one byte of inflation', frame(0xc2, deflated(16 * MIB + 1))],
    ['[O13] by a bomb split in a hundred', Buffer.concat(split)],
  ])('%s', async (_, bytes) => {
    await endsWith(1009, bytes, ON)
  })
})

test('[J4] ten thousand pings in one write from a healthy server are all answered', async () => {
  const { connection, peer, reader } = await opened()
  const ping = frame(0x89, 'x')
  peer.write(Buffer.alloc(10_000 * ping.length, ping))
  for (let count = 0; count < 10_000; count++) {
    const { first, payload } = await reader.next()
    if (first !== 0x8a || payload.toString() !== 'x') throw new Error(`answer ${count} is no pong`)
  }
  expect(connection.readyState).toBe(1)
  connection.terminate()
})

test.each(['__proto__', 'constructor', 'toString', ''])('[J5] a ping and pongs that carry %j', async (name) => {
  const { connection, peer, reader } = await opened()
  peer.write(Buffer.concat([frame(0x8a, name), frame(0x89, name)]))
  expect(await reader.next()).toMatchObject({ first: 0x8a, payload: Buffer.from(name) })
  const answered = connection.ping(name)
  expect(await reader.next()).toMatchObject({ first: 0x89, payload: Buffer.from(name) })
  peer.write(Buffer.concat([frame(0x8a, 'another'), frame(0x8a, name)]))
  expect(await answered).toBeGreaterThanOrEqual(0)
  expect(Object.values(Object.prototype)).toEqual([])
  connection.terminate()
})

test('[M3] a large frame that is dribbled byte by byte ends with 1008', async () => {
  const { connection, peer, reader } = await opened({ messageTimeout: 150 })
  peer.write(long(0x82, '0000000001000000'))
  const dribble = setInterval(() => peer.write('x'), 2)
  onTestFinished(() => clearInterval(dribble))
  expect((await reader.next()).payload.readUInt16BE()).toBe(1008)
  clearInterval(dribble)
  peer.end()
  expect(await connection.closed).toMatchObject({ code: 1008, cause: { code: 'MESSAGE_TIMEOUT' } })
})

test('[L9] data behind a Close is not looked at, whatever it is', async () => {
  const { connection, peer, reader } = await opened()
  const seen: unknown[] = []
  connection.on('message', (data) => seen.push(data)).on('ping', (data) => seen.push(data))
  peer.end(Buffer.concat([closeFrame(4000), frame(0x81, 'late'), frame(0x89), Buffer.alloc(MIB, 0xff)]))
  expect((await reader.next()).payload.readUInt16BE()).toBe(4000)
  expect(await connection.closed).toEqual({ code: 4000, reason: '', wasClean: true, initiator: 'remote' })
  expect(seen).toEqual([])
})

test.each<[string, Uint8Array]>([
  ['is silent', Buffer.alloc(0)],
  ['goes on sending', frame(0x81, 'more')],
  ['pings', frame(0x89, 'x'.repeat(125))],
])('[M3] a Close that the server never answers, which %s, ends after closeTimeout', async (_, bytes) => {
  const { connection, peer } = await opened({ closeTimeout: 60 })
  const end = connection.close(1000)
  const more = setInterval(() => peer.write(bytes), 2)
  onTestFinished(() => clearInterval(more))
  expect(await end).toMatchObject({ code: 1006, wasClean: false, cause: { code: 'CLOSE_TIMEOUT' } })
})

describe('[L8] the application goes on while the server resets', () => {
  type Action = (socket: WebSocketConnection) => unknown
  const ACTIONS: [string, Action][] = [
    ['send', (socket) => socket.send('x'.repeat(1_000))],
    ['send of much', (socket) => socket.send(Buffer.alloc(400_000))],
    ['send of a Blob', (socket) => socket.send(new Blob(['x']))],
    ['an ignored ping()', (socket) => void socket.ping()],
    ['an ignored drained()', (socket) => [socket.send(Buffer.alloc(400_000)), void socket.drained()]],
    ['close()', (socket) => void socket.close(1000)],
    ['terminate()', (socket) => socket.terminate()],
  ]

  const resetting = () =>
    rawServer(({ socket, accept }) => {
      socket.write(switching(accept), () => setImmediate(() => socket.resetAndDestroy()))
    })

  // What is thrown past the caller, or rejected and not handled, fails the run.
  test.each(ACTIONS)('with %s, fifty times', async (_, action) => {
    const { url } = await resetting()
    let opened = 0
    for (let count = 0; count < 50; count++) {
      const connection = await connect(url).catch(() => undefined) // the reset may have overtaken the 101
      if (connection === undefined) continue
      opened++
      for (let turn = 0; turn < 5; turn++) {
        action(connection)
        await nextTurn()
      }
      await connection.closed
      action(connection)
    }
    expect(opened).toBeGreaterThan(0)
  })

  test('with send() and close() of the class, fifty times', async () => {
    const { url } = await resetting()
    const events: string[] = []
    for (let count = 0; count < 50; count++) {
      const socket = new WebSocket(url)
      socket.onopen = () => socket.send('x'.repeat(100_000))
      socket.onerror = () => socket.close()
      await new Promise((resolve) => socket.addEventListener('close', resolve))
      socket.send('late')
      socket.close()
      events.push(`${socket.readyState}`)
    }
    expect(events).toEqual(Array(50).fill('3'))
  })
})

describe('limits that make no sense are refused before anything is opened', () => {
  const OPTIONS = ['maxPayload', 'maxFragments', 'messageTimeout', 'closeTimeout', 'highWaterMark', 'maxBackpressure']
  const MORE = ['maxReadAhead', 'concurrency', 'handshakeTimeout']
  const TIMES = ['messageTimeout', 'closeTimeout', 'handshakeTimeout', 'maxPayload']

  test.each([...OPTIONS, ...MORE])('%s: NaN, -1 and Infinity', (name) => {
    for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const message = `option ${name} must be an integer`
      expect(() => connect('ws://127.0.0.1:1', { [name]: value })).toThrow(message)
      if (name === 'concurrency') continue // which the class does not have
      expect(() => new WebSocket('ws://127.0.0.1:1', { [name]: value })).toThrow(message)
    }
  })

  test.each(TIMES)('%s: 2^31', (name) => {
    expect(() => connect('ws://127.0.0.1:1', { [name]: 2 ** 31 })).toThrow(`option ${name} must be an integer`)
  })
})

describe('[L22] exactly the bytes that were given are sent', () => {
  const SECRET = 0xee
  const memory = Uint8Array.from({ length: 64 }, (_, index) => index + 1)
  const bytes = (start: number, end: number) => Buffer.from(memory.subarray(start, end))

  test.each<[string, ArrayBufferView, Buffer]>([
    ['a Uint16Array', new Uint16Array(memory.buffer, 2, 3), bytes(2, 8)],
    ['a Float64Array', new Float64Array(memory.buffer, 8, 2), bytes(8, 24)],
    ['a DataView', new DataView(memory.buffer, 5, 3), bytes(5, 8)],
    ['a part of a part', memory.subarray(10, 40).subarray(3, 5), bytes(13, 15)],
    ['a part of the pool', Buffer.from('abc'), Buffer.from('abc')],
  ])('of %s, as message and as ping', async (_, view, payload) => {
    const { connection, reader } = await opened()
    connection.send(view as Uint8Array)
    void connection.ping(view as Uint8Array)
    expect(await reader.next()).toMatchObject({ first: 0x82, payload })
    expect(await reader.next()).toMatchObject({ first: 0x89, payload })
    expect(memory.every((byte, index) => byte === index + 1)).toBe(true) // masking took a copy
    connection.terminate()
  })

  test('and never what lies around them: memory is full of secrets, the wire has none', async () => {
    const { connection, reader } = await opened({ maxBackpressure: 2 ** 30 })
    const edges = [125, 126, 1_023, 4_096, 8_192, 16_384, 65_526, 65_536]
    const sizes = [...Array(64).keys(), ...edges.flatMap((edge) => [edge - 1, edge, edge + 1])]
    for (const size of sizes) {
      for (let poisoned = 1; poisoned <= 131_072; poisoned *= 2) {
        Buffer.allocUnsafe(poisoned).fill(SECRET)
        Buffer.allocUnsafeSlow(poisoned).fill(SECRET)
      }
      const texts = ['a', 'é', '\ud800', '😀'].map((unit) => unit.repeat(size / unit.length))
      for (const text of texts) connection.send(text)
      connection.send(Buffer.alloc(size, 1))
      for (const text of texts) expect((await reader.next()).payload.equals(Buffer.from(text))).toBe(true)
      expect((await reader.next()).payload.equals(Buffer.alloc(size, 1))).toBe(true)
    }
    void connection.close(3000, 'ä reason')
    expect((await reader.next()).payload).toEqual(Buffer.from('\x0b\xb8\xc3\xa4 reason', 'latin1'))
    connection.terminate()
  })
})
