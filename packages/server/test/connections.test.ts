// The open connections of a server, and all the ways in which `close()` finds them.

import { once } from 'node:events'
import { type CloseInfo, UsageError, WebSocketServer } from '@ws/server'
import { describe, expect, test } from 'vitest'
import { closeSettings } from '../src/connections.ts'
import { closeFrame, RawClient, textFrame, upgradeRequest } from './support/raw-client.ts'
import { connection, deferred, httpServer, open, portOf, serve, share, until } from './support/servers.ts'

describe('closeSettings', () => {
  test('by default 1001 within 10 s', () => {
    expect(closeSettings({})).toEqual({ timeout: 10_000, code: 1001, reason: '' })
    expect(closeSettings({ timeout: 0, code: 1012, reason: 'back soon' })).toEqual({
      timeout: 0,
      code: 1012,
      reason: 'back soon',
    })
  })

  test.each<[unknown, string]>([
    [null, 'options of close must be an object with timeout, code and reason'],
    [{ timeout: -1 }, 'option timeout must be an integer from 0 to 2147483647; got -1'],
    [{ code: 1005 }, 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got 1005'],
    [{ code: 1010 }, 'a server does not close with 1010 (RFC 6455 §7.4.1)'],
    [{ code: '1000' }, 'close code must be one of 1000-1003, 1007-1014 or 3000-4999; got "1000"'],
    [{ reason: 'x'.repeat(124) }, 'close reason must have at most 123 bytes of UTF-8; got 124'],
  ])('%j', (options, message) => {
    const server = new WebSocketServer({ noServer: true })
    expect(() => server.close(options as never)).toThrow(new UsageError(message))
  })
})

describe('clients', () => {
  test('are there from the event on until their close handler', async () => {
    const seen: unknown[] = []
    const server = await serve({}, { close: (socket) => seen.push('handler', server.clients.has(socket)) })
    server.on('connection', (socket) => {
      seen.push('connection', server.clients.has(socket))
      socket.on('close', () => seen.push('event', server.clients.size))
    })
    expect(server.clients.size).toBe(0)
    const { client, socket } = await open(server)
    expect([...server.clients]).toEqual([socket])
    client.write(closeFrame(1000))
    expect(await client.closeCode()).toBe(1000)
    await socket.closed
    expect(seen).toEqual(['connection', true, 'handler', false, 'event', 0])
    expect(server.stats()).toMatchObject({ connections: 0, pending: 0, accepted: 1, refusals: {} })
    expect(server.stats().closeCodes).toEqual({ 1000: 1 })
  })

  test('leave also when they are lost', async () => {
    const server = await serve()
    const { client, socket } = await open(server)
    client.reset()
    await socket.closed
    expect(server.clients.size).toBe(0)
    expect(server.stats().closeCodes).toEqual({ 1006: 1 })
  })

  test('stay while a handler still works on their messages', async () => {
    const [work, finish] = deferred()
    const [ended, end] = deferred<CloseInfo>()
    const server = await serve({}, { message: () => work, close: (_, info) => end(info) })
    const { client, socket } = await open(server)
    client.write(textFrame('work'), closeFrame(1000))
    expect((await socket.closed).code).toBe(1000)
    expect([socket.readyState, server.clients.size]).toEqual([3, 1])
    finish()
    await ended
    expect(server.clients.size).toBe(0)
  })

  test('are not shown without tracking, but closed all the same', async () => {
    const server = await serve({ clientTracking: false })
    const { client } = await open(server)
    expect([server.clients.size, server.stats().connections]).toEqual([0, 1])
    const closed = server.close()
    expect(await client.closeCode()).toBe(1001)
    client.write(closeFrame(1001))
    expect(await closed).toEqual({ closed: 1, terminated: 0 })
  })

  test('handlers may be an object with state of its own', async () => {
    class Counter {
      #count = 0
      message(socket: { send(data: string): boolean }): void {
        socket.send(String(++this.#count))
      }
    }
    const server = await serve({}, new Counter())
    const { client } = await open(server)
    client.write(textFrame('a'), textFrame('b'))
    expect([await client.text(), await client.text()]).toEqual(['1', '2'])
  })
})

describe('close()', () => {
  test('of a server that nobody uses', async () => {
    const server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1' })
    const port = portOf(server)
    const event = once(server, 'close')
    expect(await server.close()).toEqual({ closed: 0, terminated: 0 })
    await event
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('[L11] says 1001, waits for the answer, ends TCP, then the port', async () => {
    const server = await serve()
    const [a, b] = [await open(server), await open(server)]
    const closed = server.close()
    for (const { client } of [a, b]) {
      expect(await client.closeCode()).toBe(1001)
      client.write(closeFrame(1001))
      expect((await client.rest()).length).toBe(0)
    }
    expect(await closed).toEqual({ closed: 2, terminated: 0 })
    expect(await a.socket.closed).toEqual({ code: 1001, reason: '', wasClean: true, initiator: 'local' })
    expect(server.stats()).toMatchObject({ connections: 0, closeCodes: { 1001: 2 } })
  })

  test('says what it is told to', async () => {
    const server = await serve()
    const { client } = await open(server)
    void server.close({ code: 1012, reason: 'restart' })
    const { first, payload } = await client.frame()
    expect([first, payload.readUInt16BE(), payload.toString('utf8', 2)]).toEqual([0x88, 1012, 'restart'])
    client.write(closeFrame(1012))
  })

  test('what was sent before leaves before', async () => {
    const server = await serve()
    const { client, socket } = await open(server)
    for (const text of ['one', 'two']) socket.send(text)
    void server.close()
    expect([await client.text(), await client.text(), await client.closeCode()]).toEqual(['one', 'two', 1001])
    client.write(closeFrame(1001))
  })

  test('terminates who does not answer, at the deadline', async () => {
    const server = await serve()
    const [polite, silent, lost] = [await open(server), await open(server), await open(server)]
    const closed = server.close({ timeout: 300 })
    expect(await polite.client.closeCode()).toBe(1001)
    polite.client.write(closeFrame(1001))
    lost.client.reset()
    expect(await closed).toEqual({ closed: 2, terminated: 1 })
    expect(await silent.socket.closed).toMatchObject({ code: 1006, wasClean: false, cause: { code: 'TERMINATED' } })
    expect(await lost.socket.closed).toMatchObject({ code: 1006, cause: { code: 'CONNECTION_LOST' } })
  })

  test('counts who runs out of closeTimeout as terminated', async () => {
    const server = await serve({ closeTimeout: 20 })
    const { socket } = await open(server)
    expect(await server.close()).toEqual({ closed: 0, terminated: 1 })
    expect((await socket.closed).cause?.code).toBe('CLOSE_TIMEOUT')
  })

  test('does not count who had closed before', async () => {
    const [work, finish] = deferred()
    const server = await serve({}, { message: () => work })
    const { client, socket } = await open(server)
    client.write(textFrame('work'), closeFrame(1000))
    await socket.closed
    const closed = server.close()
    finish()
    expect(await closed).toEqual({ closed: 0, terminated: 0 })
  })

  test('waits for handlers, but not past the deadline', async () => {
    const server = await serve({}, { message: () => new Promise<void>(() => {}) })
    const { client, socket } = await open(server)
    client.write(textFrame('work'))
    await until(() => socket.stats().messagesIn === 1)
    const closed = server.close({ timeout: 200 })
    expect(await client.closeCode()).toBe(1001)
    client.write(closeFrame(1001))
    expect(await closed).toEqual({ closed: 1, terminated: 0 })
  })

  test('ends silent and half-heard clients of its own port', async () => {
    const server = await serve()
    const silent = await RawClient.connect(portOf(server))
    const half = await RawClient.connect(portOf(server))
    half.write(upgradeRequest().slice(0, 30))
    const { client } = await open(server) // by now the others have been accepted
    const closed = server.close()
    await client.closeCode()
    client.write(closeFrame(1001))
    expect(await closed).toEqual({ closed: 1, terminated: 0 })
    expect([(await silent.rest()).length, (await half.rest()).length]).toEqual([0, 0])
  })

  test('[D13] refuses with 503 who comes meanwhile, and does not wait for them past the deadline', async () => {
    const server = await serve()
    const { client } = await open(server)
    const closed = server.close({ timeout: 60_000 })
    const late = await RawClient.connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
    const answer = await late.refusal()
    expect(answer).toEqual({
      head: [
        'HTTP/1.1 503 Service Unavailable',
        'Connection: close',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Length: 22',
      ],
      status: 503,
      body: 'the server is closing\n',
    })
    await client.closeCode()
    client.write(closeFrame(1001))
    expect(await closed).toEqual({ closed: 1, terminated: 0 }) // although `late` keeps its side open
  })

  test('leaves a foreign HTTP server open', async () => {
    const http = await httpServer((_request, response) => void response.end('page'))
    const server = share(http)
    const { client } = await open(server, portOf(http))
    const closed = server.close()
    await client.closeCode()
    client.write(closeFrame(1001))
    expect(await closed).toEqual({ closed: 1, terminated: 0 })
    expect(http.listening).toBe(true)
    const plain = await RawClient.connect(portOf(http))
    plain.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await plain.answer()).toMatchObject({ status: 200, body: 'page' })
  })

  test('again changes nothing', async () => {
    const server = await serve()
    let closes = 0
    server.on('close', () => closes++)
    const { client } = await open(server)
    const first = server.close()
    expect(server.close({ timeout: 0, code: 4000 })).toBe(first)
    expect(await client.closeCode()).toBe(1001)
    client.write(closeFrame(1001))
    expect(await first).toEqual({ closed: 1, terminated: 0 })
    expect(await server.close()).toEqual({ closed: 1, terminated: 0 })
    expect(closes).toBe(1)
  })

  test('from within the connection event', async () => {
    const server = await serve()
    server.on('connection', () => void server.close())
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest())
    await client.head()
    expect(await client.closeCode()).toBe(1001)
    client.write(closeFrame(1001))
    expect(await server.close()).toEqual({ closed: 1, terminated: 0 })
  })

  test('terminating from within the connection event', async () => {
    const server = await serve()
    server.on('connection', (socket) => socket.terminate())
    const opened = connection(server)
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest())
    const { socket } = await opened
    expect(await socket.closed).toMatchObject({ code: 1006, cause: { code: 'TERMINATED' } })
    expect(server.clients.size).toBe(0)
    await client.rest()
  })

  test('by disposal', async () => {
    let port = 0
    {
      await using server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1' })
      port = portOf(server)
    }
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
