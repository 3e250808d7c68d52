// WebSocket over HTTP/2 at the server (RFC 8441), in cleartext and over TLS.

import { once } from 'node:events'
import http2 from 'node:http2'
import type tls from 'node:tls'
import type { WebSocketConnection } from '@ws/protocol/node'
import { WebSocketServer } from '@ws/server'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  answerOf,
  ask,
  connected,
  http2SecureServer,
  http2Server,
  NGHTTP2_CANCEL,
  NGHTTP2_INTERNAL_ERROR,
  NGHTTP2_NO_ERROR,
  NGHTTP2_PROTOCOL_ERROR,
  resetOf,
  session,
} from './support/http2.ts'
import { headersFrame, RawHttp2, request } from './support/http2-frames.ts'
import { RawClient, textFrame } from './support/raw-client.ts'
import { connection, deferred, portOf, refused, share, until } from './support/servers.ts'

const never = () => new Promise<undefined>(() => {})

const SERVERS = [
  { name: 'cleartext', serve: http2Server },
  { name: 'TLS', serve: http2SecureServer },
]

describe.each(SERVERS)('over $name', ({ serve }) => {
  test('[P1] [P9] [P10] many connections on one session: 200, messages both ways, a clean close', async () => {
    const http = await serve()
    const sessions = vi.fn()
    http.on('session', sessions)
    const server = share(http, {}, { message: (socket, data) => void socket.send(`${data} to you`) })
    const client = await session(http)
    expect(client.remoteSettings.enableConnectProtocol).toBe(true)
    const all = await Promise.all(Array.from({ length: 10 }, () => connected(client)))
    expect(server.clients.size).toBe(10)
    for (const [index, { socket, response, stream }] of all.entries()) {
      expect(response).toEqual({ ':status': 200, [http2.sensitiveHeaders]: [] })
      socket.send(`hello ${index}`)
      expect((await once(socket, 'message'))[0]).toBe(`hello ${index} to you`)
      expect(await socket.close(1000)).toMatchObject({ code: 1000, wasClean: true })
      expect(await resetOf(stream)).toBe(NGHTTP2_NO_ERROR)
    }
    expect(sessions).toHaveBeenCalledTimes(1)
    await until(() => server.clients.size === 0)
    expect(server.stats()).toMatchObject({ accepted: 10, connections: 0, closeCodes: { 1000: 10 } })
  })

  test('a stream listener or a request listener of the application changes nothing', async () => {
    const http = await serve({}, (_request, response) => void response.end('page'))
    const server = share(http)
    const client = await session(http)
    const page = client.request({ ':path': '/' })
    expect(await answerOf(page)).toMatchObject({ status: 200, body: 'page' })
    await connected(client)
    expect(server.clients.size).toBe(1)
    // And the other way around: a request listener that comes later.
    http.on('request', () => {})
    await connected(client)
    expect(server.stats()).toMatchObject({ accepted: 2, refusals: {} })
  })
})

test('[P1] [P2] the announcement comes with the first WebSocket server, and stays when the last one closes', async () => {
  const http = await http2Server()
  const before = await session(http)
  expect(before.remoteSettings.enableConnectProtocol).toBe(false)
  const server = share(http)
  const during = await session(http)
  expect(during.remoteSettings.enableConnectProtocol).toBe(true)
  await server.close()
  expect((await session(http)).remoteSettings.enableConnectProtocol).toBe(true)
  const changed = vi.fn()
  during.on('remoteSettings', changed)
  await new Promise((resolve) => during.ping(resolve))
  expect(changed).not.toHaveBeenCalled()
})

describe('the request, as hooks see it', () => {
  test('[P8] in the shape of HTTP/1.1', async () => {
    const http = await http2SecureServer()
    const seen = vi.fn()
    const server = share(http, {
      path: '/rooms/:room',
      protocols: ['chat'],
      authenticate: (request) => {
        const { method, url, httpVersion, headers, params, remoteAddress, encrypted, raw } = request
        const peer = (raw.socket as tls.TLSSocket).getPeerCertificate()
        seen({ method, url, httpVersion, headers: { ...headers }, params, remoteAddress, encrypted, peer })
        return { data: raw.headers[':path'], headers: { 'Set-Cookie': ['a=1', 'b=2'], 'Keep-Alive': 'no' } }
      },
    })
    const opened = connection(server)
    const { response, socket } = await connected(await session(http), {
      ':path': '/rooms/7?x=1',
      origin: `https://localhost:${portOf(http)}`,
      'sec-websocket-protocol': 'other, chat',
      cookie: 'c=3',
    })
    expect(seen).toHaveBeenCalledWith({
      method: 'CONNECT',
      url: '/rooms/7?x=1',
      httpVersion: '2.0',
      headers: {
        host: `localhost:${portOf(http)}`,
        origin: `https://localhost:${portOf(http)}`,
        cookie: 'c=3',
        'sec-websocket-protocol': 'other, chat',
        'sec-websocket-version': '13',
      },
      params: { room: '7' },
      remoteAddress: '127.0.0.1',
      encrypted: true,
      peer: {},
    })
    expect(response).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat', 'set-cookie': ['a=1', 'b=2'] })
    expect(response).not.toHaveProperty('keep-alive')
    const { socket: ours, request } = await opened
    expect([ours.data, ours.protocol, ours.remoteAddress]).toEqual(['/rooms/7?x=1', 'chat', '127.0.0.1'])
    socket.terminate()
    await ours.closed
    expect(request.remoteAddress).toBe('127.0.0.1')
  })

  test.each(['http2-settings', 'keep-alive', 'proxy-connection', 'te'])(
    '[P7] a hook that gives %s, which is about one hop of HTTP/1.1: it is left out',
    async (name) => {
      const http = await http2Server()
      share(http, {
        authenticate: ({ url }) => {
          const headers = { [name]: 'x', 'x-other': 'y' }
          return url === '/' ? { headers } : { status: 403, headers }
        },
      })
      const client = await session(http)
      const { response } = await connected(client)
      expect([response[name], response['x-other']]).toEqual([undefined, 'y'])
      const { status, headers } = await answerOf(ask(client, { ':path': '/refused' }))
      expect([status, headers[name], headers['x-other']]).toEqual([403, undefined, 'y'])
    },
  )

  test('nothing of it throws once the session is gone', async () => {
    const http = await http2Server()
    const server = share(http, { authenticate: () => never() })
    const client = await session(http)
    const refusal = refused(server)
    ask(client)
    await until(() => server.stats().pending === 1)
    client.destroy()
    const { request, status, code } = await refusal
    expect([status, code]).toEqual([undefined, 'REFUSED_CLIENT_LEFT'])
    await until(() => request.remoteAddress === undefined)
    expect(request.headers.host).toBe(`localhost:${portOf(http)}`)
    expect(request.encrypted).toBe(false)
  })
})

test.each<[string, number, number, http2.ServerOptions]>([
  ['one with 12 MiB', 1, 210, {}],
  ["100 streams, as many as Node's maxSessionMemory has room for", 100, 10, {}],
  ['200 streams, with more maxSessionMemory', 200, 10, { maxSessionMemory: 64 }],
])('slow connections keep no other out of their session: %s', async (_, connections, messages, options) => {
  const http = await http2Server(options)
  const server = share(http, {}, { message: (socket) => void fill(socket) })
  // The first fits into the window, and leaves little of it for the others.
  const fill = async (socket: WebSocketConnection) => {
    socket.send(Buffer.alloc(60_000))
    await until(() => socket.bufferedAmount === 0 || socket.readyState === 3)
    for (let index = 1; index < messages; index++) socket.send(Buffer.alloc(60_000))
  }
  const client = await session(http)
  const bystander = await connected(client)
  const slow = Array.from({ length: connections }, () => ask(client))
  await until(() => server.clients.size === connections + 1)
  for (const stream of slow) stream.write(textFrame('fill'))
  await until(() => server.stats().messagesOut === connections * messages)
  for (let before = -1; before !== server.stats().bufferedAmount; ) {
    before = server.stats().bufferedAmount
    await bystander.socket.ping()
  }
  const late = ask(client)
  expect(await Promise.race([once(late, 'response').then(() => 'response'), resetOf(late)])).toBe('response')
  expect(await bystander.socket.ping()).toBeGreaterThan(0)
  expect(server.stats()).toMatchObject({ connections: connections + 2, refusals: {} })
})

test('[P8] permessage-deflate, topics, broadcast and heartbeat as over HTTP/1.1', async () => {
  const http = await http2Server()
  const server = share(
    http,
    { perMessageDeflate: { threshold: 0 }, heartbeat: { interval: 20, timeout: 5_000 } },
    { open: (socket) => void socket.subscribe('news') },
  )
  const client = await session(http)
  const stream = ask(client, { 'sec-websocket-extensions': 'permessage-deflate' })
  const [response] = await once(stream, 'response')
  expect(response['sec-websocket-extensions']).toMatch(/^permessage-deflate/)
  expect(server.publish('news', 'x'.repeat(1000))).toBe(1)
  let read = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    read = Buffer.concat([read, chunk])
  })
  await until(() => read.includes(0xc1)) // FIN, RSV1, text; a ping may come first
  expect(read[read.indexOf(0xc1) + 1]).toBeLessThan(100)
  const { socket } = await connected(client)
  const message = once(socket, 'message')
  expect(server.broadcast('to all')).toBe(2)
  expect((await message)[0]).toBe('to all')
  await once(socket, 'ping')
})

describe('[P9] refusals are answers on the stream, and the session goes on', () => {
  async function setUp(options: Parameters<typeof share>[1] = {}) {
    const http = await http2Server()
    const server = share(http, options)
    const client = await session(http)
    return { server, client }
  }

  test.each<[string, Record<string, string>, number, string]>([
    ['[P14] another :protocol', { ':protocol': 'connect-udp' }, 501, 'REFUSED_UPGRADE'],
    ['[P8] another version', { 'sec-websocket-version': '8' }, 400, 'REFUSED_VERSION'],
    ['[P8] a malformed subprotocol', { 'sec-websocket-protocol': 'a b' }, 400, 'REFUSED_SUBPROTOCOL'],
    [
      '[P7] a Host header that differs',
      { ':authority': 'here.example', host: 'elsewhere.example' },
      400,
      'REFUSED_HOST',
    ],
    ['another path', { ':path': '/other' }, 404, 'REFUSED_PATH'],
    ['a foreign origin', { ':path': '/a', origin: 'https://elsewhere.example' }, 403, 'REFUSED_ORIGIN'],
    ['another scheme', { ':scheme': 'ftp', ':path': '/a' }, 400, 'REFUSED_PSEUDO_HEADER'],
  ])('%s', async (_, headers, status, code) => {
    const { server, client } = await setUp({ path: '/a' })
    const refusal = refused(server)
    const stream = ask(client, headers)
    const answer = await answerOf(stream)
    const { message } = await refusal
    expect(await refusal).toMatchObject({ status, code })
    expect(answer).toMatchObject({ status, body: `${message}\n` })
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(message.length + 1),
    })
    expect(answer.headers).not.toHaveProperty('connection')
    expect(await resetOf(stream)).toBe(NGHTTP2_NO_ERROR)
    expect((await connected(client, { ':path': '/a' })).socket.readyState).toBe(1)
  })

  test('[P5] [P6] [P7] what HTTP/2 itself forbids never gets here: the stream is reset', async () => {
    const { server, client } = await setUp()
    const stream = ask(client, { ':method': 'GET' })
    expect(await resetOf(stream)).toBe(NGHTTP2_PROTOCOL_ERROR)
    expect((await connected(client)).socket.readyState).toBe(1)
    expect(server.stats().refusals).toEqual({})
  })

  test('[P14] upper case is accepted', async () => {
    const { client } = await setUp()
    expect((await connected(client, { ':protocol': 'WEBSOCKET' })).socket.readyState).toBe(1)
  })

  test('by the hook: status, headers and body', async () => {
    const { client } = await setUp({
      authenticate: () => ({ status: 401, headers: { 'WWW-Authenticate': 'Basic', Upgrade: 'h2c' }, body: 'who?' }),
    })
    const { status, headers, body } = await answerOf(ask(client))
    expect([status, headers['www-authenticate'], headers.upgrade, body]).toEqual([401, 'Basic', undefined, 'who?'])
  })

  test('by the hook, with a status that has no body', async () => {
    const { client } = await setUp({ authenticate: () => ({ status: 304 }) })
    expect(await answerOf(ask(client))).toMatchObject({ status: 304, body: '' })
  })

  test('a hook that throws: 500; one whose headers HTTP/2 cannot send: the stream is reset', async () => {
    const { server, client } = await setUp({
      authenticate: ({ url }) => {
        if (url === '/throws') throw new Error('away')
        return {
          status: 403,
          headers: [
            ['Content-Type', 'a/b'],
            ['Content-Type', 'c/d'],
          ] as const,
        }
      },
    })
    expect((await answerOf(ask(client, { ':path': '/throws' }))).status).toBe(500)
    expect(await resetOf(ask(client))).toBe(NGHTTP2_INTERNAL_ERROR)
    expect(server.stats().refusals).toEqual({ REFUSED_HOOK_FAILED: 1, REFUSED_BY_HOOK: 1 })
    expect(client.destroyed).toBe(false)
  })

  test('a hook that does not decide: 408', async () => {
    const { client } = await setUp({ handshakeTimeout: 20, authenticate: () => never() })
    expect((await answerOf(ask(client))).status).toBe(408)
  })

  test('maxConnections: 503; maxConnectionsPerAddress: 429', async () => {
    const full = await setUp({ maxConnections: 2 })
    const first = await connected(full.client)
    await connected(full.client)
    const answer = await answerOf(ask(full.client))
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    await first.socket.close()
    await until(() => full.server.clients.size === 1)
    await connected(full.client)
    const crowded = await setUp({ maxConnectionsPerAddress: 1 })
    const only = await connected(crowded.client)
    expect((await answerOf(ask(crowded.client))).status).toBe(429)
    await only.socket.close()
    await connected(crowded.client)
  })

  test('a server that closes refuses who waits with 503, and ends its connections, not the session', async () => {
    const { server, client } = await setUp({ authenticate: ({ url }) => url === '/' || never() })
    const { socket } = await connected(client)
    const waiting = ask(client, { ':path': '/wait' })
    await until(() => server.stats().pending === 1)
    const [answer, counts, info] = await Promise.all([answerOf(waiting), server.close({ code: 1012 }), socket.closed])
    expect([answer.status, counts, info.code]).toEqual([503, { closed: 1, terminated: 0 }, 1012])
    expect(client.destroyed).toBe(false)
  })
})

describe('streams that end before the decision', () => {
  async function setUp() {
    const http = await http2Server()
    const [signalled, signal] = deferred<AbortSignal>()
    const server = share(http, {
      maxConnections: 1,
      authenticate: ({ url }, context) => {
        if (url === '/') return true
        signal(context.signal)
        return never()
      },
    })
    const client = await session(http)
    return { server, client, signalled }
  }

  test.each<[string, (stream: http2.ClientHttp2Stream) => void]>([
    ['reset', (stream) => stream.close(NGHTTP2_CANCEL)],
    ['ended', (stream) => void stream.end()],
    ['whose session is gone', (stream) => stream.session?.destroy()],
  ])('one that is %s: the hook is told, its place is free, nothing is left', async (_, leave) => {
    const { server, client, signalled } = await setUp()
    const refusal = refused(server)
    const stream = ask(client, { ':path': '/wait' })
    const signal = await signalled
    leave(stream)
    expect(await refusal).toMatchObject({ status: undefined, code: 'REFUSED_CLIENT_LEFT' })
    expect(signal.aborted).toBe(true)
    await resetOf(stream)
    expect(server.stats()).toMatchObject({ pending: 0, connections: 0 })
  })

  test('one that came with END_STREAM is reset', async () => {
    const { server, client } = await setUp()
    const refusal = refused(server)
    const stream = client.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', 'sec-websocket-version': '13' },
      { endStream: true },
    )
    stream.resume()
    expect((await refusal).code).toBe('REFUSED_CLIENT_LEFT')
    await resetOf(stream)
    await connected(client)
  })

  test('frames that were sent before the decision are not lost', async () => {
    const http = await http2Server()
    const [decision, decide] = deferred()
    const server = share(http, { authenticate: () => decision }, { message: (socket, data) => void socket.send(data) })
    const stream = ask(await session(http))
    stream.write(textFrame('early'))
    await until(() => server.stats().pending === 1)
    decide()
    expect(String((await once(stream, 'data'))[0])).toBe('\x81\x05early'.replace('\x81', '\ufffd'))
  })
})

describe('who else there is', () => {
  test('several servers share an HTTP/2 server by path; one that nobody claims gets 404, once', async () => {
    const http = await http2Server()
    const [a, b] = [share(http, { path: '/a' }), share(http, { path: '/b' })]
    const client = await session(http)
    for (const path of ['/a', '/b']) await connected(client, { ':path': path })
    expect([a.clients.size, b.clients.size]).toEqual([1, 1])
    const answer = await answerOf(ask(client, { ':path': '/c' }))
    expect([answer.status, answer.body]).toEqual([404, 'no WebSocket server for path "/c"\n'])
    expect([a.stats().refusals, b.stats().refusals]).toEqual([{ REFUSED_PATH: 1 }, {}])
    await a.close()
    expect((await answerOf(ask(client, { ':path': '/a' }))).status).toBe(404)
    await connected(client, { ':path': '/b' })
  })

  test("what no server claims, and other protocols, are another listener's", async () => {
    for (const event of ['stream', 'connect'] as const) {
      const http = await http2Server({}, event === 'connect' ? () => {} : undefined)
      const server = share(http, { path: '/a' })
      if (event === 'stream') {
        http.on('stream', (stream, headers) => {
          if (headers[':path'] !== '/a') stream.respond({ ':status': 299 }, { endStream: true })
        })
      } else {
        http.on('connect', (request, response) => {
          if (request.url !== '/a') response.writeHead(299).end()
        })
      }
      const client = await session(http)
      expect((await answerOf(ask(client, { ':path': '/b' }))).status).toBe(299)
      expect((await answerOf(ask(client, { ':path': '/b', ':protocol': 'connect-udp' }))).status).toBe(299)
      await connected(client, { ':path': '/a' })
      expect(server.stats()).toMatchObject({ accepted: 1, refusals: {} })
    }
  })

  test('a CONNECT without :protocol is none of ours: Node answers as if we were not here', async () => {
    const http = await http2Server({}, () => {})
    const server = share(http)
    const client = await session(http)
    const stream = client.request({ ':method': 'CONNECT', ':authority': 'elsewhere.example:443' })
    expect((await answerOf(stream)).status).toBe(405)
    const own = vi.fn((_request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => {
      response.writeHead(200).end('tunnel')
    })
    http.on('connect', own)
    const tunnel = client.request({ ':method': 'CONNECT', ':authority': 'elsewhere.example:443' })
    expect(await answerOf(tunnel)).toMatchObject({ status: 200, body: 'tunnel' })
    expect(own).toHaveBeenCalledTimes(1)
    expect(server.stats()).toMatchObject({ accepted: 0, refusals: {} })
  })

  describe("a listener that answers a server's WebSockets has the last word, and 'refused' tells", () => {
    const LISTENERS: readonly [string, (http: http2.Http2Server, attach: () => void) => void][] = [
      [
        "'stream', before",
        (http, attach) => {
          http.on('stream', (stream) => stream.respond({ ':status': 299 }, { endStream: true }))
          attach()
        },
      ],
      [
        "'stream', after",
        (http, attach) => {
          attach()
          http.on('stream', (stream) => stream.respond({ ':status': 299 }, { endStream: true }))
        },
      ],
      [
        "'connect', before",
        (http, attach) => {
          http.on('request', () => {})
          http.on('connect', (_request, response) => response.writeHead(299).end())
          attach()
        },
      ],
      [
        "'connect', after",
        (http, attach) => {
          attach()
          http.on('request', () => {})
          http.on('connect', (_request, response) => response.writeHead(299).end())
        },
      ],
    ]

    test.each(LISTENERS)('%s', async (_, listen) => {
      const http = await http2Server()
      let server: WebSocketServer | undefined
      listen(http, () => {
        server = share(http)
      })
      const refusal = refused(server as WebSocketServer)
      const client = await session(http)
      expect((await answerOf(ask(client))).status).toBe(299)
      expect(await refusal).toMatchObject({ code: 'USAGE', status: undefined })
      expect((await refusal).message).toMatch(/^expected a stream without an answer/)
      expect(server?.stats()).toMatchObject({ accepted: 0, refusals: { USAGE: 1 } })
    })

    test.each([
      ['accepts', true],
      ['refuses', false],
    ])('while a hook decides that %s', async (_, verdict) => {
      const http = await http2Server()
      const [decision, decide] = deferred<boolean>()
      const server = share(http, { maxConnections: 1, authenticate: () => decision })
      http.on('stream', async (stream) => {
        await until(() => server.stats().pending === 1)
        stream.respond({ ':status': 299 })
        decide(verdict)
        await once(server, 'refused')
        stream.end('theirs')
      })
      const client = await session(http)
      expect(await answerOf(ask(client))).toMatchObject({ status: 299, body: 'theirs' })
      expect(server.stats()).toMatchObject({ accepted: 0, pending: 0, refusals: { USAGE: 1 } })
    })

    test('and the client leaves while a hook decides', async () => {
      const http = await http2Server()
      const server = share(http, { authenticate: () => never() })
      http.on('stream', async (stream) => {
        await until(() => server.stats().pending === 1)
        stream.respond({ ':status': 299 }, { endStream: true })
      })
      const refusal = refused(server)
      const stream = ask(await session(http))
      expect((await answerOf(stream)).status).toBe(299)
      stream.close(NGHTTP2_CANCEL)
      expect(await refusal).toMatchObject({ code: 'USAGE', status: undefined })
    })
  })

  test('a CONNECT that another listener has answered gets no second answer', async () => {
    const http = await http2Server()
    http.on('stream', (stream) => stream.respond({ ':status': 299 }, { endStream: true }))
    http.on('request', () => {})
    share(http)
    const client = await session(http)
    const tunnel = client.request({ ':method': 'CONNECT', ':authority': 'elsewhere.example:443' })
    expect((await answerOf(tunnel)).status).toBe(299)
    expect(client.destroyed).toBe(false)
  })

  test("what a 'request' listener leaves behind when it is removed answers nobody: what no server claims gets 404", async () => {
    for (const first of [true, false]) {
      const http = await http2Server()
      const listener = () => {}
      if (first) http.on('request', listener).off('request', listener)
      const server = share(http, { path: '/a' })
      if (!first) http.on('request', listener).off('request', listener)
      const client = await session(http)
      expect((await answerOf(ask(client, { ':path': '/b' }))).status).toBe(404)
      await connected(client, { ':path': '/a' })
      expect(server.stats()).toMatchObject({ accepted: 1, refusals: { REFUSED_PATH: 1 } })
    }
  })

  test('[P2] a server that is closed leaves what refuses those who still ask, once', async () => {
    const http = await http2Server()
    const first = share(http)
    const client = await session(http)
    await first.close()
    const left = http.eventNames().map((name) => [name, http.listenerCount(name)])
    expect(await answerOf(ask(client))).toMatchObject({ status: 503, body: 'the server is closing\n' })
    const second = share(http)
    await connected(client)
    await second.close()
    expect(http.eventNames().map((name) => [name, http.listenerCount(name)])).toEqual(left)
    http.on('stream', (stream) => stream.respond({ ':status': 299 }, { endStream: true }))
    expect((await answerOf(ask(client))).status).toBe(299)
  })

  test('a request that is none for WebSocket, where nobody else listens: 404, for a CONNECT 405', async () => {
    const http = await http2Server()
    const server = share(http)
    const client = await session(http)
    const body = 'expected an extended CONNECT for WebSocket (RFC 8441)\n'
    expect(await answerOf(client.request({ ':path': '/' }))).toMatchObject({ status: 404, body })
    const head = client.request({ ':method': 'HEAD', ':path': '/' })
    expect(await answerOf(head)).toMatchObject({ status: 404, headers: { 'content-length': String(body.length) } })
    const upload = client.request({ ':method': 'POST', ':path': '/' })
    upload.write('endless')
    expect(await answerOf(upload)).toMatchObject({ status: 404, body })
    expect(await resetOf(upload)).toBe(NGHTTP2_NO_ERROR)
    const tunnel = client.request({ ':method': 'CONNECT', ':authority': 'elsewhere.example:443' })
    expect(await answerOf(tunnel)).toMatchObject({ status: 405, body })
    expect(server.stats()).toMatchObject({ accepted: 0, refusals: {} })
  })

  test("streams of a session that somebody listens to are that listener's", async () => {
    const http = await http2Server()
    const server = share(http, { path: '/a' })
    http.on('session', (one) => {
      one.on('stream', (stream, headers) => {
        if (headers[':path'] !== '/a') stream.respond({ ':status': 299 }, { endStream: true })
      })
    })
    const client = await session(http)
    expect((await answerOf(client.request({ ':path': '/' }))).status).toBe(299)
    expect((await answerOf(ask(client, { ':path': '/b' }))).status).toBe(299)
    await connected(client, { ':path': '/a' })
    expect(server.stats()).toMatchObject({ accepted: 1, refusals: {} })
  })
})

test('HTTP/1.1 on the same port: the same server', async () => {
  const http = await http2SecureServer()
  const server = share(http, {}, { message: (socket, data) => void socket.send(data) })
  const { ca } = await makeCertificates()
  const old = await RawClient.connectTls({ port: portOf(http), ca, ALPNProtocols: ['http/1.1'] })
  expect((await old.upgrade())[0]).toBe('HTTP/1.1 101 Switching Protocols')
  const { socket } = await connected(await session(http))
  expect(server.clients.size).toBe(2)
  old.write(textFrame('one'))
  expect(await old.text()).toBe('one')
  socket.send('two')
  expect((await once(socket, 'message'))[0]).toBe('two')
})

describe("a session's timeout", () => {
  const TIMEOUT = 300

  /** A server whose sessions have one, and which refuses `/no`. */
  async function setUp() {
    const http = await http2Server()
    http.setTimeout(TIMEOUT)
    return { http, server: share(http, { authenticate: ({ url }) => url !== '/no' }) }
  }

  /** A session that is as silent from now on has ended. */
  async function passes(http: http2.Http2Server): Promise<void> {
    await once(await session(http), 'close')
  }

  test('does not end silent connections, with others opened and closed beside them', async () => {
    const { http, server } = await setUp()
    const client = await session(http)
    const { socket } = await connected(client)
    const other = await connected(client)
    await passes(http)
    await other.socket.close()
    expect((await answerOf(ask(client, { ':path': '/no' }))).status).toBe(401)
    await passes(http)
    expect([socket.readyState, server.clients.size]).toEqual([1, 1])
  })

  test('ends a session whose last connection has closed, each time', async () => {
    const { http } = await setUp()
    const client = await session(http)
    for (let round = 0; round < 3; round++) await (await connected(client)).socket.close()
    await once(client, 'close')
  })

  test('ends a session that was only refused', async () => {
    const { http } = await setUp()
    const client = await session(http)
    expect((await answerOf(ask(client, { ':path': '/no' }))).status).toBe(401)
    await once(client, 'close')
  })

  test('is put back as the application had set it for the session', async () => {
    const http = await http2Server()
    http.on('session', (one) => one.setTimeout(TIMEOUT, () => one.destroy()))
    share(http)
    const client = await session(http)
    await (await connected(client)).socket.close()
    await once(client, 'close')
  })

  test('ends one that Node has given up, with its socket, once heartbeat has ended its connections', async () => {
    const http = await http2Server()
    const ended = new Promise((resolve) => http.on('connection', (socket) => socket.on('close', resolve)))
    http.setTimeout(TIMEOUT)
    const server = share(http, { heartbeat: { interval: 20, timeout: 20 } })
    const client = await RawHttp2.connect(portOf(http))
    client.write(request(1))
    await until(() => server.clients.size === 1)
    client.write(headersFrame(3, Buffer.alloc(6, 0xff))) // no HPACK
    await ended
    expect(server.clients.size).toBe(0)
  })
})

describe('handleStream', () => {
  const options = { settings: { enableConnectProtocol: true } }

  function byHand(path?: string): WebSocketServer {
    const server = new WebSocketServer({ noServer: true, path })
    onTestFinished(async () => {
      await server.close({ timeout: 0 })
    })
    return server
  }

  test("takes what a 'stream' event brings", async () => {
    const http = await http2Server(options)
    const server = byHand('/a')
    const outcomes: unknown[] = []
    http.on('stream', async (stream, headers) => {
      outcomes.push(await server.handleStream(stream, headers))
    })
    const client = await session(http)
    await connected(client, { ':path': '/a' })
    expect((await answerOf(ask(client, { ':path': '/b' }))).status).toBe(404)
    expect(outcomes).toEqual([...server.clients, undefined])
  })

  test("takes what a 'connect' event brings; what is none for WebSocket is refused", async () => {
    const http = await http2Server(options, () => {})
    const server = byHand()
    http.on('connect', ({ stream, headers }) => void server.handleStream(stream, headers))
    const client = await session(http)
    await connected(client)
    const stream = client.request({ ':method': 'CONNECT', ':authority': 'elsewhere.example:443' })
    expect((await answerOf(stream)).status).toBe(400)
  })

  test('a stream is taken once', async () => {
    const http = await http2Server(options)
    const server = byHand()
    http.on('stream', (stream, headers) => {
      void server.handleStream(stream, headers)
      void server.handleStream(stream, headers)
    })
    const refusal = refused(server)
    await connected(await session(http))
    expect(await refusal).toMatchObject({ code: 'USAGE', status: undefined })
    expect(server.clients.size).toBe(1)
  })

  test('anything else is a usage error', () => {
    const server = byHand()
    expect(() => server.handleStream({} as http2.ServerHttp2Stream, {})).toThrow(
      "handleStream must get the stream and the headers of a 'stream' event",
    )
  })
})
