// Several WebSocket servers, and others, on one HTTP server.

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawClient, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { connection, httpServer, portOf, refused, share } from './support/servers.ts'

const request = (path: string, upgrade = 'websocket') => ({
  start: `GET ${path} HTTP/1.1`,
  replace: [`Upgrade: ${upgrade}`],
})

/** A foreign 'upgrade' listener for one path. */
function foreign(path: string) {
  return ({ url }: IncomingMessage, socket: Duplex) => {
    if (url === path) socket.end('HTTP/1.1 101 Foreign\r\n\r\n')
  }
}

async function headOf(port: number, parts: ReturnType<typeof request>) {
  const client = await RawClient.connect(port)
  return (await client.upgrade(parts))[0]
}

const OURS = 'HTTP/1.1 101 Switching Protocols'
const FOREIGN = 'HTTP/1.1 101 Foreign'

test('two servers share an HTTP server by path', async () => {
  const http = await httpServer()
  const [a, b] = [share(http, { path: '/a' }), share(http, { path: '/b' })]
  for (const [server, path] of [
    [a, '/a'],
    [b, '/b'],
  ] as const) {
    const opened = connection(server)
    expect(await headOf(portOf(http), request(path))).toBe(OURS)
    expect((await opened).request.url).toBe(path)
  }
  expect([a.clients.size, b.clients.size]).toEqual([1, 1])
})

test('[D14] a path that nobody claims gets 404, once', async () => {
  const http = await httpServer()
  const [a, b] = [share(http, { path: '/a' }), share(http, { path: '/b' })]
  const client = await RawClient.connect(portOf(http))
  const answer = await client.refusal(request('/c'))
  expect([answer.status, answer.body]).toEqual([404, 'no WebSocket server for path "/c"\n'])
  expect([a.stats().refusals, b.stats().refusals]).toEqual([{ REFUSED_PATH: 1 }, {}])
})

test('the first that claims a path gets it', async () => {
  const http = await httpServer()
  const [first, second] = [share(http), share(http, { path: '/a' })]
  expect(await headOf(portOf(http), request('/a'))).toBe(OURS)
  expect([first.stats().accepted, second.stats().accepted]).toEqual([1, 0])
})

test('plain requests are none of our business', async () => {
  const http = await httpServer((_request, response) => void response.end('page'))
  share(http)
  const client = await RawClient.connect(portOf(http))
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(await client.answer()).toMatchObject({ status: 200, body: 'page' })
})

test('an HTTPS server may be shared too', async () => {
  const { ca, server: identity } = await makeCertificates()
  const server = https.createServer(identity, (_request, response) => void response.end('page'))
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve))
  })
  const shared = share(server, { path: '/a' }, { message: (socket, data) => void socket.send(data) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const opened = connection(shared)
  const client = await RawClient.connectTls({ port: portOf(server), ca })
  client.write(upgradeRequest(request('/a')), textFrame('hello'))
  expect(await client.head()).toEqual(SWITCHING)
  expect(await client.text()).toBe('hello')
  expect((await opened).request.encrypted).toBe(true)
  const plain = await RawClient.connectTls({ port: portOf(server), ca })
  plain.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(await plain.answer()).toMatchObject({ status: 200, body: 'page' })
})

describe.each([
  ['before', true],
  ['after', false],
])('a foreign listener that was there %s us', (_, before) => {
  async function setup() {
    const http = await httpServer()
    if (before) http.on('upgrade', foreign('/foreign'))
    const server = share(http, { path: '/ours' })
    if (!before) http.on('upgrade', foreign('/foreign'))
    return { http, server, port: portOf(http) }
  }

  test('gets what is its own, and we ours', async () => {
    const { port, server } = await setup()
    expect(await headOf(port, request('/foreign'))).toBe(FOREIGN)
    expect(await headOf(port, request('/ours'))).toBe(OURS)
    expect(server.stats()).toMatchObject({ accepted: 1, refusals: {} })
  })

  test('is left alone with what nobody claims, and with other protocols', async () => {
    const { http, port, server } = await setup()
    const seen: unknown[] = []
    http.on('upgrade', ({ url }, socket, head) => {
      seen.push(url, socket.listenerCount('error'), head.length)
      socket.end('HTTP/1.1 101 Watched\r\n\r\n')
    })
    expect(await headOf(port, request('/nobody'))).toBe('HTTP/1.1 101 Watched')
    expect(await headOf(port, request('/ours', 'h2c'))).toBe('HTTP/1.1 101 Watched')
    expect(seen).toEqual(['/nobody', 0, 0, '/ours', 0, 0])
    expect(server.stats()).toMatchObject({ accepted: 0, refusals: {} })
  })
})

test('another protocol on our path is refused where there is nobody else', async () => {
  const http = await httpServer()
  share(http)
  expect(await headOf(portOf(http), request('/', 'h2c'))).toBe('HTTP/1.1 426 Upgrade Required')
})

test('the last one that closes leaves the HTTP server as it was', async () => {
  const http = await httpServer()
  const before = [Object.getOwnPropertySymbols(http), http.listenerCount('upgrade'), http.listenerCount('listening')]
  const [a, b] = [share(http, { path: '/a' }), share(http, { path: '/b' })]
  expect(http.listenerCount('upgrade')).toBe(1)
  await a.close()
  expect(http.listenerCount('upgrade')).toBe(1)
  await a.close()
  await b.close()
  const after = [Object.getOwnPropertySymbols(http), http.listenerCount('upgrade'), http.listenerCount('listening')]
  expect(after).toEqual(before)
  expect(http.listening).toBe(true)
})

test('while a server closes, its path is refused with 503', async () => {
  const http = await httpServer()
  const server = share(http, { path: '/a' })
  const opened = connection(server)
  const client = await RawClient.connect(portOf(http))
  expect(await client.upgrade(request('/a'))).toEqual(SWITCHING)
  const { socket } = await opened
  const reported = refused(server)
  const closed = server.close()
  const late = await RawClient.connect(portOf(http))
  late.write(upgradeRequest(request('/a')))
  expect(await late.answer()).toMatchObject({ status: 503, body: 'the server is closing\n' })
  expect(await reported).toMatchObject({ status: 503, code: 'REFUSED_CLOSING' })
  socket.terminate()
  expect(await closed).toEqual({ closed: 0, terminated: 1 })
})
