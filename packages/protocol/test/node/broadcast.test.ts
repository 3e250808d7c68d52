// One message to many connections: once framed, in order with each connection's own sends, one write a connection and turn.

import type { Duplex } from 'node:stream'
import { duplexPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { broadcast } from '../../src/node/broadcast.ts'
import type { WebSocketConnection } from '../../src/node/connection.ts'
import { collect, connected, open, Peer, type Setup, TRANSPORTS } from './support/connections.ts'

const PARAMETERS = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}

async function several(count: number, setup: { client?: Setup; server?: Setup } = {}, pair?: () => Promise<never>) {
  const ends = await Promise.all(Array.from({ length: count }, () => connected(pair, setup)))
  onTestFinished(async () => {
    await Promise.all(ends.map((end) => end.dispose()))
  })
  return { servers: ends.map((end) => end.server), clients: ends.map((end) => end.client) }
}

/** Counts the writes that reach the stream below a connection. */
function counted(stream: Duplex): { writes: number } {
  const count = { writes: 0 }
  const write = stream._write
  stream._write = function (...parameters) {
    count.writes++
    return write.apply(this, parameters)
  }
  return count
}

describe.each(TRANSPORTS)('over $name', ({ pair }) => {
  test('everybody gets it, in the order of the sends', async () => {
    const { servers, clients } = await several(3, {}, pair as () => Promise<never>)
    const received = clients.map((client) => collect(client, 6))
    servers[1]?.send('before')
    for (const other of [servers[0], servers[2]]) other?.send('-')
    expect(broadcast(servers, 'one')).toBe(3)
    expect(broadcast(servers, Buffer.from([1, 2]))).toBe(3)
    for (const server of servers) server.send('between')
    expect(broadcast(servers, 'x'.repeat(100_000))).toBe(3)
    expect(broadcast(servers, 'last')).toBe(3)
    const expected = ['one', Buffer.from([1, 2]), 'between', 'x'.repeat(100_000), 'last']
    expect(await Promise.all(received)).toEqual([
      ['-', ...expected],
      ['before', ...expected],
      ['-', ...expected],
    ])
  })
})

test('ten in a turn leave in one write', async () => {
  const { client, server, dispose } = duplexPair()
  onTestFinished(dispose)
  const count = counted(server)
  const socket = open(server, 'server')
  const received = collect(open(client, 'client'), 11)
  for (let index = 0; index < 10; index++) broadcast([socket], `message ${index}`)
  await new Promise((resolve) => process.nextTick(resolve))
  expect(count.writes).toBe(1)
  broadcast([socket], 'later')
  expect((await received).at(-1)).toBe('later')
  expect(count.writes).toBe(2)
})

describe('one write a turn also where others come between', () => {
  const SMALL = ['1', '2', '3', '4', '5', '6'] as const
  const large = 'x'.repeat(20_000)

  /** What a step sends, to the connection that is watched or to the other one. */
  type Step = (watched: WebSocketConnection, other: WebSocketConnection) => unknown
  const both =
    (text: string): Step =>
    (...sockets) =>
      broadcast(sockets, text)
  const one =
    (text: string): Step =>
    (watched) =>
      broadcast([watched], text)
  const elsewhere: Step = (_, other) => broadcast([other], 'not for everybody')
  const own =
    (text: string): Step =>
    (watched) =>
      watched.send(text)

  test.each<[string, Step[], string[], number]>([
    ['broadcasts to others', SMALL.flatMap((text) => [one(text), elsewhere]), [...SMALL], 1],
    ['runs and gaps', [both('1'), both('2'), elsewhere, both('3'), both('4')], ['1', '2', '3', '4'], 1],
    ['its own sends', [both('1'), own('2'), both('3'), elsewhere, both('4'), own('5')], ['1', '2', '3', '4', '5'], 1],
    ['a send behind what was put together', [one('1'), elsewhere, one('2'), own('3')], ['1', '2', '3'], 1],
    ['a ping', [both('1'), (watched) => void watched.ping(), both('2')], ['1', '2'], 1],
    [
      'large ones, which are not copied',
      [both('1'), elsewhere, both(large), elsewhere, both('2')],
      ['1', large, '2'],
      2,
    ],
    ['a large one behind a send', [own('1'), both(large), own('2')], ['1', large, '2'], 2],
  ])('%s', async (_, steps, expected, writes) => {
    const [pair, spare] = [duplexPair(), duplexPair()]
    onTestFinished(async () => {
      await Promise.all([pair.dispose(), spare.dispose()])
    })
    const count = counted(pair.server)
    const watched = open(pair.server, 'server')
    const received = collect(open(pair.client, 'client'), 1 + expected.length)
    const other = open(spare.server, 'server')
    broadcast([watched, other], 'first') // whether it may be sent has been asked
    await new Promise((resolve) => process.nextTick(resolve))
    count.writes = 0
    for (const step of steps) step(watched, other)
    await new Promise((resolve) => process.nextTick(resolve))
    expect(count.writes).toBe(writes)
    expect(await received).toEqual(['first', ...expected])
  })

  test.each<[string, Step]>([
    ['a large broadcast', (socket, other) => [elsewhere(socket, other), broadcast([socket], large)]],
    ['a send that fills a slab', (socket) => socket.send('x'.repeat(128 * 1024 - 10))],
  ])('what a stream has sent by delivering from within a write is not lost: %s', async (_, act) => {
    const [pair, spare] = [duplexPair(), duplexPair()]
    onTestFinished(async () => {
      await Promise.all([pair.dispose(), spare.dispose()])
    })
    const socket = open(pair.server, 'server')
    const client = open(pair.client, 'client')
    const received: number[] = []
    client.on('message', (data) => {
      received.push(data.length)
      if (data === 'first') broadcast([socket], 'nested')
    })
    await new Promise((resolve) => process.nextTick(resolve)) // they are listeners from here on
    broadcast([socket], 'first')
    act(socket, open(spare.server, 'server'))
    await socket.ping()
    expect(received).toEqual(['first'.length, 'nested'.length, expect.any(Number)])
  })

  test('past the size of a slab it leaves early, in order', async () => {
    const { servers, clients } = await several(2)
    const [first, second] = servers as [WebSocketConnection, WebSocketConnection]
    const texts = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(5_000))
    const received = collect(clients[0] as WebSocketConnection, texts.length)
    for (const [index, text] of texts.entries()) {
      if (index % 7 === 6) first.send(text)
      else broadcast([first], text)
      if (index % 3 === 0) broadcast([second], 'between')
    }
    expect(await received).toEqual(texts)
  })
})

test('a filter leaves connections out, message by message', async () => {
  const { servers, clients } = await several(2)
  const [first, second] = servers as [WebSocketConnection, WebSocketConnection]
  const received = [collect(clients[0] as WebSocketConnection, 5), collect(clients[1] as WebSocketConnection, 3)]
  for (let index = 0; index < 5; index++) {
    const count = broadcast(servers, String(index), { filter: (socket) => socket === first || index % 2 === 0 })
    expect(count).toBe(index % 2 === 0 ? 2 : 1)
  }
  expect(second.stats().messagesOut).toBe(3)
  expect(await Promise.all(received)).toEqual([
    ['0', '1', '2', '3', '4'],
    ['0', '2', '4'],
  ])
})

test('nobody to send to: nothing is framed', () => {
  expect(broadcast([], 'nobody')).toBe(0)
})

test('clients mask it, each with keys of its own [H2]', async () => {
  const { client, server, dispose } = duplexPair()
  onTestFinished(dispose)
  const peer = new Peer(server)
  const socket = open(client, 'client')
  broadcast([socket], 'masked')
  broadcast([socket], 'masked')
  const [first, second] = [await peer.read(12), await peer.read(12)]
  expect([first.slice(0, 4), second.slice(0, 4)]).toEqual(['8186', '8186'])
  expect(first.slice(4)).not.toBe(second.slice(4))
})

test('a connection with compression compresses for itself, unless told not to', async () => {
  const compressing = { perMessageDeflate: true, deflate: PARAMETERS }
  const { servers, clients } = await several(2, { client: compressing, server: compressing })
  const text = 'again and again '.repeat(1_000)
  const received = clients.map((client) => collect(client, 2))
  broadcast(servers, text)
  broadcast(servers, text, { compress: false })
  expect(await Promise.all(received)).toEqual([
    [text, text],
    [text, text],
  ])
  const { bytesOut } = servers[0]?.stats() ?? { bytesOut: 0 }
  expect([bytesOut > text.length, bytesOut < 1.5 * text.length]).toEqual([true, true])
})

test('the bytes are those of the call', async () => {
  const { servers, clients } = await several(2)
  const received = clients.map((client) => collect(client, 1))
  const bytes = Buffer.alloc(20_000, 1)
  broadcast(servers, bytes)
  bytes.fill(2)
  expect(await Promise.all(received)).toEqual([[Buffer.alloc(20_000, 1)], [Buffer.alloc(20_000, 1)]])
})

test('text as bytes: binary: false; bytes of a text: binary: true', async () => {
  const { servers, clients } = await several(1)
  const received = collect(clients[0] as WebSocketConnection, 2)
  broadcast(servers, Buffer.from('text'), { binary: false })
  broadcast(servers, 'bytes', { binary: true })
  expect(await received).toEqual(['text', Buffer.from('bytes')])
  expect(() => broadcast(servers, Buffer.from([0xff]), { binary: false })).toThrow('must be valid UTF-8')
  expect(servers[0]?.stats().messagesOut).toBe(2)
})

test('what cannot be sent throws, and nothing is sent', async () => {
  const { servers } = await several(1)
  expect(() => broadcast(servers, new Blob(['a']) as never)).toThrow(
    /data to broadcast must be a string, an ArrayBuffer/,
  )
  expect(() => broadcast(servers, 5 as never)).toThrow(/data to send must be/)
  expect(servers[0]?.stats().messagesOut).toBe(0)
})

test('one that is closing is passed over, and counts what it missed', async () => {
  const { servers } = await several(2)
  void servers[0]?.close(1000)
  expect(broadcast(servers, 'late')).toBe(1)
  expect(servers.map((server) => server.stats().dropped)).toEqual([1, 0])
})

test('one that does not read is dropped from at its limit, or ended; the others go on', async () => {
  const { servers, clients } = await several(3, { server: { maxBackpressure: 100_000, slowConsumer: 'drop' } })
  const [slow] = clients as [WebSocketConnection]
  slow.pause()
  const message = Buffer.alloc(50_000, 1)
  let rounds = 0
  while (broadcast(servers, message) === 3) {
    await Promise.all([clients[1], clients[2]].map((client) => collect(client as WebSocketConnection, 1)))
    if (++rounds > 10_000) throw new Error('the limit never held')
  }
  expect(servers.map((server) => server.stats().dropped > 0)).toEqual([true, false, false])
  expect(servers[0]?.bufferedAmount).toBeLessThan(200_000)
})

test('a send behind a Blob keeps its place', async () => {
  const { servers, clients } = await several(1)
  const received = collect(clients[0] as WebSocketConnection, 3)
  servers[0]?.send(new Blob(['first']))
  broadcast(servers, 'second')
  servers[0]?.send('third')
  expect(await received).toEqual([Buffer.from('first'), 'second', 'third'])
})

describe('what a connection is not asked again for each message still holds', () => {
  test.each(TRANSPORTS)('order with its own sends and pings, and all counters, over $name', async ({ pair }) => {
    const { servers, clients } = await several(1, {}, pair as () => Promise<never>)
    const [server] = servers as [WebSocketConnection]
    const expected = ['a', 'b', 'c', 'own', 'd', 'e', 'f', 'g', 'own', 'h']
    const received = collect(clients[0] as WebSocketConnection, expected.length)
    for (const text of expected) {
      if (text === 'own') server.send(text)
      else broadcast(servers, text)
      if (text === 'f') await server.ping()
    }
    expect(await received).toEqual(expected)
    await new Promise<void>((resolve) => {
      server.send('', { onFlushed: () => resolve() })
    })
    const { messagesOut, framesOut, bytesOut } = server.stats()
    expect([messagesOut, framesOut, bytesOut]).toEqual([11, 12, 8 * 3 + 2 * 5 + 6 + 2])
  })

  test.each<[string, (server: WebSocketConnection, client: WebSocketConnection) => unknown]>([
    ['close()', (server) => void server.close(1000)],
    ['terminate()', (server) => server.terminate()],
    ['a close behind a Blob', (server) => [server.send(new Blob(['blob'])), void server.close(1000)]],
    ["the peer's Close", async (server, client) => [void client.close(1000), await server.closed]],
    ["the peer's end without a Close", async (server, client) => [client.terminate(), await server.closed]],
  ])('after %s it is passed over, and counts what it missed', async (_, end) => {
    const { servers, clients } = await several(2)
    const [first, second] = servers as [WebSocketConnection, WebSocketConnection]
    expect([broadcast(servers, 'one'), broadcast(servers, 'two')]).toEqual([2, 2])
    await end(first, clients[0] as WebSocketConnection)
    expect([broadcast(servers, 'late'), broadcast(servers, 'later')]).toEqual([1, 1])
    expect([first.stats().dropped, second.stats().messagesOut]).toEqual([2, 4])
  })

  test('as soon as the peer has ended its side of the stream, nothing is taken', async () => {
    const { client, server, dispose } = duplexPair()
    onTestFinished(dispose)
    const socket = open(server, 'server')
    expect([broadcast([socket], 'one'), broadcast([socket], 'two')]).toEqual([1, 1])
    let late = -1
    server.once('end', () => {
      late = broadcast([socket], 'late')
    })
    client.resume()
    client.end()
    await socket.closed
    expect([late, socket.stats().dropped]).toEqual([0, 1])
  })

  test('behind a Blob it waits for its turn', async () => {
    const { servers, clients } = await several(1)
    const received = collect(clients[0] as WebSocketConnection, 5)
    broadcast(servers, 'one')
    broadcast(servers, 'two')
    servers[0]?.send(new Blob(['Blob']))
    broadcast(servers, 'three')
    broadcast(servers, 'four')
    expect(await received).toEqual(['one', 'two', Buffer.from('Blob'), 'three', 'four'])
  })

  test('limits: drain comes after the high-water mark, and nothing is taken past maxBackpressure', async () => {
    const limits = { highWaterMark: 1_000, maxBackpressure: 200_000, slowConsumer: 'drop' } as const
    const { servers, clients } = await several(1, { server: limits })
    const [server, client] = [servers[0], clients[0]] as [WebSocketConnection, WebSocketConnection]
    let drained = false
    server.on('drain', () => {
      drained = true
    })
    client.pause()
    let sent = 0
    while (broadcast(servers, Buffer.alloc(900)) === 1) {
      if (++sent % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
      if (sent > 1_000_000) throw new Error('the limit never held')
      expect(server.bufferedAmount).toBeLessThanOrEqual(limits.maxBackpressure + 904)
    }
    expect(server.bufferedAmount).toBeGreaterThan(limits.maxBackpressure)
    const received = collect(client, sent)
    client.resume()
    expect(new Set((await received).map((message) => message.length))).toEqual(new Set([900]))
    await server.drained()
    expect([drained, server.stats().messagesOut, server.stats().dropped]).toEqual([true, sent, 1])
  })
})
