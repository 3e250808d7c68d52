// The server in use: what applications see of connections, over real sockets.

import { once } from 'node:events'
import { type ConnectionOptions, type ServerEvents, WebSocketServer } from '@ws/server'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { clientFrame, closeFrame, RawClient, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { httpServer, open, portOf, refused, serve, share } from './support/servers.ts'

describe('messages', () => {
  test('through handlers', async () => {
    const calls: unknown[] = []
    const server = await serve(
      { authenticate: () => ({ data: { name: 'a' } }) },
      {
        open: (socket) => void calls.push(['open', socket.data.name]),
        message: (socket, data) => void calls.push(['message', data, socket.send(data)]),
        close: (_, { code }) => void calls.push(['close', code]),
      },
    )
    const { client, socket } = await open(server)
    client.write(textFrame('ä'), clientFrame(2, [1, 2]))
    expect(await client.text()).toBe('ä')
    expect(await client.frame()).toEqual({ first: 0x82, payload: Buffer.from([1, 2]) })
    client.write(closeFrame(4000))
    expect(await client.closeCode()).toBe(4000)
    await socket.closed
    expect(calls).toEqual([
      ['open', 'a'],
      ['message', 'ä', true],
      ['message', Buffer.from([1, 2]), true],
      ['close', 4000],
    ])
  })

  test('through events', async () => {
    const server = await serve()
    server.on('connection', (socket) => {
      socket.on('message', (data) => void socket.send(data))
    })
    const { client } = await open(server)
    client.write(textFrame('hello'))
    expect(await client.text()).toBe('hello')
  })

  test('through an iterator that comes later: nothing is lost', async () => {
    const server = await serve()
    const { client, socket } = await open(server)
    client.write(textFrame('a'), textFrame('b'), closeFrame(1000))
    await socket.closed
    const messages: unknown[] = []
    for await (const message of socket) messages.push(message)
    expect(messages).toEqual(['a', 'b'])
  })

  test('from one client to every other', async () => {
    const server = await serve()
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        for (const other of server.clients) if (other !== socket) other.send(data)
      })
    })
    const [a, b, c] = [await open(server), await open(server), await open(server)]
    a.client.write(textFrame('update'))
    expect([await b.client.text(), await c.client.text()]).toEqual(['update', 'update'])
    expect(a.socket.stats().messagesOut).toBe(0)
  })

  test('[H3] of a client that breaks the protocol end with 1002, and the server goes on', async () => {
    const server = await serve()
    const { client, socket } = await open(server)
    client.write(Buffer.from([0x81, 0x01, 0x61]))
    expect(await client.closeCode()).toBe(1002)
    client.socket.end()
    expect((await socket.closed).cause?.code).toBe('MASK_MISSING')
    expect(await (await RawClient.connect(portOf(server))).upgrade()).toEqual(SWITCHING)
  })
})

describe('limits reach the connections', () => {
  test('[M1] maxPayload', async () => {
    const server = await serve({ maxPayload: 4 })
    const { client } = await open(server)
    client.write(textFrame('12345'))
    expect(await client.closeCode()).toBe(1009)
  })

  test('[M3] heartbeat: a silent client is pinged, then terminated', async () => {
    const server = await serve({ heartbeat: { interval: 20, timeout: 20 } })
    const { client, socket } = await open(server)
    expect(await client.frame()).toEqual({ first: 0x89, payload: Buffer.from('heartbeat') })
    expect(await socket.closed).toMatchObject({ code: 1006, initiator: 'local', cause: { code: 'HEARTBEAT_TIMEOUT' } })
    await client.rest()
    expect(server.clients.size).toBe(0)
  })

  test('[M3] heartbeat: one that answers lives on', async () => {
    const server = await serve({ heartbeat: { interval: 10, timeout: 300 } })
    const { client, socket } = await open(server)
    for (let round = 0; round < 2; round++) {
      const { first, payload } = await client.frame()
      expect(first).toBe(0x89)
      client.write(clientFrame(10, payload))
    }
    expect(socket.readyState).toBe(1)
  })

  const flooded = async (options: ConnectionOptions) => {
    const server = await serve({ heartbeat: false, ...options })
    const { client, socket } = await open(server)
    client.socket.pause()
    const message = Buffer.alloc(64 * 1024)
    // The kernel's buffers are full when what is sent stays with us.
    for (let calm = 0; calm < 3; ) {
      socket.send(message)
      const before = socket.bufferedAmount
      await new Promise((resolve) => setImmediate(resolve))
      calm = socket.bufferedAmount > 0 && socket.bufferedAmount === before ? calm + 1 : 0
    }
    return { server, client, socket, message }
  }

  test('[M3] maxBackpressure closes a client that never reads', async () => {
    const { socket, message } = await flooded({ maxBackpressure: 1024 * 1024 })
    let sent = 0
    while (socket.readyState === 1) {
      socket.send(message)
      sent++
    }
    expect(sent).toBeLessThanOrEqual(18)
    expect(await socket.closed).toMatchObject({ code: 1006, initiator: 'local', cause: { code: 'SLOW_CONSUMER' } })
    expect(socket.stats().dropped).toBe(1)
  })

  test('[M3] or drops new messages, and says when to go on', async () => {
    const { client, socket, message } = await flooded({ maxBackpressure: 1024 * 1024, slowConsumer: 'drop' })
    while (socket.stats().dropped === 0) socket.send(message)
    expect(socket.send(message)).toBe(false)
    expect(socket.stats().dropped).toBe(2)
    expect(socket.bufferedAmount).toBeLessThanOrEqual(1024 * 1024 + message.length + 10)
    expect(socket.readyState).toBe(1)
    const drained = once(socket, 'drain')
    client.socket.resume()
    await drained
    expect(socket.send('again')).toBe(true)
  })
})

test('stats', async () => {
  const server = await serve()
  const { client, socket } = await open(server)
  const { socket: other } = await open(server)
  for (const one of [socket, other]) one.subscribe('both')
  socket.subscribe('one')
  other.subscribe('other')
  const report = refused(server)
  await (await RawClient.connect(portOf(server))).refusal({ omit: ['Host'] })
  await report
  client.write(closeFrame(3001))
  await once(socket, 'close')
  expect(server.stats()).toMatchObject({
    connections: 1,
    pending: 0,
    accepted: 2,
    refusals: { REFUSED_HOST: 1 },
    closeCodes: { 3001: 1 },
    topics: 2,
    subscriptions: 2,
  })
})

describe('on an HTTP server of somebody else', () => {
  test('listening is reported, and waited for', async () => {
    const http = await httpServer()
    const { port } = http.address() as { port: number }
    await new Promise((resolve) => http.close(resolve))
    const pending = WebSocketServer.listen({ server: http })
    http.listen(port, '127.0.0.1')
    const server = await pending
    expect(server.address()).toMatchObject({ port })
    expect(await WebSocketServer.listen({ server: http, path: '/b' })).toBeInstanceOf(WebSocketServer)
    await server.close()
  })

  test('the event comes when it begins to listen', async () => {
    const http = await httpServer()
    const { port } = http.address() as { port: number }
    await new Promise((resolve) => http.close(resolve))
    const server = share(http)
    const event = once(server, 'listening')
    http.listen(port, '127.0.0.1')
    await event
  })

  test('its errors are its own: listen rejects, nothing is emitted', async () => {
    const taken = await httpServer()
    const http = await httpServer()
    await new Promise((resolve) => http.close(resolve))
    http.on('error', () => {})
    const pending = WebSocketServer.listen({ server: http })
    http.listen((taken.address() as { port: number }).port, '127.0.0.1')
    await expect(pending).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

test('many connections at once', async () => {
  const server = await serve({}, { message: (socket, data) => void socket.send(data) })
  const port = portOf(server)
  const echo = async (index: number) => {
    const client = await RawClient.connect(port)
    client.write(upgradeRequest(), textFrame(`${index}`))
    await client.head()
    return await client.text()
  }
  const indices = Array.from({ length: 100 }, (_, index) => index)
  expect(await Promise.all(indices.map(echo))).toEqual(indices.map(String))
  expect(server.clients.size).toBe(100)
  const closed = server.close({ timeout: 0 })
  expect(await closed).toEqual({ closed: 0, terminated: 100 })
})

test('types: data and events', async () => {
  const server = new WebSocketServer({ noServer: true, authenticate: async () => ({ data: { id: 1 } }) })
  server.on('connection', (socket, request) => {
    expectTypeOf(socket.data).toEqualTypeOf<{ id: number }>()
    expectTypeOf(request.url).toEqualTypeOf<string>()
  })
  server.on('refused', ({ code, status }) => {
    expectTypeOf(code).toEqualTypeOf<ServerEvents['refused'][0]['code']>()
    expectTypeOf(status).toEqualTypeOf<number | undefined>()
  })
  expectTypeOf(new WebSocketServer({ noServer: true }).clients).toEqualTypeOf<
    ReadonlySet<import('@ws/server').WebSocketConnection<unknown>>
  >()
  await server.close()
})
