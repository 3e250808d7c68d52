// `http2: true` and the class: an extended CONNECT on a shared session, and what the server may answer.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ConnectOptions, connect, ReconnectingWebSocket, WebSocket, WebSocketConnection } from '../../src/index.ts'
import { pass, stopClock } from '../support/clock.ts'
import { handshakeFailure } from '../support/failure.ts'
import {
  accept,
  FRAME,
  type Http2Peer,
  headersFrame,
  http2Frame,
  http2Peer,
  type RawFrame,
  rawHttp2Peer,
  settingsFrame,
} from '../support/http2-peer.ts'
import { close } from '../support/raw-server.ts'
import { task } from '../support/script.ts'

const HTTP2 = { http2: true } as const

/** Says something and hears it. */
async function echoed(socket: WebSocketConnection, text = 'hello'): Promise<unknown> {
  socket.send(text)
  for await (const message of socket) return message
  return undefined
}

/** What the client has reset a stream with. */
async function resetOf(stream: ServerHttp2Stream | undefined): Promise<number | undefined> {
  if (stream?.closed === false) await once(stream, 'close')
  return stream?.rstCode
}

describe('the request', () => {
  test('[P4] [P7] [P8] every pseudo-header, what is offered and added, and neither key nor Host', async () => {
    const { url, port, requests } = await http2Peer()
    const headers = { 'X-One': ['1', '2'], Cookie: ['a=b', 'c=d'] }
    const options: ConnectOptions = { protocols: ['a', 'b'], origin: 'http://o.example', headers, ...HTTP2 }
    const socket = await connect(`${url.replace('//', '//user:pass@')}/chat?room=1`, options)
    await socket.close()
    expect(Object.fromEntries(Object.entries(requests[0] ?? {}))).toEqual({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':authority': `127.0.0.1:${port}`,
      ':path': '/chat?room=1',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'a, b',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      authorization: 'Basic dXNlcjpwYXNz',
      origin: 'http://o.example',
      'x-one': '1, 2',
      cookie: 'a=b; c=d',
    })
  })

  test('[P4] over TLS the scheme is https; Host is the authority, and Authorization goes before the URL', async () => {
    const { ca, server } = await makeCertificates()
    const { url, requests } = await http2Peer({ tls: server })
    const headers = { Host: 'other.example', Authorization: 'Bearer x' }
    const socket = await connect(url.replace('//', '//user:pass@'), { ca, headers, ...HTTP2 })
    expect(await echoed(socket)).toBe('hello')
    await socket.close()
    expect(requests[0]).toMatchObject({
      ':scheme': 'https',
      ':authority': 'other.example',
      authorization: 'Bearer x',
    })
  })

  test('[P3] goes out when the SETTINGS of the server have come, and not before', async () => {
    const seen: number[] = []
    let late = false
    const hesitate = async (socket: Socket): Promise<void> => {
      late = true
      for (let turn = 0; turn < 20; turn++) await task()
      expect(seen.splice(0)).not.toContain(FRAME.headers)
      socket.write(settingsFrame())
    }
    const peer = await rawHttp2Peer(
      () => {},
      ({ type, stream }, socket) => {
        seen.push(type)
        if (!late) void hesitate(socket)
        if (type === FRAME.headers) socket.write(headersFrame(stream, [[':status', '200']]))
      },
    )
    const socket = await connect(peer.url, HTTP2)
    expect(seen).toContain(FRAME.headers)
    socket.terminate()
    await socket.closed
  })

  test('[C16] SETTINGS that never come: nothing is asked, and the time is over', async () => {
    stopClock()
    const seen: number[] = []
    const peer = await rawHttp2Peer(
      () => {},
      ({ type }) => {
        seen.push(type)
        if (type === FRAME.settings) pass(10_000)
      },
    )
    const failure = await handshakeFailure(connect(peer.url, HTTP2))
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: `no connection to 127.0.0.1:${peer.port} within 10000 ms: the server has not sent its SETTINGS`,
    })
    expect(seen).not.toContain(FRAME.headers)
  })
})

describe('what opens', () => {
  test('[P9] [P15] any 2xx, without an accept value', async () => {
    const { url, connections } = await http2Peer({
      answer: (stream, { ':path': path = '' }) => {
        stream.respond({ ':status': Number(path.slice(1)), 'sec-websocket-accept': 'wrong' })
        stream.write(Buffer.from('8102686f', 'hex'))
      },
    })
    for (const status of [200, 201, 299]) {
      const socket = await connect(`${url}/${status}`, HTTP2)
      expect(socket).toBeInstanceOf(WebSocketConnection)
      for await (const message of socket) {
        expect(message).toBe('ho') // it came with the answer
        break
      }
      socket.terminate()
      await socket.closed
    }
    expect(connections).toEqual([])
  })

  test('[P8] the subprotocol and the extension are those of the answer', async () => {
    const { url } = await http2Peer({
      answer: (stream) => {
        accept(stream, { 'sec-websocket-protocol': 'b', 'sec-websocket-extensions': 'permessage-deflate' })
      },
    })
    const socket = await connect(url, { protocols: ['a', 'b'], ...HTTP2 })
    expect([socket.protocol, socket.extensions, socket.remoteAddress]).toEqual(['b', 'permessage-deflate', '127.0.0.1'])
    socket.terminate()
    await socket.closed
  })

  test('messages both ways, a clean close, and figures as ever', async () => {
    const { url, connections } = await http2Peer()
    const socket = await connect(url, { data: 7, ...HTTP2 })
    expect(await echoed(socket, 'x'.repeat(300_000))).toBe('x'.repeat(300_000))
    expect(socket.stats()).toMatchObject({ messagesIn: 1, messagesOut: 1 })
    expect([socket.data, await socket.close(1000, 'done')]).toMatchObject([7, { code: 1000, wasClean: true }])
    expect(await connections[0]?.closed).toMatchObject({ code: 1000, reason: 'done', wasClean: true })
  })

  test('[H1] [P10] frames are DATA, and masked', async () => {
    let sent: ((frame: RawFrame) => void) | undefined
    const data = new Promise<RawFrame>((resolve) => (sent = resolve))
    const peer = await rawHttp2Peer(
      (socket) => void socket.write(settingsFrame()),
      (frame, socket) => {
        if (frame.type === FRAME.headers) {
          socket.write(headersFrame(frame.stream, [[':status', '200']]))
          socket.write(http2Frame(FRAME.data, 0, frame.stream, Buffer.from('810548656c6c6f', 'hex')))
        }
        if (frame.type === FRAME.data) sent?.(frame)
      },
    )
    const socket = await connect(peer.url, HTTP2)
    for await (const message of socket) {
      expect(message).toBe('Hello')
      break
    }
    socket.send('Hello')
    const { payload, stream } = await data
    expect([payload.subarray(0, 2).toString('hex'), payload.length, stream]).toEqual(['8185', 11, 1])
    socket.terminate()
    await socket.closed
  })

  test('an answer that ends the stream opens and is lost at once', async () => {
    const { url } = await http2Peer({ answer: (stream) => stream.respond({ ':status': 200 }, { endStream: true }) })
    const socket = await connect(url, HTTP2)
    expect(await socket.closed).toMatchObject({ code: 1006, cause: { code: 'CONNECTION_LOST' } })
  })

  test('over a Unix socket', async () => {
    const { port, requests } = await http2Peer()
    const folder = mkdtempSync(join(tmpdir(), 'ws-http2-'))
    const path = join(folder, 'socket')
    const sockets: Socket[] = []
    const relay = createServer((socket) => {
      const upstream = connectTcp(port, '127.0.0.1')
      sockets.push(socket, upstream)
      for (const one of [socket, upstream]) one.on('error', () => {})
      socket.pipe(upstream).pipe(socket)
    }).listen(path)
    onTestFinished(async () => {
      await close(relay, sockets)
      rmSync(folder, { recursive: true })
    })
    for (const [url, options] of [
      [`ws+unix:${path}:/a`, {}],
      ['ws://localhost/b', { socketPath: path }],
    ] as const) {
      const socket = await connect(url, { ...options, ...HTTP2 })
      expect(await echoed(socket)).toBe('hello')
      await socket.close()
    }
    expect(sockets).toHaveLength(2)
    expect(requests.map((one) => [one[':authority'], one[':path']])).toEqual([
      ['localhost', '/a'],
      ['localhost', '/b'],
    ])
  })

  test('the class, and the one that connects again', async () => {
    const { url, sessions } = await http2Peer()
    for (const Class of [WebSocket, ReconnectingWebSocket]) {
      const socket = new Class(url, HTTP2)
      await once(socket, 'open')
      const message = once(socket, 'message')
      socket.send('hello')
      expect((await message)[0]).toMatchObject({ data: 'hello' })
      const closed = once(socket, 'close')
      socket.close()
      await closed
    }
    expect(sessions).toHaveLength(1)
  })
})

describe('what does not', () => {
  const answering = (answer: (stream: ServerHttp2Stream) => void) => http2Peer({ answer })

  test.each([300, 403, 404, 500])('[P9] status %d is a refusal with its headers and body', async (status) => {
    const { url, port, sessions } = await answering((stream) => {
      stream.respond({ ':status': status, 'x-why': ['a', 'b'], 'sec-websocket-version': '13, 8' })
      stream.end('because')
    })
    const failure = await handshakeFailure(connect(url, HTTP2))
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_STATUS',
      message: `handshake with 127.0.0.1:${port} failed: expected status 2xx; got ${status}`,
      status,
      headers: { 'x-why': ['a', 'b'] },
      supportedVersions: ['13', '8'],
    })
    expect(failure.headers).not.toHaveProperty([':status'])
    expect(String(failure.body)).toBe('because')
    expect((await handshakeFailure(connect(url, HTTP2))).status).toBe(status)
    expect(sessions).toHaveLength(1)
  })

  test('[C14] of a body without end, 64 KiB are kept, and the stream is reset', async () => {
    const streams: ServerHttp2Stream[] = []
    const { url } = await answering((stream) => {
      streams.push(stream)
      stream.respond({ ':status': 503 })
      const more = (error?: Error | null): void => void (error ?? stream.write(Buffer.alloc(16_384, 'x'), more))
      more()
    })
    const failure = await handshakeFailure(connect(url, HTTP2))
    expect([failure.status, failure.body?.length]).toEqual([503, 65_536])
    expect(await resetOf(streams[0])).toBe(8)
  })

  test('[C16] a body that does not come: the refusal, when the time is over', async () => {
    stopClock()
    const { url } = await answering((stream) => {
      stream.respond({ ':status': 401 })
      stream.write('who')
      stream.session?.ping(() => pass(10_000)) // the client has read that by now
    })
    const failure = await handshakeFailure(connect(url, HTTP2))
    expect([failure.code, failure.status, String(failure.body)]).toEqual(['HANDSHAKE_STATUS', 401, 'who'])
  })

  test.each([
    [{ 'sec-websocket-protocol': 'c' }, 'HANDSHAKE_SUBPROTOCOL', 'expected subprotocol: one of a; got "c"'],
    [{}, 'HANDSHAKE_SUBPROTOCOL', 'expected subprotocol: one of a; the server chose none'],
    [
      { 'sec-websocket-protocol': ['a', 'a'] },
      'HANDSHAKE_SUBPROTOCOL',
      'expected subprotocol: one of a; got "a" and "a"',
    ],
    [
      { 'sec-websocket-extensions': 'x-foo' },
      'HANDSHAKE_EXTENSION',
      'expected permessage-deflate and nothing else; got x-foo',
    ],
  ])('[P8] %j', async (headers, code, message) => {
    const reset = new Promise((resolve) => {
      void answering((stream) => {
        stream.respond({ ':status': 200, ...headers })
        stream.on('close', () => resolve(stream.rstCode))
      }).then(async ({ url, port }) => {
        const failure = await handshakeFailure(connect(url, { protocols: 'a', requireProtocol: true, ...HTTP2 }))
        expect(failure).toMatchObject({ code, status: 200 })
        expect(failure.message).toBe(`handshake with 127.0.0.1:${port} failed: ${message}`)
      })
    })
    expect(await reset).toBe(8)
  })

  test('a redirect is a refusal, or is followed on the same session', async () => {
    const { url, sessions, requests } = await http2Peer({
      answer: (stream, { ':path': path }) => {
        if (path === '/new') return void accept(stream)
        stream.respond({ ':status': 307, location: '/new' })
        if (path === '/endless') stream.write('a body that does not end')
        else stream.end()
      },
    })
    const failure = await handshakeFailure(connect(url, HTTP2))
    expect([failure.code, failure.status, failure.headers?.location]).toEqual(['HANDSHAKE_STATUS', 307, '/new'])
    const socket = await connect(`${url}/endless`, { followRedirects: true, ...HTTP2 })
    expect(await echoed(socket)).toBe('hello')
    await socket.close()
    expect([sessions.length, requests.map((one) => (one as { ':path'?: string })[':path'])]).toEqual([
      1,
      ['/', '/endless', '/new'],
    ])
  })

  test('what was meant for one origin is not told another, nor the first one again', async () => {
    const targets = new Map<string, string>()
    const answer = (stream: ServerHttp2Stream, { ':path': path = '' }: IncomingHttpHeaders): void => {
      const location = targets.get(path)
      if (location === undefined) accept(stream)
      else stream.respond({ ':status': 307, location }, { endStream: true })
    }
    const first = await http2Peer({ answer })
    const other = await http2Peer({ answer })
    targets.set('/', '/away').set('/away', `${other.url}/back`).set('/back', `${first.url}/end`)
    const told = ({ requests }: Http2Peer) =>
      requests.map((one) => [one.authorization, one.cookie, one['proxy-authorization'], one['x-other']])
    const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'Proxy-Authorization': 'y', 'X-Other': 'z' }
    const socket = await connect(first.url, { headers, followRedirects: true, ...HTTP2 })
    await socket.close()
    const all = ['Bearer x', 'a=b', 'y', 'z']
    const rest = [undefined, undefined, undefined, 'z']
    expect([told(first), told(other)]).toEqual([[all, all, rest], [rest]])
  })

  test('nobody there', async () => {
    const failure = await handshakeFailure(connect('ws://127.0.0.1:1', HTTP2))
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } })
    expect(failure.message).toContain('cannot connect to 127.0.0.1:1: the connection was refused')
  })

  test.each([true, false])('a name that is not known, with serialize %j', async (serialize) => {
    const lookup = (_: string, __: object, done: (error: Error) => void): void =>
      done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
    const failure = await handshakeFailure(connect('ws://name.test', { lookup: lookup as never, serialize, ...HTTP2 }))
    expect(failure.message).toBe('cannot connect to name.test:80: the host name is not known (DNS) (ENOTFOUND)')
  })
})

describe('signal', () => {
  test('aborts one stream with CANCEL, and nothing else on the session', async () => {
    const controller = new AbortController()
    const streams: ServerHttp2Stream[] = []
    const { url, sessions } = await http2Peer({
      answer: (stream, { ':path': path }) => {
        streams.push(stream)
        if (path === '/') accept(stream)
        else controller.abort()
      },
    })
    const other = await connect(url, HTTP2)
    const attempt = connect(`${url}/slow`, { signal: controller.signal, ...HTTP2 })
    await expect(attempt).rejects.toMatchObject({ name: 'AbortError' })
    expect(await resetOf(streams[1])).toBe(8)
    expect(await echoed(other)).toBe('hello')
    await other.close()
    expect(sessions).toHaveLength(1)
  })

  test('at whichever moment', async () => {
    const { url, sessions } = await http2Peer({
      answer: (stream, { ':path': path }) => {
        if (path !== '/silent') accept(stream)
      },
    })
    const other = await connect(url, HTTP2)
    for (let moment = 0; moment < 20; moment++) {
      const controller = new AbortController()
      const attempt = connect(`${url}/silent`, { signal: controller.signal, ...HTTP2 })
      const refused = expect(attempt).rejects.toMatchObject({ name: 'AbortError' })
      for (let passed = 0; passed < moment; passed++) await Promise.resolve()
      controller.abort()
      await refused
    }
    expect([sessions.length, await echoed(other)]).toEqual([1, 'hello'])
    await other.close()
  })

  test('before anything, while the session is opened, and when it is open', async () => {
    const reason = new Error('changed my mind')
    const { url, sockets, connections } = await http2Peer()
    await expect(connect(url, { signal: AbortSignal.abort(reason), ...HTTP2 })).rejects.toBe(reason)
    expect(sockets).toEqual([])
    const opening = new AbortController()
    const silent = await rawHttp2Peer(() => opening.abort(reason))
    await expect(connect(silent.url, { signal: opening.signal, ...HTTP2 })).rejects.toBe(reason)
    if (!silent.sockets[0]?.closed) await once(silent.sockets[0]?.resume() as never, 'close')
    const open = new AbortController()
    const socket = await connect(url, { signal: open.signal, ...HTTP2 })
    open.abort(reason)
    expect(await socket.closed).toMatchObject({ code: 1006, cause: { code: 'ABORTED', cause: reason } })
    expect(await connections[0]?.closed).toMatchObject({ code: 1006 })
  })

  test('[C16] each stage says that it took too long, and all share one time', async () => {
    stopClock()
    const lookup = (): void => setImmediate(() => pass(10_000)) as never
    const unknown = await handshakeFailure(connect('ws://name.test', { lookup, ...HTTP2 }))
    expect(unknown.message).toBe('no connection to name.test:80 within 10000 ms: the host name was not looked up')
    const mute = await rawHttp2Peer((socket) => void socket.once('data', () => pass(10_000)))
    const tls = await handshakeFailure(connect(mute.url.replace('ws', 'wss'), HTTP2))
    expect(tls.message).toBe(
      `no connection to 127.0.0.1:${mute.port} within 10000 ms: the TLS handshake is not complete`,
    )
    const { url, port, requests } = await http2Peer({
      answer: (stream) => {
        pass(4_000)
        stream.respond({ ':status': 307, location: `/${stream.id}` }, { endStream: true })
      },
    })
    const redirected = await handshakeFailure(connect(url, { followRedirects: true, ...HTTP2 }))
    expect(redirected.message).toBe(
      `no connection to 127.0.0.1:${port} within 10000 ms: the server has not answered the handshake`,
    )
    expect(requests).toHaveLength(3)
  })

  test('[C16] no answer: the time is over, and the stream is reset', async () => {
    stopClock()
    const streams: ServerHttp2Stream[] = []
    const { url, port } = await http2Peer({
      answer: (stream) => {
        streams.push(stream)
        pass(10_000)
      },
    })
    const failure = await handshakeFailure(connect(url, HTTP2))
    expect(failure.message).toBe(
      `no connection to 127.0.0.1:${port} within 10000 ms: the server has not answered the handshake`,
    )
    expect(await resetOf(streams[0])).toBe(8)
  })
})
