// Requests passed by hand: `noServer` and `handleUpgrade`.

import { once } from 'node:events'
import http from 'node:http'
import { type ServerOptions, UsageError, type WebSocketConnection, WebSocketServer } from '@ws/server'
import { duplexPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawClient, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { closing, httpServer, portOf, refused } from './support/servers.ts'

async function byHand(options: ServerOptions<never> = {}) {
  const server = closing(
    new WebSocketServer<never>({ noServer: true, ...options }, { message: (socket, data) => void socket.send(data) }),
  )
  const http = await httpServer()
  return { server, http, port: portOf(http) }
}

test('a server without HTTP server listens nowhere, and is ready at once', async () => {
  const server = await WebSocketServer.listen({ noServer: true })
  expect(server.address()).toBe(null)
  expect(await server.close()).toEqual({ closed: 0, terminated: 0 })
})

describe('handleUpgrade', () => {
  test('resolves with the connection, after its event', async () => {
    const { server, http, port } = await byHand()
    const results: unknown[] = []
    server.on('connection', (socket) => results.push(socket))
    http.on('upgrade', async (request, socket, head) => results.push(await server.handleUpgrade(request, socket, head)))
    const client = await RawClient.connect(port)
    client.write(upgradeRequest(), textFrame('hello'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('hello')
    expect(results).toEqual([[...server.clients][0], [...server.clients][0]])
  })

  test('opens the connection before it returns', async () => {
    const { server, http, port } = await byHand()
    const sizes: number[] = []
    http.on('upgrade', (request, socket, head) => {
      void server.handleUpgrade(request, socket, head)
      sizes.push(server.clients.size)
    })
    await (await RawClient.connect(port)).upgrade()
    expect(sizes).toEqual([1])
  })

  test.each([
    ['an invalid request', { omit: ['Sec-WebSocket-Key'] }, 400],
    ['another path', { start: 'GET /b HTTP/1.1' }, 404],
    ['another origin', { start: 'GET /a HTTP/1.1', add: ['Origin: http://evil.example'] }, 403],
  ])('resolves with nothing upon %s', async (_, parts, status) => {
    const { server, http, port } = await byHand({ path: '/a' })
    const result = once(http, 'upgrade').then(([request, socket, head]) => server.handleUpgrade(request, socket, head))
    const client = await RawClient.connect(port)
    expect((await client.refusal(parts)).status).toBe(status)
    expect(await result).toBe(undefined)
  })

  test('knows what varies in the path', async () => {
    const { server, http, port } = await byHand({ path: '/rooms/:room' })
    http.on('upgrade', (request, socket, head) => void server.handleUpgrade(request, socket, head))
    const opened = once(server, 'connection')
    await (await RawClient.connect(port)).upgrade({ start: 'GET /rooms/7 HTTP/1.1' })
    expect((await opened)[1].params).toEqual({ room: '7' })
  })

  test('takes a socket once: a second server does not write into the first one’s connection', async () => {
    const { server, http, port } = await byHand()
    const second = closing(new WebSocketServer<never>({ noServer: true }))
    const reported = refused(second)
    const results: (WebSocketConnection<never> | undefined)[] = []
    http.on('upgrade', async (request, socket, head) => {
      const both = [server.handleUpgrade(request, socket, head), second.handleUpgrade(request, socket, head)]
      results.push(...(await Promise.all(both)))
    })
    const client = await RawClient.connect(port)
    client.write(upgradeRequest(), textFrame('hello'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('hello')
    expect(results).toEqual([[...server.clients][0], undefined])
    expect(await reported).toMatchObject({ status: undefined, code: 'USAGE' })
  })

  test('finds out that the client has left already', async () => {
    let asked = 0
    const { server, http, port } = await byHand({ authenticate: () => void asked++ })
    const upgrade = once(http, 'upgrade')
    const client = await RawClient.connect(port)
    client.write(upgradeRequest())
    const [request, socket, head] = await upgrade
    socket.on('error', () => {})
    client.reset()
    await new Promise((resolve) => socket.on('close', resolve))
    const reported = refused(server)
    expect(await server.handleUpgrade(request, socket, head)).toBe(undefined)
    expect(await reported).toMatchObject({ status: undefined, code: 'REFUSED_CLIENT_LEFT' })
    expect(asked).toBe(0)
  })

  test('works over streams that are no sockets', async () => {
    const { server, http } = await byHand()
    http.on('upgrade', (request, socket, head) => void server.handleUpgrade(request, socket, head))
    const pair = duplexPair()
    onTestFinished(() => pair.dispose())
    let text = ''
    pair.client.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    http.emit('connection', pair.server)
    const opened = once(server, 'connection')
    pair.client.write(Buffer.concat([Buffer.from(upgradeRequest()), textFrame('hello')]))
    const [socket, request] = await opened
    expect([request.remoteAddress, request.encrypted, socket.remoteAddress]).toEqual([undefined, false, undefined])
    socket.close(1000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(text).toBe(`${SWITCHING.join('\r\n')}\r\n\r\n\x81\x05hello\x88\x02\x03\xe8`)
  })

  test.each([
    ['nothing', []],
    ['a response', [new http.ServerResponse(new http.IncomingMessage(null as never))]],
    ['no socket', [new http.IncomingMessage({} as never), {}, Buffer.alloc(0)]],
    ['no head', [new http.IncomingMessage({} as never), duplexPair().server]],
  ])('throws when it gets %s', (_, parameters) => {
    const server = new WebSocketServer({ noServer: true })
    expect(() => (server.handleUpgrade as (...given: unknown[]) => unknown).call(server, ...parameters)).toThrow(
      new UsageError("handleUpgrade must get the request, the socket and the head of an 'upgrade' event"),
    )
  })
})
