// Upgrades that wait for an asynchronous hook: whatever ends the wait first is its end, once.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type AuthenticateContext, type UpgradeRequest, type WebSocketError, WebSocketServer } from '@ws/server'
import { duplexPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Pending } from '../src/pending.ts'
import { RawClient, textFrame, upgradeRequest } from './support/raw-client.ts'
import { deferred, httpServer, portOf, refused, serve, share, until } from './support/servers.ts'

/** A hook that never settles by itself, and what it was called with. */
function stalling() {
  const [called, call] = deferred<{ signal: AbortSignal; request: UpgradeRequest }>()
  const [decision, decide] = deferred<boolean>()
  const authenticate = (request: UpgradeRequest, { signal }: AuthenticateContext) => {
    call({ signal, request })
    return decision
  }
  return { authenticate, called, decide }
}

const codeOf = (signal: AbortSignal) => (signal.reason as WebSocketError).code

test('the handshake times out: 408, and the signal aborts', async () => {
  const { authenticate, called } = stalling()
  const server = await serve({ authenticate, handshakeTimeout: 100 })
  const reported = refused(server)
  const client = await RawClient.connect(portOf(server))
  const answer = await client.refusal()
  expect(answer).toEqual({
    head: [
      'HTTP/1.1 408 Request Timeout',
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Length: 26',
    ],
    status: 408,
    body: 'no decision within 100 ms\n',
  })
  const { signal } = await called
  expect([signal.aborted, codeOf(signal)]).toEqual([true, 'REFUSED_TIMEOUT'])
  expect(await reported).toMatchObject({ status: 408, code: 'REFUSED_TIMEOUT' })
  expect(server.stats()).toMatchObject({ pending: 0, refusals: { REFUSED_TIMEOUT: 1 } })
})

test('a foreign HTTP server’s upgrade is bounded too', async () => {
  const { authenticate } = stalling()
  const http = await httpServer()
  share(http, { authenticate, handshakeTimeout: 30 })
  const client = await RawClient.connect(portOf(http))
  expect((await client.refusal()).status).toBe(408)
})

describe('[D19] the client leaves', () => {
  test.each<[string, (client: RawClient, socket: Socket) => unknown]>([
    ['by a FIN', (client) => client.socket.end()],
    ['by a reset', (client) => client.reset()],
    [
      'by a reset, after early bytes',
      async (client, socket) => {
        client.write(textFrame('early'))
        await until(() => socket.readableLength > 0)
        client.reset()
      },
    ],
  ])('%s: the signal aborts, nothing is written', async (_, leave) => {
    const { authenticate, called, decide } = stalling()
    const server = await serve({ authenticate })
    const reported = refused(server)
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest())
    const { signal, request } = await called
    expect(server.stats().pending).toBe(1)
    const aborted = once(signal, 'abort')
    await leave(client, request.raw.socket)
    await aborted
    expect(codeOf(signal)).toBe('REFUSED_CLIENT_LEFT')
    expect(await reported).toEqual({
      status: undefined,
      code: 'REFUSED_CLIENT_LEFT',
      message: 'the client left before it was answered',
      request,
      cause: undefined,
    })
    decide(true) // too late
    expect((await client.rest()).toString()).toBe('')
    expect(request.raw.socket.destroyed).toBe(true)
    expect(server.stats()).toMatchObject({ connections: 0, pending: 0, accepted: 0 })
  })

  test('unseen, after early bytes: the decision finds it gone, or the connection ends', async () => {
    const { authenticate, called, decide } = stalling()
    const server = await serve({ authenticate })
    const ended = once(server, 'connection').then(([socket]) => socket.closed)
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest())
    await called
    client.write(textFrame('early'))
    client.socket.end()
    await once(client.socket, 'finish')
    decide(true)
    expect(await ended).toMatchObject({ code: 1006, wasClean: false })
  })

  test('before the hook, which then decides at once', async () => {
    const server = await serve({
      authenticate: ({ raw }) => {
        raw.socket.destroy()
        return true
      },
    })
    const reported = refused(server)
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest())
    expect(await reported).toMatchObject({ status: undefined, code: 'REFUSED_CLIENT_LEFT' })
    expect((await client.rest()).toString()).toBe('')
  })

  test('and then the hook fails: that is nobody’s concern any more', async () => {
    let reject: (error: Error) => void = () => {}
    const { called, authenticate } = stalling()
    const server = await serve({
      authenticate: (request, context) => {
        void authenticate(request, context)
        return new Promise<boolean>((_, fail) => {
          reject = fail
        })
      },
    })
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest())
    await called
    const reported = refused(server)
    client.reset()
    expect((await reported).code).toBe('REFUSED_CLIENT_LEFT')
    reject(new Error('an unhandled rejection would fail this file'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(server.stats().refusals).toEqual({ REFUSED_CLIENT_LEFT: 1 })
  })

  test('200 times by a reset: no crash, no handle left', async () => {
    const signals: AbortSignal[] = []
    const server = await serve({
      authenticate: (_, { signal }) => {
        signals.push(signal)
        return new Promise<never>(() => {})
      },
    })
    const all = new Promise<void>((resolve) => {
      server.on('refused', () => server.stats().refusals.REFUSED_CLIENT_LEFT === 200 && resolve())
    })
    for (let round = 0; round < 200; round++) {
      const client = await RawClient.connect(portOf(server))
      client.socket.write(upgradeRequest(), () => client.reset())
    }
    await all
    expect(signals.filter(({ aborted }) => aborted)).toHaveLength(200)
    expect(server.stats()).toMatchObject({
      connections: 0,
      pending: 0,
      accepted: 0,
      refusals: { REFUSED_CLIENT_LEFT: 200 },
    })
  })
})

test('the server closes: 503 at once', async () => {
  const { authenticate, called, decide } = stalling()
  const server = new WebSocketServer({ noServer: true, authenticate })
  const http = await httpServer()
  http.on('upgrade', (request, socket, head) => void server.handleUpgrade(request, socket, head))
  const reported = refused(server)
  const client = await RawClient.connect(portOf(http))
  client.write(upgradeRequest())
  const { signal } = await called
  const closed = server.close()
  expect([signal.aborted, codeOf(signal)]).toEqual([true, 'REFUSED_CLOSING'])
  expect(await reported).toMatchObject({ status: 503, code: 'REFUSED_CLOSING', message: 'the server is closing' })
  expect(await closed).toEqual({ closed: 0, terminated: 0 })
  decide(true)
  expect((await client.answer()).body).toBe('the server is closing\n')
})

test('a hook that closes the server admits nobody', async () => {
  const server = await serve({ authenticate: () => void server.close() })
  const reported = refused(server)
  const client = await RawClient.connect(portOf(server))
  client.write(upgradeRequest())
  expect(await reported).toMatchObject({ status: 503, code: 'REFUSED_CLOSING' })
})

test('a decision leaves nothing behind, and does not abort the signal', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { authenticate, called, decide } = stalling()
  const server = await serve({ authenticate, heartbeat: false })
  const client = await RawClient.connect(portOf(server))
  client.write(upgradeRequest())
  const { signal, request } = await called
  expect([server.stats().pending, vi.getTimerCount()]).toEqual([1, 1])
  decide(true)
  await client.head()
  expect([server.stats().pending, vi.getTimerCount()]).toEqual([0, 0])
  expect(signal.aborted).toBe(false)
  // What is left are the connection's own, and that which Node's sockets have anyway.
  const { socket } = request.raw
  const names = (event: string) => socket.listeners(event).map(({ name }) => name)
  expect([names('error'), names('end'), names('close')]).toEqual([
    ['onError'],
    ['onReadableStreamEnd', 'onEnd'],
    expect.arrayContaining(['onClose']),
  ])
})

test('only the first end counts', async () => {
  const pair = duplexPair()
  onTestFinished(() => pair.dispose())
  const ends: unknown[] = []
  const [decision, decide] = deferred<string>()
  const abort = new AbortController()
  const pending = new Pending(decision, pair.server, 10_000, abort, {
    decided: (value) => ends.push(value),
    failed: (error) => ends.push(error),
    interrupted: ({ code, message }) => ends.push([code, message]),
  })
  pending.interrupt('REFUSED_CLOSING', 'first')
  pending.interrupt('REFUSED_TIMEOUT', 'second')
  decide('third')
  await decision
  expect(ends).toEqual([['REFUSED_CLOSING', 'first']])
  expect(abort.signal.reason).toMatchObject({ code: 'REFUSED_CLOSING', message: 'first' })
})

test('waiting does not hold the process up', async () => {
  const { authenticate, called } = stalling()
  const server = await serve({ authenticate })
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const client = await RawClient.connect(portOf(server))
  client.write(upgradeRequest())
  await called
  expect(timers()).toBe(before)
})
