// Attacks on an open connection of a server, over real sockets, while somebody else goes on talking with it: each ends with
// its close code, and with nobody else's connection.

import { constants, deflateRawSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawClient, textFrame } from '../support/raw-client.ts'
import { connection } from '../support/servers.ts'
import { attacked } from './support/bystander.ts'
import {
  BEGIN,
  BINARY,
  CLOSE,
  closePayload,
  frame,
  longHeader,
  MORE,
  PING,
  PONG,
  RSV1,
  repeated,
  TEXT,
} from './support/wire.ts'

const TOO_BIG = 1009
const LAST = 0x80
const toServer = (first: number, payload?: string | Uint8Array) => frame('server', first, payload)

/** Connects an attacker to a server with a bystander. */
async function attack(options: Parameters<typeof attacked>[0] = {}, ...extensions: string[]) {
  const { server, port, bystander } = await attacked(options)
  const opened = connection(server)
  const client = await RawClient.connect(port)
  await client.upgrade({ add: extensions.map((extension) => `Sec-WebSocket-Extensions: ${extension}`) })
  const { socket } = await opened
  return { client, socket, bystander }
}

/** Sends bytes; expects a Close with this code, the end, and a bystander who did not notice. */
async function endsWith(code: number, bytes: Uint8Array, options: Parameters<typeof attacked>[0] = {}) {
  const extensions = options?.perMessageDeflate === true ? ['permessage-deflate'] : []
  const { client, socket, bystander } = await attack(options, ...extensions)
  client.write(bytes)
  expect(await client.closeCode()).toBe(code)
  expect(await client.rest()).toEqual(Buffer.alloc(0))
  expect((await socket.closed).wasClean).toBe(false)
  await bystander.unharmed()
}

test.each([
  ['[G4] with the top bit set', '8000000000000001'],
  ['[G4] with all bits set', 'ffffffffffffffff'],
  ['[G4] with the top bit set, after one byte of it', '80'],
  ['[G6] just past 2^53', '0020000000000001'],
  ['[G6] of 2^53', '0020000000000000'],
  ['[G10] of 2^62', '4000000000000000'],
  ['[G11] of 2^62, after one byte of it', '40'],
  ['[G10] of 2^32', '0000000100000000'],
])('a length %s is refused by its header', async (_, digits) => {
  const code = digits >= '8' ? 1002 : TOO_BIG
  for (const first of [TEXT, BINARY, BEGIN]) await endsWith(code, longHeader('server', first, digits))
})

describe('control frames', () => {
  test.each<[string, Uint8Array]>([
    ['[J1] a ping of 126 bytes', toServer(PING, 'x'.repeat(126))],
    ['[J1] a pong of 64 KiB', toServer(PONG, 'x'.repeat(65_536))],
    ['[J1] a Close of 126 bytes', toServer(CLOSE, closePayload(1000, 'x'.repeat(124)))],
    ['[J1] a ping of 2^62 bytes', longHeader('server', PING, '4000000000000000')],
    ['[J2] the beginning of a ping', toServer(PING & 0x7f, 'x')],
    ['[J2] the beginning of a pong', toServer(PONG & 0x7f)],
    ['[J2] the beginning of a Close', toServer(CLOSE & 0x7f, closePayload(1000))],
    ['[J2] a ping that is continued', Buffer.concat([toServer(PING & 0x7f, 'x'), toServer(LAST, 'y')])],
  ])('%s', async (_, bytes) => {
    await endsWith(1002, bytes)
  })
})

test('[J4] ten thousand pings in one write from a healthy peer are all answered', async () => {
  const { client, socket, bystander } = await attack()
  client.write(repeated(toServer(PING, 'x'), 10_000), textFrame('and a message'))
  expect((await client.read(3 * 10_000)).equals(repeated(Buffer.of(PONG, 1, 0x78), 10_000))).toBe(true)
  expect(await client.text()).toBe('and a message')
  expect(socket.readyState).toBe(1)
  await bystander.unharmed()
})

test.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', ''])(
  '[J5] a ping and pongs that carry %j',
  async (name) => {
    const { client, socket, bystander } = await attack()
    client.write(toServer(PONG, name), toServer(PING, name))
    expect(await client.frame()).toEqual({ first: PONG, payload: Buffer.from(name) })
    const answered = socket.ping(name)
    expect(await client.frame()).toEqual({ first: PING, payload: Buffer.from(name) })
    client.write(toServer(PONG, 'another'), toServer(PONG, name))
    expect(await answered).toBeGreaterThanOrEqual(0)
    expect(Object.values(Object.prototype)).toEqual([])
    await bystander.unharmed()
  },
)

test('[M3] a large frame that is dribbled byte by byte ends with 1008', async () => {
  const { client, socket, bystander } = await attack({ messageTimeout: 150 })
  client.write(longHeader('server', BINARY, '0000000001000000'), Buffer.alloc(4))
  const dribble = (): void => {
    if (!client.socket.destroyed) client.socket.write('x', () => later.push(setTimeout(dribble, 2)))
  }
  const later: NodeJS.Timeout[] = []
  onTestFinished(() => later.forEach(clearTimeout))
  dribble()
  expect(await client.closeCode()).toBe(1008)
  client.socket.destroy()
  expect(await socket.closed).toMatchObject({ code: 1008, cause: { code: 'MESSAGE_TIMEOUT' } })
  await bystander.unharmed()
})

describe('a limit is crossed', () => {
  const MIB = 1024 * 1024
  const piece = toServer(MORE, Buffer.alloc(MIB))
  const deflated = (size: number) =>
    deflateRawSync(Buffer.alloc(size), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  const bomb = deflated(17 * MIB)
  const split = Array.from({ length: 100 }, (_, index) => {
    const size = Math.ceil(bomb.length / 100)
    const first = index === 0 ? BEGIN | RSV1 : index === 99 ? LAST : MORE
    return toServer(first, bomb.subarray(index * size, (index + 1) * size))
  })

  test.each<[string, Uint8Array]>([
    ['[M1] by the sum of fragments', Buffer.concat([toServer(BEGIN, 'x'), repeated(piece, 16)])],
    [
      '[M1] by one byte, told by a header',
      Buffer.concat([toServer(BEGIN), repeated(piece, 16), Buffer.of(MORE, 0x81)]),
    ],
    [
      '[M1] by the sum of two lengths',
      Buffer.concat([toServer(BEGIN, 'x'), longHeader('server', LAST, '0000000001000000')]),
    ],
    ['[O13] by inflation', toServer(BINARY | RSV1, bomb)],
    ['[O13] by one byte of inflation', toServer(BINARY | RSV1, deflated(16 * MIB + 1))],
    ['[O13] by a bomb split in a hundred', Buffer.concat(split)],
  ])('%s', async (_, bytes) => {
    await endsWith(TOO_BIG, bytes, { perMessageDeflate: true })
  })

  test('[O13] and the limit itself is not', async () => {
    const { client, socket, bystander } = await attack({ perMessageDeflate: true }, 'permessage-deflate')
    client.write(toServer(BINARY | RSV1, deflated(16 * MIB)))
    expect((await client.frame()).first).toBe(BINARY | RSV1) // the echo, compressed too
    expect(socket.stats().messagesIn).toBe(1)
    await bystander.unharmed()
  })
})

describe('the Close', () => {
  const NOT_ON_THE_WIRE = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
  test.each<[string, Uint8Array, number]>([
    ['[L1] of 1 byte', Buffer.of(3), 1002],
    ['[L6] with a reason that is no UTF-8', closePayload(1000, Buffer.of(0xff)), 1007],
    ['[L6] with a reason that is cut short', closePayload(1000, Buffer.of(0xe2, 0x82)), 1007],
    ...NOT_ON_THE_WIRE.map((code): [string, Uint8Array, number] => [
      `[L3] with code ${code}`,
      closePayload(code),
      1002,
    ]),
  ])('%s', async (_, payload, code) => {
    await endsWith(code, toServer(CLOSE, payload))
  })

  test('[L9] data behind it is not looked at, whatever it is', async () => {
    const { client, socket, bystander } = await attack()
    const seen: unknown[] = []
    socket.on('ping', (data) => seen.push(data))
    const garbage = Buffer.alloc(1024 * 1024, 0xff)
    client.write(toServer(CLOSE, closePayload(4000)), textFrame('late'), toServer(PING), garbage)
    expect(await client.closeCode()).toBe(4000)
    expect(await client.rest()).toEqual(Buffer.alloc(0))
    expect(await socket.closed).toEqual({ code: 4000, reason: '', wasClean: true, initiator: 'remote' })
    expect([seen, socket.stats().messagesIn]).toEqual([[], 0])
    await bystander.unharmed()
  })

  test.each<[string, Uint8Array]>([
    ['is silent', Buffer.alloc(0)],
    ['goes on sending', textFrame('more')],
    ['pings', toServer(PING, 'x'.repeat(125))],
    ['begins a message and dribbles', Buffer.of(0)],
  ])('[M3] that a peer never answers, which %s, ends after closeTimeout', async (_, bytes) => {
    const { client, socket, bystander } = await attack({ closeTimeout: 60 })
    const closed = socket.close(1000)
    client.write(longHeader('server', BEGIN, '0000000000100000').subarray(0, bytes[0] === 0 ? 10 : 0))
    const more = setInterval(() => client.write(bytes), 2)
    onTestFinished(() => clearInterval(more))
    expect(await closed).toMatchObject({ code: 1006, wasClean: false, cause: { code: 'CLOSE_TIMEOUT' } })
    await client.rest()
    await bystander.unharmed()
  })
})
