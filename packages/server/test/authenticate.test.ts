// What an `authenticate` hook may answer, alone and over the wire. It fails closed.

import { type Authenticate, type Decision, UsageError } from '@ws/server'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { readDecision } from '../src/authenticate.ts'
import { RawClient, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { connection, httpServer, portOf, refused, serve, share } from './support/servers.ts'

const ADMITTED = { admitted: true, data: undefined, protocol: undefined, headers: [] }

describe('readDecision', () => {
  test.each([
    ['nothing', undefined, ADMITTED],
    ['true', true, ADMITTED],
    ['an empty object', {}, ADMITTED],
    ['data', { data: 7 }, { ...ADMITTED, data: 7 }],
    ['data that is null', { data: null }, { ...ADMITTED, data: null }],
    ['a subprotocol', { protocol: 'a' }, { ...ADMITTED, protocol: 'a' }],
    [
      'headers as an object',
      { headers: { 'X-A': 'a', 'Set-Cookie': ['b=1', 'c=2'], 'X-N': 3 } },
      {
        ...ADMITTED,
        headers: [
          ['X-A', 'a'],
          ['Set-Cookie', 'b=1'],
          ['Set-Cookie', 'c=2'],
          ['X-N', '3'],
        ],
      },
    ],
    ['headers as a Map', { headers: new Map([['X-A', 'a']]) }, { ...ADMITTED, headers: [['X-A', 'a']] }],
    ['headers as pairs', { headers: [['X-A', 'a']] as const }, { ...ADMITTED, headers: [['X-A', 'a']] }],
    [
      'Headers',
      {
        headers: new Headers([
          ['Set-Cookie', 'b=1'],
          ['Set-Cookie', 'c=2'],
        ]),
      },
      {
        ...ADMITTED,
        headers: [
          ['set-cookie', 'b=1'],
          ['set-cookie', 'c=2'],
        ],
      },
    ],
  ])('admits upon %s', (_, decision, verdict) => {
    expect(readDecision(decision as Decision<unknown>)).toEqual(verdict)
  })

  test.each([
    ['false', false, { status: 401, body: 'Unauthorized\n' }],
    ['a status', { status: 403 }, { status: 403, headers: [], body: 'Forbidden\n' }],
    ['a status without a name', { status: 499 }, { status: 499, headers: [], body: 'Refused\n' }],
    [
      'all there is',
      { status: 302, headers: { Location: '/login' }, body: 'over there' },
      { status: 302, headers: [['Location', '/login']], body: 'over there' },
    ],
    [
      'a body of bytes',
      { status: 400, body: Buffer.from('no') },
      { status: 400, headers: [], body: Buffer.from('no') },
    ],
    ['an empty body', { status: 400, body: '' }, { status: 400, headers: [], body: '' }],
  ])('refuses upon %s', (_, decision, refusal) => {
    expect(readDecision(decision)).toEqual({ admitted: false, refusal })
  })

  test.each<[string, unknown, string | RegExp]>([
    [
      'null, as of a search without a result',
      null,
      /^option authenticate must be a function that returns an object, .*; got null$/,
    ],
    ['a string', 'alice', /^option authenticate must be .*; got "alice"$/],
    ['0', 0, /got 0$/],
    [
      'a user who has a status',
      { status: 'active' },
      'authenticate must refuse with a status from 300 to 599; got active',
    ],
    ['status 200', { status: 200 }, 'authenticate must refuse with a status from 300 to 599; got 200'],
    ['status 101', { status: 101 }, 'authenticate must refuse with a status from 300 to 599; got 101'],
    [
      'a body that is neither text nor bytes',
      { status: 400, body: {} },
      'authenticate must refuse with a body that is a string or bytes; got object',
    ],
    ['headers that are none', { headers: 'X: 1' }, 'authenticate must give headers as an object; got string'],
    [
      'a refusal with CR LF',
      { status: 400, headers: { 'X-A': 'a\r\nX-B: b' } },
      'Invalid character in header content ["X-A"]',
    ],
    [
      'a refusal with a bad name',
      { status: 400, headers: { 'X A': 'a' } },
      'Header name must be a valid HTTP token ["X A"]',
    ],
    [
      'a refusal that gives its length',
      { status: 400, headers: { 'Content-Length': 1 } },
      'header Content-Length is written by the server itself',
    ],
    [
      'a refusal that would stay',
      { status: 400, headers: { CONNECTION: 'keep-alive' } },
      'header CONNECTION is written by the server itself',
    ],
  ])('does not understand %s', (_, decision, message) => {
    expect(() => readDecision(decision as Decision<unknown>)).toThrow(message)
  })
})

async function answerTo(authenticate: Authenticate<unknown>, add: string[] = []) {
  const server = await serve({ authenticate })
  const reported = refused(server)
  const client = await RawClient.connect(portOf(server))
  return { answer: await client.refusal({ add }), reported: await reported, server }
}

/** Both ways of deciding. */
const WAYS = [
  ['at once', <Value>(value: () => Value) => value()],
  ['later', <Value>(value: () => Value) => new Promise<void>((resolve) => setImmediate(resolve)).then(value)],
] as const

describe.each(WAYS)('a hook that decides %s', (_, decide) => {
  test('admits: data, subprotocol and headers', async () => {
    const server = await serve({
      protocols: ['a'],
      authenticate: (request) =>
        decide(() => ({
          data: { user: request.headers.authorization, path: request.url },
          protocol: 'b',
          headers: { 'Set-Cookie': ['x=1; HttpOnly', 'y=2'] },
        })),
    })
    const opened = connection(server)
    const client = await RawClient.connect(portOf(server))
    const head = await client.upgrade({
      start: 'GET /room?x HTTP/1.1',
      add: ['Authorization: Bearer t', 'Sec-WebSocket-Protocol: a, b'],
    })
    expect(head).toEqual([...SWITCHING, 'Sec-WebSocket-Protocol: b', 'Set-Cookie: x=1; HttpOnly', 'Set-Cookie: y=2'])
    const { socket } = await opened
    expectTypeOf(socket.data).toEqualTypeOf<{ user: string | undefined; path: string }>()
    expect(socket.data).toEqual({ user: 'Bearer t', path: '/room?x' })
    expect(socket.protocol).toBe('b')
  })

  test('admits with nothing: the options decide on the rest', async () => {
    const server = await serve({ protocols: ['a'], authenticate: () => decide(() => undefined) })
    const client = await RawClient.connect(portOf(server))
    const head = await client.upgrade({ add: ['Sec-WebSocket-Protocol: a, b'] })
    expect(head).toEqual([...SWITCHING, 'Sec-WebSocket-Protocol: a'])
  })

  test('finds frames that came early where they were', async () => {
    const options = { authenticate: () => decide(() => true) }
    const server = await serve(options, { message: (socket, data) => void socket.send(data) })
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest(), textFrame('in the head'))
    client.write(textFrame('behind it'))
    await client.head()
    expect([await client.text(), await client.text()]).toEqual(['in the head', 'behind it'])
  })

  test('fails with something that has no string', async () => {
    const { answer, reported } = await answerTo(() =>
      decide(() => {
        throw Object.create(null)
      }),
    )
    expect(answer.status).toBe(500)
    expect(reported).toMatchObject({ status: 500, code: 'REFUSED_HOOK_FAILED', message: 'a hook failed: an object' })
  })

  test('refuses with false', async () => {
    const { answer, reported } = await answerTo(() => decide(() => false))
    expect(answer).toEqual({
      head: [
        'HTTP/1.1 401 Unauthorized',
        'Connection: close',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Length: 13',
      ],
      status: 401,
      body: 'Unauthorized\n',
    })
    expect(reported).toMatchObject({ status: 401, code: 'REFUSED_BY_HOOK', cause: undefined })
  })

  test('refuses with an answer of its own', async () => {
    const headers = { 'WWW-Authenticate': 'Bearer', 'content-type': 'application/json', 'Set-Cookie': ['a', 'b'] }
    const { answer } = await answerTo(() => decide(() => ({ status: 401, headers, body: '{"error":"é"}' })))
    expect(answer).toEqual({
      head: [
        'HTTP/1.1 401 Unauthorized',
        'Connection: close',
        'Content-Length: 14',
        'WWW-Authenticate: Bearer',
        'content-type: application/json',
        'Set-Cookie: a',
        'Set-Cookie: b',
      ],
      status: 401,
      body: '{"error":"é"}',
    })
  })

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new UsageError('no such table')
      },
    ],
    ['answers null', () => null],
    ['[E5] adds a line to the answer', () => ({ headers: { 'X-A': 'a\r\nX-Injected: 1' } })],
    ['[E5] replaces the accept value', () => ({ headers: { 'Sec-WebSocket-Accept': 'x' } })],
    ['[E7] gives a length', () => ({ headers: { 'Content-Length': '0' } })],
    ['[E5] adds a line to a refusal', () => ({ status: 403, headers: { 'X-A': 'a\nX-Injected: 1' } })],
    ['[E2] chooses an unoffered subprotocol', () => ({ protocol: 'c' })],
    ['[E2] chooses a subprotocol with a line of its own', () => ({ protocol: 'a\r\nX-Injected: 1' })],
    ['[E2] chooses an empty subprotocol', () => ({ protocol: '' })],
  ])('%s: 500, nothing injected, no crash', async (_name, decision) => {
    const { answer, reported, server } = await answerTo(
      () => decide(decision) as never,
      ['Sec-WebSocket-Protocol: a, b'],
    )
    expect(answer).toEqual({
      head: [
        'HTTP/1.1 500 Internal Server Error',
        'Connection: close',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Length: 44',
      ],
      status: 500,
      body: 'the server failed to decide on this request\n',
    })
    expect(reported).toMatchObject({ status: 500, code: 'REFUSED_HOOK_FAILED', cause: expect.any(Error) })
    expect(reported.message).toBe(`a hook failed: ${String(reported.cause)}`)
    expect(server.stats()).toMatchObject({ connections: 0, pending: 0, refusals: { REFUSED_HOOK_FAILED: 1 } })
  })

  test('[E2] chooses a subprotocol where none is offered', async () => {
    const { answer } = await answerTo(() => decide(() => ({ protocol: 'a' })))
    expect(answer.status).toBe(500)
  })
})

test('a hook that decides at once costs no turn', async () => {
  const http = await httpServer()
  const server = share(http, { authenticate: () => true })
  const order: string[] = []
  server.on('connection', () => order.push('connection'))
  http.on('upgrade', () => order.push('the next listener of the same event'))
  await (await RawClient.connect(portOf(http))).upgrade()
  expect(order).toEqual(['connection', 'the next listener of the same event'])
})

test('[D20] it is asked only about valid requests, of allowed pages, on its path', async () => {
  let asked = 0
  const server = await serve({ path: '/a', authenticate: () => void asked++ })
  for (const parts of [
    { start: 'GET /a HTTP/1.1', omit: ['Sec-WebSocket-Key'] },
    { start: 'GET /b HTTP/1.1' },
    { start: 'GET /a HTTP/1.1', add: ['Origin: http://evil.example'] },
  ]) {
    const client = await RawClient.connect(portOf(server))
    expect((await client.refusal(parts)).status).toBeGreaterThanOrEqual(400)
  }
  expect(asked).toBe(0)
})
