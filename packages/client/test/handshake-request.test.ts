// The request that goes out (RFC 6455 §4.1, requirements 1 to 12), captured as bytes.

import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SendOptions } from '@ws/protocol'
import { expect, test } from 'vitest'
import { type ConnectOptions, connect } from '../src/index.ts'
import { FrameReader } from './support/frames.ts'
import { peer } from './support/peer.ts'
import { header, rawServer, switching } from './support/raw-server.ts'

/** What is offered by default, as browsers do. */
const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'

/** Connects with these options and yields the lines of the request. */
async function requestLines(path = '', options = {}, credentials = ''): Promise<string[]> {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
  const connection = await connect(`ws://${credentials}127.0.0.1:${server.port}${path}`, options)
  connection.terminate()
  await connection.closed
  return (server.requests[0] ?? '')
    .replace(String(server.port), 'PORT')
    .replace(/(Key: )[+/0-9A-Za-z]{21}[AQgw]==\r/, '$1KEY\r')
    .split('\r\n')
    .filter((line) => line !== '')
}

test('[B1] [B2] [B3] [B4] [B5] [B7] [B9] the whole request', async () => {
  expect(await requestLines('/a?b=c')).toEqual([
    'GET /a?b=c HTTP/1.1',
    'Host: 127.0.0.1:PORT',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: KEY',
    'Sec-WebSocket-Version: 13',
    OFFER,
  ])
})

test('[B9] without compression there is no further header', async () => {
  expect((await requestLines('', { perMessageDeflate: false })).slice(6)).toEqual([])
})

test('[A3] a query without a path', async () => {
  expect((await requestLines('?x=1'))[0]).toBe('GET /?x=1 HTTP/1.1')
})

test('[B6] [B7] [B8] subprotocols, origin and further headers', async () => {
  const options = {
    protocols: ['b', 'a'],
    origin: 'https://example.com',
    headers: { 'X-One': '1', Cookie: ['a=1', 'b=2'] },
  }
  expect((await requestLines('', options)).slice(6)).toEqual([
    'Sec-WebSocket-Protocol: b, a',
    OFFER,
    'Origin: https://example.com',
    'X-One: 1',
    'Cookie: a=1; b=2',
  ])
})

test.each([
  [
    'a list',
    [
      ['X-A', '1'],
      ['X-B', '2'],
      ['x-a', '3'],
    ] as [string, string][],
  ],
  [
    'a Map',
    new Map([
      ['X-A', '1'],
      ['X-B', '2'],
    ]),
  ],
  ['a Headers', new Headers({ 'X-A': '1', 'X-B': '2' })],
])('[B8] headers from %s', async (name, headers) => {
  const lines = await requestLines('', { headers, perMessageDeflate: false })
  const sent = lines.slice(6).map((line) => line.toLowerCase())
  expect(sent).toEqual(name === 'a list' ? ['x-a: 1', 'x-a: 3', 'x-b: 2'] : ['x-a: 1', 'x-b: 2'])
})

test("[B2] [B8] a given Host takes the place of the URL's", async () => {
  const lines = await requestLines('', { headers: { host: 'example.com' } })
  expect(lines.filter((line) => /^host:/i.test(line))).toEqual(['host: example.com'])
})

test('[A10] credentials become Basic authentication, without Referer', async () => {
  const lines = await requestLines('', {}, 'u:p@')
  expect(lines[2]).toBe('Authorization: Basic dTpw')
  expect(lines.some((line) => /^referer:/i.test(line))).toBe(false)
})

test('[A10] a given Authorization takes their place', async () => {
  const lines = await requestLines('', { headers: { authorization: 'Bearer x' } }, 'u:p@')
  expect(lines.filter((line) => /^authorization:/i.test(line))).toEqual(['authorization: Bearer x'])
})

test('[B4] 1,000 connections, 1,000 keys', async () => {
  const server = await rawServer(({ socket }) => socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'))
  for (let batch = 0; batch < 10; batch++) {
    await Promise.allSettled(Array.from({ length: 100 }, () => connect(server.url)))
  }
  const keys = server.requests.map((head) => header(head, 'Sec-WebSocket-Key'))
  expect(new Set(keys).size).toBe(1000)
  for (const key of keys) expect(key).toMatch(/^[+/0-9A-Za-z]{21}[AQgw]==$/)
})

test('[A11] [H1] [H2] frames come after the 101, each masked with a key of its own', async () => {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
  const connection = await connect(server.url)
  const reader = new FrameReader(server.sockets[0] as net.Socket)
  connection.send('')
  connection.send('Hello')
  connection.send(Buffer.alloc(70_000, 7))
  connection.ping().catch(() => {})
  connection.close(1000)
  const frames = [
    await reader.next(),
    await reader.next(),
    await reader.next(),
    await reader.next(),
    await reader.next(),
  ]
  expect(frames.map(({ first, payload }) => [first, payload.length])).toEqual([
    [0x81, 0],
    [0x81, 5],
    [0x82, 70_000],
    [0x89, 4],
    [0x88, 2],
  ])
  expect(String(frames[1]?.payload)).toBe('Hello')
  const keys = frames.map(({ key }) => key)
  expect(keys).not.toContain(undefined)
  expect(new Set(keys).size).toBe(5)
  connection.terminate()
})

test('[M8] nothing that a caller passes turns masking off or chooses a key', async () => {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
  const options = { mask: false, maskingKey: 0, generateMask: (key: Uint8Array) => key.fill(0) }
  const connection = await connect(server.url, options as ConnectOptions)
  const reader = new FrameReader(server.sockets[0] as net.Socket)
  connection.send('Hello', options as SendOptions)
  connection.send('Hello', options as SendOptions)
  const keys = [(await reader.next()).key, (await reader.next()).key]
  expect(keys).not.toContain(undefined)
  expect(keys[0]).not.toEqual(keys[1])
  connection.terminate()
})

test('[H2] 10,000 frames, no key by rule', async () => {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
  const connection = await connect(server.url)
  const reader = new FrameReader(server.sockets[0] as net.Socket)
  const keys = new Set<string | undefined>()
  for (let sent = 0; sent < 10_000; sent++) connection.send('x')
  for (let read = 0; read < 10_000; read++) keys.add((await reader.next()).key)
  // Two of 10,000 random 32-bit keys are the same with a probability of about 1 %, three pairs with under 10⁻⁶.
  expect(keys.size).toBeGreaterThan(9_997)
  connection.terminate()
  await connection.closed
})

test('socketPath: a Unix socket', async () => {
  const path = join(tmpdir(), `ws-client-${process.pid}.sock`)
  const server = http.createServer()
  const request = once(server, 'upgrade') as Promise<[http.IncomingMessage, net.Socket]>
  server.listen(path)
  await once(server, 'listening')
  const attempt = connect('ws://example/chat', { socketPath: path })
  const [{ url, headers }, socket] = await request
  expect([url, headers.host]).toEqual(['/chat', 'example'])
  socket.end('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n')
  await expect(attempt).rejects.toMatchObject({
    message: `handshake with ${path} failed: expected status 101 Switching Protocols; got 500`,
  })
  await new Promise((resolve) => server.close(resolve))
})

test('createConnection: the caller makes the socket', async () => {
  const { port, connections } = await peer()
  const sockets: net.Socket[] = []
  const connection = await connect('ws://nowhere.invalid/', {
    createConnection: () => {
      const socket = net.connect(port, '127.0.0.1')
      sockets.push(socket)
      return socket
    },
  })
  expect([sockets.length, connections.length]).toEqual([1, 1])
  await connection.close(1000)
})

test('agent: asked for the socket, and left without it', async () => {
  const { url } = await peer()
  const agent = new http.Agent({ keepAlive: true })
  const connection = await connect(url, { agent })
  expect([Object.keys(agent.sockets), Object.keys(agent.freeSockets)]).toEqual([[], []])
  await connection.close(1000)
  agent.destroy()
})

test('the socket has no delay and no timeout', async () => {
  const { url } = await peer()
  const sockets: net.Socket[] = []
  const noDelay: unknown[] = []
  const connection = await connect(url, {
    createConnection: (options) => {
      const socket = net.connect(options as net.NetConnectOpts)
      const original = socket.setNoDelay
      socket.setNoDelay = (value) => {
        noDelay.push(value)
        return original.call(socket, value)
      }
      sockets.push(socket)
      return socket
    },
  })
  expect(noDelay.at(-1)).toBe(true)
  expect(sockets[0]?.timeout ?? 0).toBe(0)
  await connection.close(1000)
})
