// Upgrades that wait for an asynchronous hook: whatever ends the wait first is its end, once.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import {
  type AuthenticateContext,
  type UpgradeRequest,
  type WebSocketConnection,
  type WebSocketError,
  WebSocketServer,
} from '@ws/server'
import { duplexPair, makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { BACKLOG, Backlog } from '../src/backlog.ts'
import { Pending } from '../src/pending.ts'
import { RawClient, textFrame, upgradeRequest } from './support/raw-client.ts'
import { closing, deferred, httpServer, portOf, refused, serve, share, until } from './support/servers.ts'

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

/** Writes until the server reads no more: what it has not read waits in the kernel, and then at the client. */
async function flood(client: RawClient, socket: Socket): Promise<void> {
  client.write(Buffer.alloc(2 * BACKLOG))
  await until(() => socket.isPaused())
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
    ['by a FIN behind early bytes', (client) => client.socket.end(textFrame('early'))],
    ['by a FIN behind a backlog that is nearly full', (client) => client.socket.end(Buffer.alloc(BACKLOG - 1))],
    [
      'by a reset behind early bytes',
      async (client, socket) => {
        client.write(textFrame('early'))
        await until(() => socket.bytesRead > upgradeRequest().length)
        client.reset()
      },
    ],
    [
      'by a reset, past the backlog, where Node reads no more',
      async (client, socket) => {
        await flood(client, socket)
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

  test('by a FIN behind early bytes on a socket that was paused before it was passed by hand', async () => {
    const { authenticate } = stalling()
    const server = closing(new WebSocketServer<never>({ noServer: true, authenticate }))
    const http = await httpServer()
    http.on('upgrade', (request, socket, head) => {
      socket.pause()
      setImmediate(() => void server.handleUpgrade(request, socket, head))
    })
    const reported = refused(server)
    const client = await RawClient.connect(portOf(http))
    client.write(upgradeRequest())
    client.socket.end(textFrame('early'))
    expect((await reported).code).toBe('REFUSED_CLIENT_LEFT')
  })

  test('over TLS, by an end behind early bytes', async () => {
    const { ca, server: tls } = await makeCertificates()
    const { authenticate, called } = stalling()
    const server = await serve({ authenticate, tls })
    const reported = refused(server)
    const client = await RawClient.connectTls({ port: portOf(server), ca })
    client.write(upgradeRequest(), textFrame('early'))
    const { signal } = await called
    client.socket.end()
    expect((await reported).code).toBe('REFUSED_CLIENT_LEFT')
    expect(signal.aborted).toBe(true)
  })

  test('by a FIN past the backlog: unseen, and the handshake times out', async () => {
    const { authenticate, called } = stalling()
    const server = await serve({ authenticate, handshakeTimeout: 500 })
    const reported = refused(server)
    const client = await RawClient.connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
    client.write(upgradeRequest())
    const { signal, request } = await called
    await flood(client, request.raw.socket)
    client.socket.end()
    expect(await reported).toMatchObject({ status: 408, code: 'REFUSED_TIMEOUT' })
    expect(codeOf(signal)).toBe('REFUSED_TIMEOUT')
    expect((await client.answer()).status).toBe(408)
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

describe('[D15] early bytes', () => {
  const word = 'x'.repeat(119)
  const frame = textFrame(word) // 125 bytes
  const echo = { message: (socket: WebSocketConnection, data: string | Uint8Array) => void socket.send(data) }

  test.each<[string, number, boolean]>([
    ['within the backlog', 100, false],
    ['that fill it', Math.ceil(BACKLOG / frame.length), true],
    ['far past it', 10_000, true],
  ])('%s are all delivered, in order', async (_, count, full) => {
    const { authenticate, called, decide } = stalling()
    const server = await serve({ authenticate }, echo)
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest(), frame)
    const { socket } = (await called).request.raw
    for (let number = 1; number < count; number++) client.write(textFrame(String(number).padStart(119, '0')))
    await until(() => (full ? socket.isPaused() : socket.bytesRead >= upgradeRequest().length + count * frame.length))
    decide(true)
    await client.head()
    expect(await client.text()).toBe(word)
    for (let number = 1; number < count; number++) expect(await client.text()).toBe(String(number).padStart(119, '0'))
  })

  test.each([
    ['refused: nothing but the refusal', false, 401],
    ['admitted: only then the frame that is none counts', true, 101],
  ])('are not looked at before the decision; %s', async (_, verdict, status) => {
    const { authenticate, called, decide } = stalling()
    const server = await serve({ authenticate })
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest())
    const { socket } = (await called).request.raw
    client.write(Buffer.from([0xff, 0x00]))
    await until(() => socket.bytesRead === upgradeRequest().length + 2)
    decide(verdict)
    expect((await client.head())[0]).toContain(` ${status} `)
    if (verdict) expect(await client.closeCode()).toBe(1002)
    else expect((await client.rest()).toString()).toBe('Unauthorized\n')
  })

  test('over TLS, past the backlog', async () => {
    const { ca, server: tls } = await makeCertificates()
    const { authenticate, called, decide } = stalling()
    const server = await serve({ authenticate, tls }, echo)
    const client = await RawClient.connectTls({ port: portOf(server), ca })
    client.write(upgradeRequest(), ...Array<Buffer>(2_000).fill(frame))
    const { socket } = (await called).request.raw
    await until(() => socket.isPaused())
    decide(true)
    await client.head()
    for (let number = 0; number < 2_000; number++) expect(await client.text()).toBe(word)
  })

  test('that are no bytes end a stream that somebody made', async () => {
    const pair = duplexPair()
    onTestFinished(() => pair.dispose())
    new Backlog(pair.server, Buffer.alloc(0))
    pair.server.setEncoding('utf8')
    const failed = once(pair.server, 'error')
    pair.client.write('text')
    expect((await failed)[0]).toEqual(
      new TypeError('frames are bytes: expected a stream without setEncoding() and object mode'),
    )
  })

  test('one by one cost no more memory than all at once', async () => {
    const pair = duplexPair()
    onTestFinished(() => pair.dispose())
    const backlog = new Backlog(pair.server, Buffer.from([0]))
    for (let value = 1; value < 100; value++) pair.client.write(Buffer.from([value]))
    await until(() => pair.server.readableLength === 0 && pair.client.writableLength === 0)
    const bytes = backlog.take()
    expect([...bytes]).toEqual(Array.from({ length: 100 }, (_, value) => value))
    expect(bytes.buffer.byteLength).toBe(128)
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
