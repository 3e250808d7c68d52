// Pairs in memory, as users' tests have them. That such a connection keeps every promise of a connection is tested by the
// contract suites, of which its streams are one transport.

import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connectPair, type PairOptions } from '../../src/node/pair.ts'

function pairOf<Client = unknown, Server = unknown>(options?: PairOptions<Client, Server>) {
  const pair = connectPair(options)
  onTestFinished(() => pair[Symbol.asyncDispose]())
  return pair
}

test('both ends are open at once, and what is sent before anybody listens waits', async () => {
  const { client, server } = pairOf({ protocol: 'chat' })
  expect([client.readyState, server.readyState, client.protocol, server.protocol]).toEqual([1, 1, 'chat', 'chat'])
  client.send('early')
  expect((await once(server, 'message'))[0]).toBe('early')
  server.send(Buffer.from('back'))
  expect((await once(client, 'message'))[0]).toEqual(Buffer.from('back'))
  expect(await client.close(4000, 'enough')).toMatchObject({ code: 4000, wasClean: true, initiator: 'local' })
  expect(await server.closed).toEqual({ code: 4000, reason: 'enough', wasClean: true, initiator: 'remote' })
})

test('each end has its handlers, data and options', async () => {
  const { client, server } = pairOf({
    client: { data: { user: 7 } },
    server: { data: 'room', maxPayload: 3, handlers: { message: (socket, data) => void socket.send(data) } },
  })
  expect([client.data?.user, server.data.length]).toEqual([7, 4])
  client.send('abc')
  expect((await once(client, 'message'))[0]).toBe('abc')
  client.send('abcd')
  expect((await client.closed).code).toBe(1009)
  expect(() => connectPair({ client: { maxPayload: -1 } })).toThrow('option maxPayload must be')
})

test('nothing is delivered from within send, and a fake clock does not stop it', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const seen: unknown[] = []
  const { client, server } = pairOf({ server: { handlers: { message: (_, data) => void seen.push(data) } } })
  client.send(Buffer.alloc(200_000))
  expect(seen).toEqual([])
  await client.ping()
  expect(seen).toHaveLength(1)
  const closed = server.close(1000)
  expect((await closed).wasClean).toBe(true)
})

test('one that does not read holds the other back', async () => {
  const { client, server } = pairOf()
  client.pause()
  while (server.send(Buffer.alloc(64 * 1024)));
  expect(server.bufferedAmount).toBeGreaterThan(0)
  const drained = server.drained()
  client.resume()
  await drained
})

test('a lost connection is terminate(); disposing ends what is left', async () => {
  const pair = connectPair()
  pair.client.terminate()
  expect(await pair.server.closed).toMatchObject({ code: 1006, initiator: 'transport' })
  const other = connectPair()
  await other[Symbol.asyncDispose]()
  expect([other.client.readyState, other.server.readyState]).toEqual([3, 3])
})
