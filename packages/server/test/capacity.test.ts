// How many may come in, over real sockets.

import { once } from 'node:events'
import { duplexPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { capacityOf } from '../src/capacity.ts'
import { closeFrame, RawClient, type RequestParts, SWITCHING, upgradeRequest } from './support/raw-client.ts'
import { deferred, open, portOf, refused, serve } from './support/servers.ts'

const from = (address: string): RequestParts => ({ add: [`X-Forwarded-For: ${address}`] })

async function statusOf(port: number, parts: RequestParts = {}): Promise<number> {
  const client = await RawClient.connect(port)
  return Number((await client.upgrade(parts))[0]?.split(' ')[1])
}

test('without a bound there is nothing', () => {
  const none = { maxConnections: Infinity, maxConnectionsPerAddress: Infinity, proxies: 0 }
  expect(capacityOf(none, () => 0)).toBe(undefined)
})

describe('maxConnections', () => {
  test('one more gets 503 and when to come back; who leaves makes room', async () => {
    const server = await serve({ maxConnections: 2 })
    const [first] = [await open(server), await open(server)]
    const reported = refused(server)
    const third = await RawClient.connect(portOf(server))
    const message = 'the server is full (its option maxConnections): try again later'
    expect(await third.refusal()).toEqual({
      head: [
        'HTTP/1.1 503 Service Unavailable',
        'Connection: close',
        'Content-Type: text/plain; charset=utf-8',
        `Content-Length: ${message.length + 1}`,
        'Retry-After: 5',
      ],
      status: 503,
      body: `${message}\n`,
    })
    expect(await reported).toMatchObject({ status: 503, code: 'REFUSED_FULL', message })
    first.client.write(closeFrame(1000))
    await first.socket.closed
    expect(await statusOf(portOf(server))).toBe(101)
    expect(server.stats()).toMatchObject({ connections: 2, accepted: 3, refusals: { REFUSED_FULL: 1 } })
  })

  test('who waits for the hook counts, and no longer once refused', async () => {
    const [called, call] = deferred()
    const [decision, decide] = deferred<boolean>()
    const authenticate = () => {
      call()
      return decision
    }
    const server = await serve({ maxConnections: 1, authenticate })
    const waiting = await RawClient.connect(portOf(server))
    waiting.write(upgradeRequest())
    await called
    expect(await statusOf(portOf(server))).toBe(503)
    decide(false)
    expect((await waiting.answer()).status).toBe(401)
    expect(server.stats().refusals).toEqual({ REFUSED_FULL: 1, REFUSED_BY_HOOK: 1 })
    expect(await statusOf(portOf(server))).toBe(401)
  })

  test('holds without clientTracking, and for requests that are not to be refused for anything else', async () => {
    const server = await serve({ maxConnections: 1, clientTracking: false, path: '/a' })
    expect(await statusOf(portOf(server), { start: 'GET /a HTTP/1.1' })).toBe(101)
    expect(await statusOf(portOf(server), { start: 'GET /a HTTP/1.1' })).toBe(503)
    expect(await statusOf(portOf(server), { start: 'GET /b HTTP/1.1' })).toBe(404)
    expect(await statusOf(portOf(server), { start: 'GET /a HTTP/1.1', add: ['Origin: http://b.example'] })).toBe(403)
  })
})

describe('maxConnectionsPerAddress', () => {
  test('one more from the same address gets 429 and when to come back; who leaves makes room', async () => {
    const server = await serve({ maxConnectionsPerAddress: 2 })
    const [first] = [await open(server), await open(server)]
    const reported = refused(server)
    const third = await RawClient.connect(portOf(server))
    const answer = await third.refusal()
    const message =
      "too many connections from 127.0.0.1 (the server's option maxConnectionsPerAddress): try again later"
    expect([answer.status, answer.body, answer.head.at(-1)]).toEqual([429, `${message}\n`, 'Retry-After: 5'])
    expect(await reported).toMatchObject({ status: 429, code: 'REFUSED_ADDRESS_FULL', message })
    first.client.reset()
    await first.socket.closed
    expect(await statusOf(portOf(server))).toBe(101)
  })

  test('addresses count by themselves; behind a proxy what it has added last', async () => {
    const server = await serve({ maxConnectionsPerAddress: 1, trustProxy: true })
    const port = portOf(server)
    expect(await statusOf(port, from('192.0.2.1'))).toBe(101)
    expect(await statusOf(port, from('192.0.2.2'))).toBe(101)
    expect(await statusOf(port, from('192.0.2.3, 192.0.2.1'))).toBe(429) // a forged first entry helps nobody
    expect(await statusOf(port, from('2001:db8::1'))).toBe(101)
    expect(await statusOf(port, from('2001:db8::2'))).toBe(429)
    expect(await statusOf(port, from('2001:db8:0:1::2'))).toBe(101)
  })

  test('without trustProxy the header means nothing', async () => {
    const server = await serve({ maxConnectionsPerAddress: 1 })
    expect(await statusOf(portOf(server), from('192.0.2.1'))).toBe(101)
    expect(await statusOf(portOf(server), from('192.0.2.2'))).toBe(429)
  })

  test('who is refused may ask again at once', async () => {
    const server = await serve({ maxConnectionsPerAddress: 1, authenticate: ({ url }) => url === '/in' })
    const lingering = await RawClient.connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
    expect((await lingering.refusal()).status).toBe(401)
    expect(await statusOf(portOf(server), { start: 'GET /in HTTP/1.1' })).toBe(101)
    const closed = once(lingering.socket, 'close')
    lingering.socket.end()
    await closed
    expect(await statusOf(portOf(server), { start: 'GET /in HTTP/1.1' })).toBe(429) // it gave its place back once
  })

  test('who waits for the hook counts, and leaves with its socket', async () => {
    const [called, call] = deferred()
    const authenticate = () => {
      call()
      return new Promise<never>(() => {})
    }
    const server = await serve({ maxConnectionsPerAddress: 1, authenticate })
    const waiting = await RawClient.connect(portOf(server))
    waiting.write(upgradeRequest())
    await called
    expect(await statusOf(portOf(server))).toBe(429)
    const left = refused(server)
    waiting.reset()
    expect((await left).code).toBe('REFUSED_CLIENT_LEFT')
    const again = await RawClient.connect(portOf(server))
    again.write(upgradeRequest())
    while (server.stats().pending === 0) await new Promise((resolve) => setImmediate(resolve))
  })

  test('a Unix socket has no addresses: all count as one', () => {
    const pair = duplexPair()
    onTestFinished(() => pair.dispose())
    const capacity = capacityOf({ maxConnections: Infinity, maxConnectionsPerAddress: 1, proxies: 0 }, () => 0)
    const request = { headers: {}, remoteAddress: undefined } as never
    expect(capacity?.enter(request, pair.server)).toBe(undefined)
    expect(capacity?.enter(request, pair.server)).toMatchObject({
      code: 'REFUSED_ADDRESS_FULL',
      message: "too many connections from this place (the server's option maxConnectionsPerAddress): try again later",
    })
  })

  test('200 that come and go leave no place taken', async () => {
    const server = await serve({ maxConnectionsPerAddress: 1 })
    for (let round = 0; round < 200; round++) {
      const client = await RawClient.connect(portOf(server))
      expect(await client.upgrade()).toEqual(SWITCHING)
      const [socket] = server.clients
      client.reset()
      await socket?.closed
    }
    expect(server.stats()).toMatchObject({ accepted: 200, refusals: {} })
  })
})

test('a full server closes: 503 for that reason', async () => {
  const server = await serve({ maxConnections: 1 })
  const { client } = await open(server)
  const closed = server.close()
  const event = once(server, 'refused')
  expect(await statusOf(portOf(server))).toBe(503)
  expect((await event)[0].code).toBe('REFUSED_CLOSING')
  client.write(closeFrame(1001))
  expect(await closed).toEqual({ closed: 1, terminated: 0 })
})
