// What is HTTP/2's alone (RFC 8441 §5): how streams end, how sessions end, and that streams do not stop each other.

import { once } from 'node:events'
import http2, {
  type ClientHttp2Session,
  type Http2Stream,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { http2Pair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openTransport } from '../../../src/node/transport/open.ts'
import { WINDOW_SIZE } from '../../../src/node/window.ts'
import { Peer as Frames } from '../../support/encode.ts'
import { collectGarbage } from '../../support/garbage.ts'
import { collect, open, Peer, withPeer } from '../support/connections.ts'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants
const ENDS = ['client', 'server'] as const

async function streams() {
  const pair = await http2Pair()
  onTestFinished(pair.dispose)
  return pair
}

/** Several pairs of streams on one session. */
async function session(count: number) {
  const listener = http2.createServer({ settings: { enableConnectProtocol: true } })
  const accepted: ServerHttp2Stream[] = []
  listener.on('stream', (stream) => {
    stream.respond()
    accepted.push(stream)
  })
  const sessions: ServerHttp2Session[] = []
  listener.on('session', (opened) => sessions.push(opened))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`)
  onTestFinished(async () => {
    client.destroy()
    await new Promise((resolve) => listener.close(resolve))
  })
  client.on('error', () => {})
  await once(client, 'remoteSettings')
  const requested: Http2Stream[] = []
  for (let index = 0; index < count; index++) {
    const stream = client.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/' })
    requested.push(stream)
    await once(stream, 'response')
  }
  return { client, server: sessions[0] as ServerHttp2Session, requested, accepted }
}

describe.each(ENDS)('of the %s', (end) => {
  async function setUp() {
    return await withPeer(end, {}, async () => await streams())
  }

  const frames = new Frames(end)

  test('[P10] [P11] Close and END_STREAM from both ends is a clean end, and no reset', async () => {
    const { socket, peer } = await setUp()
    const stream = peer.stream as Http2Stream
    peer.write(frames.close(1000))
    // The client waits for the server's end (RFC 6455 §7.1.1).
    expect(await peer.read(end === 'server' ? 4 : 8)).toMatch(end === 'server' ? /^880203e8$/ : /^8882/)
    peer.stream.end()
    expect(await peer.rest()).toBe('')
    expect(await socket.closed).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'remote' })
    if (!stream.destroyed) await once(stream, 'close')
    expect(stream.rstCode).toBe(NGHTTP2_NO_ERROR)
  })

  test('[P11] END_STREAM without Close is 1006', async () => {
    const { socket, peer } = await setUp()
    peer.stream.end()
    peer.stream.resume()
    const info = await socket.closed
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'transport' })
    expect(info.cause?.message).toBe('the connection was lost without a Close frame')
  })

  test.each([
    ['CANCEL', NGHTTP2_CANCEL],
    ['REFUSED_STREAM', NGHTTP2_REFUSED_STREAM],
    ['INTERNAL_ERROR', NGHTTP2_INTERNAL_ERROR],
    ['1234', 1234],
  ])('[P11] RST_STREAM with %s is 1006, and its cause names the code', async (name, code) => {
    const { socket, peer } = await setUp()
    ;(peer.stream as Http2Stream).close(code)
    const info = await socket.closed
    expect(info).toMatchObject({
      code: 1006,
      wasClean: false,
      initiator: 'transport',
      cause: { code: 'CONNECTION_LOST' },
    })
    expect(info.cause?.message).toBe(`the connection was lost: the HTTP/2 stream was reset with code ${name}`)
  })

  test('[P11] terminate() resets the stream with CANCEL, also from within a handler and with output waiting', async () => {
    const { socket, peer } = await setUp()
    const stream = peer.stream as Http2Stream
    socket.send(Buffer.alloc(1024 * 1024)) // more than the windows
    socket.on('message', () => socket.terminate())
    peer.write(frames.text('now'))
    await once(stream, 'close')
    expect([stream.rstCode, stream.aborted]).toEqual([NGHTTP2_CANCEL, true])
    expect((await socket.closed).cause?.code).toBe('TERMINATED')
  })
})

test('remoteAddress is that of the session, also after the end', async () => {
  const { server } = await streams()
  const socket = open(server, 'server')
  expect(socket.remoteAddress).toBe('127.0.0.1')
  socket.terminate()
  await socket.closed
  expect(socket.remoteAddress).toBe('127.0.0.1')
})

describe('the end of a session', () => {
  async function two() {
    const all = await session(2)
    return {
      ...all,
      clients: all.requested.map((stream) => open(stream, 'client')),
      servers: all.accepted.map((stream) => open(stream, 'server')),
    }
  }

  test('a lost socket is 1006 for each, once, at both ends', async () => {
    const { client, server, clients, servers } = await two()
    const ends: string[] = []
    for (const socket of [...clients, ...servers]) socket.on('close', ({ cause }) => ends.push(String(cause?.message)))
    // The session hides the methods of its socket that would break it; that is what is wanted here.
    const { socket } = server as unknown as { socket: { destroySoon(): void } }
    socket.destroySoon()
    await Promise.all([...clients, ...servers].map(({ closed }) => closed))
    expect(ends).toEqual(Array(4).fill('the connection was lost: the HTTP/2 session has ended'))
    expect(client.destroyed).toBe(true)
  })

  test('GOAWAY with an error is the cause of each; one without lets them go on', async () => {
    const { client, server, clients, servers } = await two()
    server.goaway(NGHTTP2_NO_ERROR)
    await once(client, 'goaway')
    const answer = collect(clients[0] as (typeof clients)[number], 1)
    servers[0]?.send('still here')
    expect(await answer).toEqual(['still here'])
    server.goaway(NGHTTP2_INTERNAL_ERROR)
    const infos = await Promise.all(clients.map(({ closed }) => closed))
    for (const { code, cause } of infos) {
      expect(code).toBe(1006)
      expect(cause?.message).toMatch(
        /^the connection was lost: Session closed with error code (2|NGHTTP2_INTERNAL_ERROR)$/,
      )
    }
  })

  test('session.destroy() at our own end', async () => {
    const { server, servers } = await two()
    server.destroy()
    for (const socket of servers) {
      expect((await socket.closed).cause?.message).toBe('the connection was lost: the HTTP/2 session has ended')
    }
  })
})

test('[P13] a stream that nobody reads waits in bounded memory, and the others run', async () => {
  const { requested, accepted } = await session(2)
  const [slow, fast] = requested.map((stream) => open(stream, 'client', { maxBackpressure: 64 * 1024 * 1024 }))
  const [stalled, served] = accepted.map((stream) => open(stream, 'server', { maxReadAhead: 1 }))
  if (!slow || !fast || !stalled || !served) throw new Error('two streams were asked for')
  stalled.pause()
  const size = 32 * 1024
  const count = 500
  for (let index = 0; index < count; index++) {
    slow.send(Buffer.alloc(size, index))
    fast.send(Buffer.alloc(size, index))
  }
  const received = await collect(served, count)
  expect((received.at(-1) as Buffer).equals(Buffer.alloc(size, count - 1))).toBe(true)
  // At most the stream's window has left, and of that one chunk was read.
  expect(slow.bufferedAmount).toBeGreaterThan((count - 16) * size)
  expect(stalled.stats().bytesIn).toBeLessThanOrEqual(WINDOW_SIZE)
  const late = collect(stalled, count)
  stalled.resume()
  expect((await late).length).toBe(count)
  expect(slow.bufferedAmount).toBe(0)
})

test('a large write leaves in parts, so that progress is seen; others and the end wait behind it', async () => {
  const { client, server } = await streams()
  const transport = openTransport(server)
  transport.read({ data: () => {}, ended: () => {}, closed: () => {} })
  const told: string[] = []
  const write = (size: number, name: string) =>
    transport.write(Buffer.alloc(size, name), { wrote: (error) => void told.push(`${name} ${error?.message}`) })
  expect(write(10, 's')).toBe('waits')
  expect(write(1024 * 1024, 'a')).toBe('waits')
  expect(write(10, 'b')).toBe('waits')
  transport.end()
  expect([transport.buffered, transport.queued]).toEqual([1024 * 1024 + 20, 1024 * 1024 + 10])
  expect(write(1, 'c')).toBe('refused')
  const steps = new Set<number>()
  const received: Buffer[] = []
  for await (const chunk of client) {
    received.push(chunk as Buffer)
    steps.add(transport.queued)
  }
  expect(Buffer.concat(received).toString()).toBe(`ssssssssss${'a'.repeat(1024 * 1024)}bbbbbbbbbb`)
  expect(steps.size).toBeGreaterThan(8)
  expect([...steps]).toEqual([...steps].sort((one, other) => other - one))
  expect(told.sort()).toEqual(['a undefined', 'b undefined', 'c the transport has ended', 's undefined'])
  expect([transport.buffered, transport.queued]).toEqual([0, 0])
})

test('[P13] a peer that does not read one stream gets the others', async () => {
  const { requested, accepted } = await session(2)
  const [slow, fast] = accepted.map((stream) => open(stream, 'server'))
  const [idle, reader] = requested
  if (!slow || !fast || !idle || !reader) throw new Error('two streams were asked for')
  const raw = new Peer(idle)
  while (slow.send(Buffer.alloc(16 * 1024)));
  const before = slow.bufferedAmount
  const messages = collect(open(reader, 'client'), 100)
  for (let index = 0; index < 100; index++) fast.send(Buffer.alloc(16 * 1024, index))
  expect((await messages).length).toBe(100)
  expect(slow.bufferedAmount).toBeGreaterThan(0)
  expect(before).toBeGreaterThan(64 * 1024)
  const drained = slow.drained()
  raw.stream.resume()
  await drained
})

test('what waits on a paused stream holds no more than itself, however it came', async () => {
  const { client, requested, accepted } = await session(2)
  const [drip, pour] = requested
  const [paused, flowing] = accepted
  if (!drip || !pour || !paused || !flowing) throw new Error('two streams were asked for')
  const calls: string[] = []
  const transport = openTransport(paused)
  transport.read({
    data: (buffer, start, end) => void calls.push(Buffer.from(buffer.subarray(start, end)).toString()),
    ended: () => void calls.push('ended'),
    closed: () => void calls.push('closed'),
  })
  transport.pause()
  let poured = 0
  flowing.on('data', (chunk: Buffer) => {
    poured += chunk.length
  })
  const count = 500
  const size = 32 * 1024
  const settled = () => Promise.all([roundTrip(client), roundTrip(client)])
  await settled()
  const before = process.memoryUsage().arrayBuffers
  for (let index = 0; index < count; index++) {
    drip.write(String(index % 10))
    pour.write(Buffer.alloc(size))
    await new Promise((resolve) => setImmediate(resolve))
  }
  while (poured < count * size) await roundTrip(client)
  // All that was read with them is fifteen times as much. What is garbage may take some collections to go.
  const bound = (count * size) / 15
  const growth = () => process.memoryUsage().arrayBuffers - before
  for (let collections = 0; collections < 20 && growth() >= bound; collections++) await collectGarbage()
  expect(growth()).toBeLessThan(bound)
  expect(calls).toEqual([])
  drip.end('!')
  await settled()
  expect(calls).toEqual([])
  transport.resume()
  while (!calls.includes('ended')) await roundTrip(client)
  expect(calls.join('')).toBe(`${'0123456789'.repeat(count / 10)}!ended`)
})

function roundTrip(client: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => client.ping((error) => (error === null ? resolve() : reject(error))))
}
