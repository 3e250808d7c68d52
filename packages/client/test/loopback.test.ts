// Both ends of this repository against each other, over TCP and TLS, and as streams of HTTP/2.

import { createServer } from 'node:http'
import { createServer as createHttp2Server, createSecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { Server, Socket } from 'node:net'
import { WebSocketServer } from '@ws/server'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, WebSocket, type WebSocketOptions } from '../src/index.ts'
import { handshakeFailure } from './support/failure.ts'
import { close, listen } from './support/raw-server.ts'
import { event, record } from './support/script.ts'

interface Loopback {
  url: string
  server: WebSocketServer
  options: WebSocketOptions
}

const KINDS = ['ws', 'wss', 'ws over HTTP/2', 'wss over HTTP/2'] as const
type Kind = (typeof KINDS)[number]

async function start(kind: Kind): Promise<Loopback> {
  const { ca, server: own } = await makeCertificates()
  const [scheme, http2] = [kind.replace(/ .*/, ''), kind.includes('2')]
  const http = {
    ws: () => createServer(),
    wss: () => createTlsServer(own),
    'ws over HTTP/2': () => createHttp2Server(),
    'wss over HTTP/2': () => createSecureServer({ ...own, allowHTTP1: true }),
  }[kind]()
  const server = new WebSocketServer(
    { server: http, path: '/chat', protocols: ['v2', 'v1'] },
    { message: (socket, data) => void socket.send(data) },
  )
  const sockets: Socket[] = []
  http.on('connection', (socket: Socket) => sockets.push(socket))
  const port = await listen(http as Server)
  onTestFinished(() => close(http as Server, http2 ? sockets : [])) // sessions outlive their connections for a while
  const options = { ...(scheme === 'wss' && { ca }), ...(http2 && { http2: true }) }
  return { url: `${scheme}://127.0.0.1:${port}/chat`, server, options }
}

describe.each(KINDS)('%s', (kind) => {
  test('connect: messages of all sizes there and back', async () => {
    const { url, server, options } = await start(kind)
    const socket = await connect(url, { ...options, protocols: ['v1', 'v2'] })
    expect(socket.protocol).toBe('v1')
    const messages = socket[Symbol.asyncIterator]()
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
      const bytes = Buffer.alloc(size, size)
      socket.send(bytes)
      expect((await messages.next()).value.equals(bytes)).toBe(true)
      socket.send('ä'.repeat(size))
      expect((await messages.next()).value).toBe('ä'.repeat(size))
    }
    expect(await socket.close(1000, 'done')).toMatchObject({ code: 1000, wasClean: true })
    expect(server.stats().accepted).toBe(1)
  })

  test('WebSocket: the same events as in a browser', async () => {
    const { url, options } = await start(kind)
    const socket = new WebSocket(url, { ...options, protocols: ['v2'] })
    socket.binaryType = 'arraybuffer'
    const seen = record(socket)
    await event(socket, 'open')
    socket.send('text')
    socket.send(Uint8Array.of(1, 2))
    await event(socket, 'message')
    await event(socket, 'message')
    socket.close(3000, 'enough')
    await event(socket, 'close')
    expect(seen).toEqual([
      ['open', 1],
      ['message', 1, 'text'],
      ['message', 1, Uint8Array.of(1, 2).buffer],
      ['close', 3, true, 3000, ''],
    ])
  })

  test('the server closes', async () => {
    const { url, server, options } = await start(kind)
    const socket = await connect(url, options)
    await server.close({ code: 1012, reason: 'restart' })
    expect(await socket.closed).toEqual({ code: 1012, reason: 'restart', wasClean: true, initiator: 'remote' })
  })

  test('the server refuses, and says why', async () => {
    const { url, options } = await start(kind)
    const failure = await handshakeFailure(connect(`${url}/other`, options))
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 404 })
    expect(failure.body?.length).toBeGreaterThan(0)
    const foreign = await handshakeFailure(connect(url, { ...options, origin: 'https://evil.example' }))
    expect(foreign.status).toBe(403)
  })
})
