// What the channels of connections say, and that whoever listens to them cannot hurt.

import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { broadcast } from '../../src/node/broadcast.ts'
import type { WebSocketConnection } from '../../src/node/connection.ts'
import type { ConnectionDiagnostics, MessageDiagnostics } from '../../src/node/diagnostics.ts'
import { collect, connected, type Setup, uncaught } from './support/connections.ts'

type Name = keyof ConnectionDiagnostics

/** Subscribes until the end of the test. */
function listen<Key extends Name>(name: Key, listener: (message: ConnectionDiagnostics[Key]) => void): () => void {
  const subscriber: ChannelListener = (message) => listener(message as ConnectionDiagnostics[Key])
  const end = (): void => void unsubscribe(name, subscriber)
  subscribe(name, subscriber)
  onTestFinished(end)
  return end
}

async function pairOf(both: Setup = {}, server: Setup = {}) {
  const ends = await connected(undefined, { client: both, server: { ...both, ...server } })
  onTestFinished(() => ends.dispose())
  return ends
}

/** The messages of a channel in short, and whether all were of one socket. */
function log(name: 'ws:connection:received' | 'ws:connection:sent') {
  const entries: [string, number, boolean][] = []
  const sockets = new Set<WebSocketConnection>()
  listen(name, ({ socket, role, size, binary }: MessageDiagnostics) => {
    entries.push([role, size, binary])
    sockets.add(socket)
  })
  return { entries, sockets }
}

const COMPRESSED: Setup = {
  perMessageDeflate: true,
  deflate: {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  },
}

test.each<[string, Setup]>([
  ['plain', {}],
  ['compressed', COMPRESSED],
])('%s: every message, of either end, with the size of its payload', async (_name, options) => {
  const [sent, received] = [log('ws:connection:sent'), log('ws:connection:received')]
  const { client, server } = await pairOf(options)
  const messages = collect(server, 6)
  client.send('Grüße')
  client.send(Buffer.alloc(100_000))
  client.send('')
  client.send('x'.repeat(10), { binary: true })
  client.send(new Blob(['blob']))
  await client.sendStream(
    (async function* () {
      yield 'one, '
      yield 'two €'
    })(),
  )
  await messages
  const expected = [
    ['client', 7, false],
    ['client', 100_000, true],
    ['client', 0, false],
    ['client', 10, true],
    ['client', 4, true],
    ['client', 12, false],
  ]
  expect(sent.entries).toEqual(expected)
  expect(received.entries).toEqual(expected.map(([, ...rest]) => ['server', ...rest]))
  expect([[...sent.sockets], [...received.sockets]]).toEqual([[client], [server]])
})

test.each<[string, Setup]>([
  ['plain', {}],
  ['compressed', COMPRESSED],
])('%s: a broadcast, for each that gets it, the first and those that are taken unasked', async (_name, options) => {
  const pairs = [await pairOf(options), await pairOf(options)]
  const received = pairs.map(({ client }) => collect(client, 3))
  const { entries, sockets } = log('ws:connection:sent')
  const servers = pairs.map(({ server }) => server)
  for (const text of ['a', 'bb', 'ü'.repeat(2_000)]) expect(broadcast(servers, text)).toBe(2)
  await Promise.all(received)
  expect(entries.map(([, size]) => size)).toEqual([1, 1, 2, 2, 4_000, 4_000])
  expect([...sockets]).toEqual(servers)
})

test('what is not sent is not published, nor what comes after our Close', async () => {
  const [sent, received] = [log('ws:connection:sent'), log('ws:connection:received')]
  const { client, server } = await pairOf()
  client.send('too late')
  void server.close(1000)
  server.send('after the close')
  await Promise.all([client.closed, server.closed])
  client.send('over')
  expect([sent.entries, received.entries]).toEqual([[['client', 8, false]], []])
})

test('the end, once, when the last message has been dealt with', async () => {
  const order: unknown[] = []
  listen('ws:connection:closed', ({ role, info }) => order.push([role, info]))
  const { client, server } = await pairOf(
    {},
    {
      handlers: {
        message: async () => {
          await new Promise(setImmediate)
          order.push('handled')
        },
      },
    },
  )
  client.send('x')
  await client.close(4000, 'bye')
  await once(server, 'close')
  expect(order).toHaveLength(3)
  const closed = { code: 4000, wasClean: true }
  expect(order).toContainEqual(['client', { ...closed, reason: '', initiator: 'local' }])
  expect(order.indexOf('handled')).toBeLessThan(
    order.findIndex((entry) => Array.isArray(entry) && entry[0] === 'server'),
  )
  expect(order).toContainEqual(['server', { ...closed, reason: 'bye', initiator: 'remote' }])
})

test('what a subscriber throws is an uncaught exception, and nothing is lost', async () => {
  const { client, server } = await pairOf()
  const end = listen('ws:connection:received', () => {
    throw new Error('a bad subscriber')
  })
  const messages = collect(server, 1)
  expect(await uncaught(() => void client.send('one'))).toEqual(new Error('a bad subscriber'))
  expect(await messages).toEqual(['one'])
  end()
  const more = collect(server, 1)
  client.send('two')
  expect(await more).toEqual(['two'])
})
