// A session of the caller's own: used, and never closed.

import { once } from 'node:events'
import http2 from 'node:http2'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/index.ts'
import { handshakeFailure } from '../support/failure.ts'
import { http2Peer, ownSession, rawHttp2Peer, settingsFrame } from '../support/http2-peer.ts'
import { rawServer } from '../support/raw-server.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

test('before it is connected, and when its SETTINGS have come long ago', async () => {
  const peer = await http2Peer()
  const session = await ownSession(peer)
  for (let round = 0; round < 2; round++) {
    const opened = await Promise.all(Array.from({ length: 20 }, () => connect(peer.url, { http2: session })))
    await Promise.all(opened.map((socket) => socket.close(1000)))
  }
  expect([session.closed, session.listenerCount('error')]).toEqual([false, 1])
  const socket = await connect(peer.url, { http2: session })
  socket.terminate()
  await socket.closed
  expect(session.closed).toBe(false)
  const other = session.request({ ':path': '/', ':method': 'GET' })
  expect((await once(other, 'response'))[0]).toMatchObject({ ':status': 200 })
  other.close()
  expect(peer.sessions).toHaveLength(1)
})

test('[P3] one that offers nothing, whether its SETTINGS come or have come', async () => {
  const peer = await http2Peer({ settings: { enableConnectProtocol: false } })
  const session = await ownSession(peer)
  const message = `127.0.0.1:${peer.port} offers no WebSocket over HTTP/2: its SETTINGS have no SETTINGS_ENABLE_CONNECT_PROTOCOL`
  const refused = { code: 'HANDSHAKE_HTTP2', message }
  expect(await handshakeFailure(connect(peer.url, { http2: session }))).toMatchObject(refused)
  expect(await handshakeFailure(connect(peer.url, { http2: session }))).toMatchObject(refused)
  const heard = await ownSession(peer)
  await once(heard, 'remoteSettings')
  expect(await handshakeFailure(connect(peer.url, { http2: heard }))).toMatchObject(refused)
  expect([peer.requests, heard.closed]).toEqual([[], false])
})

test('[P3] connected, but not heard yet', async () => {
  const peer = await rawHttp2Peer((socket) => void connected.then(() => socket.write(settingsFrame(0))))
  const session = await ownSession(peer)
  const connected = once(session, 'connect')
  await connected
  const failure = await handshakeFailure(connect(peer.url, { http2: session }))
  expect(failure.code).toBe('HANDSHAKE_HTTP2')
})

test('one that is closed, or ends meanwhile: an error, and no more', async () => {
  const peer = await http2Peer({ answer: (stream) => stream.session?.destroy() })
  const session = await ownSession(peer)
  const failure = await handshakeFailure(connect(peer.url, { http2: session }))
  expect(failure).toMatchObject({
    code: 'CONNECT_FAILED',
    message: `no answer from 127.0.0.1:${peer.port}: the server closed the connection before it answered the handshake`,
  })
  if (!session.destroyed) await once(session, 'close')
  const unheard = await ownSession(peer)
  unheard.destroy()
  const closing = await ownSession(peer)
  await once(closing, 'remoteSettings')
  closing.close()
  for (const ended of [session, unheard, closing]) {
    expect(await handshakeFailure(connect(peer.url, { http2: ended }))).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `no answer from 127.0.0.1:${peer.port}: the session given as option http2 has ended`,
    })
  }
})

test('one that its owner closes before the request could be sent', async () => {
  const peer = await http2Peer()
  const session = await ownSession(peer)
  const open = await connect(peer.url, { http2: session }) // so that the session closes when this has
  const attempt = handshakeFailure(connect(peer.url, { http2: session }))
  session.close()
  expect(await attempt).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ERR_HTTP2_GOAWAY_SESSION' } })
  expect((await open.close(1000)).wasClean).toBe(true)
})

test('its errors end no process, and reach the attempt', async () => {
  const silent = await rawHttp2Peer((socket) => void socket.resetAndDestroy())
  const session = await ownSession(silent)
  const failure = await handshakeFailure(connect(silent.url, { http2: session }))
  expect(failure).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ECONNRESET' } })
})

test('a signal leaves it alone', async () => {
  const controller = new AbortController()
  const silent = await rawHttp2Peer(
    () => {},
    () => controller.abort(),
  )
  const session = await ownSession(silent)
  const attempt = connect(silent.url, { http2: session, signal: controller.signal })
  await expect(attempt).rejects.toMatchObject({ name: 'AbortError' })
  expect(session.destroyed).toBe(false)
})

test('wss: only over TLS', async () => {
  const plain = await http2Peer()
  const session = await ownSession(plain)
  const failure = await handshakeFailure(connect('wss://localhost/', { http2: session }))
  expect([failure.code, failure.message]).toEqual([
    'HANDSHAKE_HTTP2',
    'no request to localhost:443: a wss: URL asks for TLS, and the session given as option http2 has none',
  ])
  const secure = await http2Peer({ tls: certificates.server })
  const own = http2.connect(secure.url.replace('wss', 'https'), { ca: certificates.ca })
  const socket = await connect(secure.url, { http2: own })
  expect(secure.requests[0]).toMatchObject({ ':scheme': 'https' })
  await socket.close()
  own.destroy()
})

test('a redirect stays on it, or is refused', async () => {
  const elsewhere = await rawServer(() => {})
  const peer = await http2Peer({
    answer: (stream, { ':path': path }) =>
      stream.respond({ ':status': 307, location: path === '/' ? '/again' : elsewhere.url }, { endStream: true }),
  })
  const session = await ownSession(peer)
  const failure = await handshakeFailure(connect(peer.url, { http2: session, followRedirects: true }))
  expect([failure.code, failure.message.includes('it leads away from the session (option http2)')]).toEqual([
    'HANDSHAKE_REDIRECT',
    true,
  ])
  expect([peer.requests.length, elsewhere.requests]).toEqual([2, []])
})
