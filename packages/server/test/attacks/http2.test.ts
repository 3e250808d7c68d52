// Attacks that only HTTP/2 makes possible: many streams on one connection, and streams that are taken back at once.

import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import {
  connected,
  http2Server,
  NGHTTP2_CANCEL,
  NGHTTP2_NO_ERROR,
  NGHTTP2_PROTOCOL_ERROR,
  session,
} from '../support/http2.ts'
import { FrameType, RawHttp2, REQUEST, request, reset } from '../support/http2-frames.ts'
import { portOf, share, until } from '../support/servers.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is in use once nobody needs the rest. */
async function heap(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}

test.each([
  ['while the hook decides', () => new Promise<undefined>(() => {})],
  ['once they are open', () => true],
])(
  'streams that are opened and reset by the thousand, %s: memory stays, and others are served',
  { timeout: 60_000 },
  async (_, authenticate) => {
    const http = await http2Server()
    const server = share(http, { authenticate: ({ url }) => (url === '/bystander' ? true : authenticate()) })
    const bystander = await connected(await session(http), { ':path': '/bystander' })
    const streams = 900 // under what nghttp2 itself takes at once from one session
    let seen = 0

    const attack = async () => {
      const attacker = await RawHttp2.connect(portOf(http))
      const frames: Buffer[] = []
      for (let index = 0; index < streams; index++) {
        frames.push(request(2 * index + 1), reset(2 * index + 1, NGHTTP2_CANCEL))
      }
      attacker.write(...frames)
      await bystander.socket.ping()
      attacker.socket.end()
      await once(attacker.socket, 'close')
      await until(() => server.stats().pending === 0 && server.clients.size === 1)
      seen++
    }

    const waves = async (count: number) => {
      for (let wave = 0; wave < count; wave++) await attack()
      return await heap()
    }
    const before = await waves(2)
    const after = await waves(6)
    expect(seen).toBe(8)
    // One that is kept takes kilobytes.
    expect(after - before).toBeLessThan(10 * streams * 100)
    expect(await bystander.socket.ping()).toBeGreaterThan(0)
    expect(server.stats()).toMatchObject({ connections: 1, pending: 0 })
  },
)

test('resets past the rate that HTTP/2 itself allows end that session, and no other', async () => {
  const http = await http2Server()
  const server = share(http)
  const bystander = await connected(await session(http))
  const attacker = await RawHttp2.connect(portOf(http))
  for (let stream = 1; stream < 20_000 && !attacker.socket.destroyed; stream += 2) {
    attacker.write(request(stream), reset(stream, NGHTTP2_CANCEL))
    if (stream % 500 === 1) await bystander.socket.ping()
  }
  await attacker.until((frames) => frames.some(({ type }) => type === FrameType.GoAway))
  expect(attacker.frames.some(({ type }) => type === FrameType.GoAway)).toBe(true)
  await until(() => server.clients.size === 1)
  expect(await bystander.socket.ping()).toBeGreaterThan(0)
})

test('a flood of streams meets maxConnections: 503', async () => {
  const http = await http2Server()
  const server = share(http, { maxConnections: 3 })
  const attacker = await RawHttp2.connect(portOf(http))
  attacker.write(...Array.from({ length: 500 }, (_, index) => request(2 * index + 1)))
  await until(() => server.stats().refusals.REFUSED_FULL === 497)
  expect(server.stats()).toMatchObject({ accepted: 3, connections: 3, pending: 0 })
  attacker.socket.destroy()
  await until(() => server.clients.size === 0)
})

test("a flood past HTTP/2's own limit of streams ends that session, and no other", async () => {
  const http = await http2Server({ settings: { maxConcurrentStreams: 4 } })
  const server = share(http)
  const bystander = await connected(await session(http))
  const attacker = await RawHttp2.connect(portOf(http))
  attacker.write(...Array.from({ length: 6 }, (_, index) => request(2 * index + 1)))
  await attacker.until((frames) => frames.some(({ type }) => type === FrameType.GoAway))
  const goAway = attacker.frames.find(({ type }) => type === FrameType.GoAway)
  expect(goAway?.payload.readUInt32BE(4)).not.toBe(NGHTTP2_NO_ERROR) // which error differs between Nodes
  await until(() => server.clients.size === 1)
  expect(await bystander.socket.ping()).toBeGreaterThan(0)
})

test.each<[string, readonly (readonly [string, string])[]]>([
  ['[P5] :protocol twice', [[':protocol', 'websocket'], ...REQUEST]],
  ['[P5] :protocol with CR and LF', [...without(':protocol'), [':protocol', 'web\r\nsocket']]],
  ['[P6] no :scheme', without(':scheme')],
  ['[P6] no :path', without(':path')],
  ['[P6] no :authority', without(':authority')],
  ['[P7] a header connection', [...REQUEST, ['connection', 'upgrade']]],
  ['[P7] a header upgrade', [...REQUEST, ['upgrade', 'websocket']]],
])('%s: the stream is reset, and the session goes on', async (_, headers) => {
  const http = await http2Server()
  const server = share(http)
  const client = await RawHttp2.connect(portOf(http))
  client.write(request(1, headers))
  expect(await client.resetCode(1)).toBe(NGHTTP2_PROTOCOL_ERROR)
  client.write(request(3))
  await client.until((frames) => frames.some(({ type, stream }) => type === FrameType.Headers && stream === 3))
  expect(server.stats()).toMatchObject({ accepted: 1, refusals: {} })
})

test.each<[string, readonly (readonly [string, string])[]]>([
  ['GET', [[':method', 'GET'], ...without(':method', ':protocol')]],
  ['CONNECT without :protocol', without(':protocol', ':scheme', ':path')],
])('a %s that is reset, where nobody but a WebSocket server listens: an answer, and no error', async (_, headers) => {
  const http = await http2Server()
  const server = share(http)
  for (const close of [false, true]) {
    const attacker = await RawHttp2.connect(portOf(http))
    if (close) await server.close()
    // An 'error' that nobody listens to fails the run of the tests.
    attacker.write(request(1, headers), reset(1, NGHTTP2_PROTOCOL_ERROR), request(3, headers))
    await attacker.until((frames) => frames.some(({ type, stream }) => type === FrameType.Headers && stream === 3))
    attacker.write(reset(3, NGHTTP2_PROTOCOL_ERROR), request(5, headers))
    await attacker.until((frames) => frames.some(({ type, stream }) => type === FrameType.Headers && stream === 5))
    expect(attacker.socket.destroyed).toBe(false)
  }
})

test('an extended CONNECT that is reset, after the last WebSocket server has closed: an answer, and no error', async () => {
  const http = await http2Server()
  const server = share(http)
  const attacker = await RawHttp2.connect(portOf(http))
  await server.close()
  attacker.write(request(1), reset(1, NGHTTP2_PROTOCOL_ERROR), request(3))
  await attacker.until((frames) => frames.some(({ type, stream }) => type === FrameType.Headers && stream === 3))
  attacker.write(reset(3, NGHTTP2_PROTOCOL_ERROR), request(5))
  await attacker.until((frames) => frames.some(({ type, stream }) => type === FrameType.Headers && stream === 5))
  expect(attacker.socket.destroyed).toBe(false)
})

function without(...names: readonly string[]): readonly (readonly [string, string])[] {
  return REQUEST.filter(([name]) => !names.includes(name))
}
