// A server with a port of its own, plain and with TLS: what is no upgrade, and clients that do not even get that far.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { WebSocketServer } from '@ws/server'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawClient, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { connection, portOf, serve } from './support/servers.ts'

/** Without `Date`, which the clock decides. */
const timeless = (head: string[]) =>
  head.filter((line) => !line.startsWith('Date: ') && !line.startsWith('Keep-Alive: '))

describe('[D3] a plain request gets 426', () => {
  const HEAD = [
    'HTTP/1.1 426 Upgrade Required',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Length: 44',
  ]

  test('GET, and the connection may then be upgraded', async () => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(timeless(await client.head())).toEqual(HEAD)
    expect((await client.read(44)).toString()).toBe('expected an upgrade to WebSocket (RFC 6455)\n')
    expect(server.stats().refusals).toEqual({})
  })

  test.each(['Upgrade', 'Connection'])('[D4] a request whose %s header is missing', async (name) => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    expect(timeless(await client.upgrade({ omit: [name] }))).toEqual(HEAD)
  })

  test('HEAD, without a body', async () => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    client.write('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(timeless(await client.head())[0]).toBe(HEAD[0])
  })
})

describe('malformed HTTP is answered by Node, and crashes nothing', () => {
  test.each([
    ['garbage', 'FOO BAR BAZ\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
    ['a TLS ClientHello', Buffer.from('1603010200010001fc0303', 'hex'), 'HTTP/1.1 400 Bad Request'],
    ['[D2] no Host', 'GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
    [
      '[D17] a head without end',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}`,
      'HTTP/1.1 431 Request Header Fields Too Large',
    ],
  ])('%s', async (_, bytes, status) => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    client.write(bytes)
    expect((await client.answer()).head[0]).toBe(status)
    const next = await RawClient.connect(portOf(server))
    expect(await next.upgrade()).toEqual(SWITCHING)
  })

  test('[D16] [D17] a Content-Length behind thousands of headers is seen', async () => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    const answer = await client.refusal({ add: [...Array<string>(3_000).fill('a: b'), 'Content-Length: 5'] })
    expect(answer.status).toBe(400)
  })

  test('CONNECT', async () => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    client.write('CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.rest()).length).toBe(0)
  })
})

describe('[D17] [M3] the handshake timeout', () => {
  test.each([
    ['a client that says nothing', ''],
    ['a client that stops in the middle of the head', upgradeRequest().slice(0, 60)],
  ])('%s gets 408', async (_, bytes) => {
    const server = await serve({ handshakeTimeout: 50 })
    const client = await RawClient.connect(portOf(server))
    client.write(bytes)
    expect((await client.answer()).head[0]).toBe('HTTP/1.1 408 Request Timeout')
  })

  test('a client that dribbles gets it too: every byte does not count as progress', async () => {
    const server = await serve({ handshakeTimeout: 60 })
    const client = await RawClient.connect(portOf(server))
    const request = upgradeRequest()
    let sent = 0
    const dribble = setInterval(() => client.write(request.charAt(sent++)), 5)
    onTestFinished(() => clearInterval(dribble))
    expect((await client.answer()).head[0]).toBe('HTTP/1.1 408 Request Timeout')
    expect(sent).toBeLessThan(request.length)
  })

  test('open connections are out of its reach', async () => {
    const server = await serve({ handshakeTimeout: 150 }, { message: (socket, data) => void socket.send(data) })
    const client = await RawClient.connect(portOf(server))
    await client.upgrade()
    await (await RawClient.connect(portOf(server))).answer() // a silent one is timed out meanwhile
    client.write(textFrame('still here'))
    expect(await client.text()).toBe('still here')
  })

  test('[D18] a TLS handshake that does not happen', async () => {
    const { server: identity } = await makeCertificates()
    const server = await serve({ handshakeTimeout: 50, tls: identity })
    const client = await RawClient.connect(portOf(server))
    expect((await client.rest()).length).toBe(0)
  })
})

describe('TLS', () => {
  async function secure(options: tls.TlsOptions = {}) {
    const certificates = await makeCertificates()
    const server = await serve(
      { tls: { ...certificates.server, ...options } },
      { message: (socket, data) => void socket.send(data) },
    )
    return { server, port: portOf(server), ca: certificates.ca }
  }

  test('[M5] wss: the connection is encrypted and works', async () => {
    const { server, port, ca } = await secure()
    const opened = connection(server)
    const client = await RawClient.connectTls({ port, ca })
    client.write(upgradeRequest(), textFrame('in the head'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('in the head')
    client.write(textFrame('hello'))
    expect(await client.text()).toBe('hello')
    const { request } = await opened
    expect([request.encrypted, request.remoteAddress]).toEqual([true, '127.0.0.1'])
  })

  test('[D9] a page of the same https origin may connect', async () => {
    const { port, ca } = await secure()
    const client = await RawClient.connectTls({ port, ca })
    const parts = { replace: [`Host: localhost:${port}`], add: [`Origin: https://localhost:${port}`] }
    expect(await client.upgrade(parts)).toEqual(SWITCHING)
  })

  test('a refusal and a plain request are answered over TLS', async () => {
    const { port, ca } = await secure()
    const client = await RawClient.connectTls({ port, ca })
    expect((await client.refusal({ omit: ['Sec-WebSocket-Key'] })).status).toBe(400)
    const plain = await RawClient.connectTls({ port, ca })
    plain.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect((await plain.head())[0]).toBe('HTTP/1.1 426 Upgrade Required')
  })

  test('mutual TLS: a certificate of ours opens the door, and the hook sees it', async () => {
    const { ca, client: identity, server: serverIdentity } = await makeCertificates()
    const server = await serve({
      tls: { ...serverIdentity, ca, requestCert: true, rejectUnauthorized: true },
      authenticate: ({ raw }) => ({ data: (raw.socket as tls.TLSSocket).getPeerCertificate().subject.CN }),
    })
    const opened = connection(server)
    const client = await RawClient.connectTls({ port: portOf(server), ca, ...identity })
    expect(await client.upgrade()).toEqual(SWITCHING)
    expect((await opened).socket.data).toBe('test client')
  })

  test.each(['none', 'self-signed'])('[D18] mutual TLS: %s gets no connection, and crashes nothing', async (kind) => {
    const { ca, selfSigned } = await makeCertificates()
    const { server, port } = await secure({ ca, requestCert: true, rejectUnauthorized: true })
    const identity = kind === 'none' ? {} : selfSigned
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ...identity })
    socket.on('error', () => {}) // an alert, or a reset
    socket.write(upgradeRequest())
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    await new Promise((resolve) => socket.on('close', resolve))
    expect(text).toBe('')
    expect(server.stats().accepted).toBe(0)
  })

  test('a TLS handshake that hangs does not hold the close up', async () => {
    const { server: identity, ca } = await makeCertificates()
    const server = await serve({ tls: identity })
    const silent = await RawClient.connect(portOf(server))
    // By the time that this one is through, the silent one has been accepted.
    const other = tls.connect({ port: portOf(server), host: '127.0.0.1', servername: 'localhost', ca })
    await once(other, 'secureConnect')
    expect(await server.close({ timeout: 100 })).toEqual({ closed: 0, terminated: 0 })
    await silent.closed()
    other.destroy()
  })

  test('[D18] plain HTTP on the TLS port is closed, and crashes nothing', async () => {
    const { port, ca } = await secure()
    const client = await RawClient.connect(port)
    client.write(upgradeRequest())
    await client.rest()
    expect(await (await RawClient.connectTls({ port, ca })).upgrade()).toEqual(SWITCHING)
  })
})

describe('listening', () => {
  test('a taken port: listen rejects, and the event comes', async () => {
    const port = portOf(await serve())
    await expect(WebSocketServer.listen({ port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      port,
    })
    const server = new WebSocketServer({ port, host: '127.0.0.1' })
    const [error] = await once(server, 'error')
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen' })
    expect(server.address()).toBe(null)
    expect(await server.close()).toEqual({ closed: 0, terminated: 0 })
  })

  test('the constructor listens too, and says when', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 5 })
    await once(server, 'listening')
    expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' })
    await server.close()
    expect(server.address()).toBe(null)
  })

  test('all addresses by default', async () => {
    const server = await WebSocketServer.listen({ port: 0 })
    expect(['::', '0.0.0.0']).toContain((server.address() as net.AddressInfo).address)
    await server.close()
  })

  test('a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ws-server-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const socketPath = join(folder, 'socket')
    const server = await WebSocketServer.listen({ socketPath }, { message: (socket, data) => void socket.send(data) })
    expect(server.address()).toBe(socketPath)
    const client = await RawClient.connect(socketPath)
    client.write(upgradeRequest(), textFrame('hello'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('hello')
    await server.close({ timeout: 0 })
  })
})
