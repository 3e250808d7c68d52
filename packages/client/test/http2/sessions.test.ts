// The sessions that connections share: who shares one, how many streams it takes, and its end.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { CLOSE_TIME, IDLE_TIME } from '../../src/http2/pooled-session.ts'
import { connect, type WebSocketConnection } from '../../src/index.ts'
import { pass, stopClock } from '../support/clock.ts'
import { handshakeFailure } from '../support/failure.ts'
import {
  accept,
  codes,
  FRAME,
  headersFrame,
  http2Frame,
  http2Peer,
  rawHttp2Peer,
  settingsFrame,
} from '../support/http2-peer.ts'
import { tunnellingProxy } from '../support/proxy.ts'
import { task } from '../support/script.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

const HTTP2 = { http2: true } as const
const TIMEOUT = 1000
const many = (count: number, url: string, options = {}) =>
  Promise.all(Array.from({ length: count }, () => connect(url, { ...HTTP2, ...options })))
const closeAll = (sockets: readonly WebSocketConnection[]) => Promise.all(sockets.map((socket) => socket.close(1000)))

describe('shared', () => {
  test.each([true, false])('a hundred connections at once, with serialize %j: one session', async (serialize) => {
    const { url, sessions, sockets } = await http2Peer()
    const opened = await many(100, url, { serialize })
    for (const [index, socket] of opened.entries()) socket.send(String(index))
    const echoes = opened.map(async (socket) => {
      for await (const message of socket) return message
      return undefined
    })
    expect(await Promise.all(echoes)).toEqual(opened.map((_, index) => String(index)))
    expect((await closeAll(opened)).every(({ wasClean }) => wasClean)).toBe(true)
    expect([sessions.length, sockets.length]).toEqual([1, 1])
  })

  test('by those who are the same to the same server, and by nobody else', async () => {
    const { url, port, sessions } = await http2Peer({ tls: certificates.server })
    const { ca } = certificates
    const checkServerIdentity = (): undefined => undefined
    const ways: [options: object, url: string, count: number][] = [
      [{ ca }, url, 1],
      [{ ca: Buffer.from(ca), protocols: 'a', headers: { A: '1' } }, `${url}/other`, 2], // bytes are not text
      [{ ca: Buffer.from(ca) }, url, 2],
      [{ ca: [ca] }, url, 3],
      [{ ca, ...certificates.client }, url, 4],
      [{ ca, checkServerIdentity }, url, 5],
      [{ ca, checkServerIdentity }, url, 5],
      [{ ca, checkServerIdentity: () => undefined }, url, 6],
      [{ ca }, `wss://127.0.0.1:${port}`, 7],
      [{ rejectUnauthorized: false }, url, 8],
      [{ ca, http2: 'auto' }, url, 8],
    ]
    for (const [options, address, count] of ways) {
      const socket = await connect(address, { ...HTTP2, ...options })
      await socket.close()
      expect(sessions).toHaveLength(count)
    }
    expect((await handshakeFailure(connect(url, HTTP2))).code).toBe('TLS_FAILED')
  })

  test('a proxy and its credentials count; the tunnel carries the session', async () => {
    const { url, sessions } = await http2Peer({ tls: certificates.server })
    const { ca } = certificates
    const proxy = await tunnellingProxy()
    for (const [credentials, count] of [
      ['', 1],
      ['', 1],
      ['a:b@', 2],
    ] as const) {
      const socket = await connect(url, { ca, proxy: `http://${credentials}${proxy.address}`, ...HTTP2 })
      socket.send('hello')
      for await (const message of socket) {
        expect(message).toBe('hello')
        break
      }
      await socket.close()
      expect([sessions.length, proxy.asked.length]).toEqual([count, count])
    }
  })

  test('TLS with the proxy counts by what is said of it', async () => {
    const { url, sessions } = await http2Peer({ tls: certificates.server })
    const { ca } = certificates
    const { port } = await tunnellingProxy(certificates.server)
    const secureContext = createSecureContext({ ca })
    const checkServerIdentity = (): undefined => undefined
    const ways: [proxyTls: object, count: number][] = [
      [{ ca }, 1],
      [{ ca: String(ca) }, 1],
      [{ ca, rejectUnauthorized: false }, 2],
      [{ ca, checkServerIdentity }, 3],
      [{ ca, ...certificates.client }, 4],
      [{ ca, ...certificates.client }, 4],
      [{ secureContext }, 5],
      [{ secureContext }, 5],
      [{ secureContext: createSecureContext({ ca }) }, 6],
    ]
    for (const [proxyTls, count] of ways) {
      const socket = await connect(url, { ca, proxy: `https://localhost:${port}`, proxyTls, ...HTTP2 })
      await socket.close()
      expect(sessions).toHaveLength(count)
    }
  })

  test('those who wait for a session are not disturbed by the one who began and left', async () => {
    const { url, sessions } = await http2Peer()
    const controller = new AbortController()
    const first = connect(url, { signal: controller.signal, serialize: false, ...HTTP2 })
    const second = connect(url, { serialize: false, ...HTTP2 })
    controller.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await (await second).close()
    expect(sessions).toHaveLength(1)
  })

  test('nobody is given what the last one who waited has called off', async () => {
    const { url, sessions } = await http2Peer()
    const controller = new AbortController()
    const first = connect(url, { signal: controller.signal, serialize: false, ...HTTP2 })
    controller.abort()
    const second = connect(url, { serialize: false, ...HTTP2 })
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await (await second).close()
    expect(sessions.length).toBeGreaterThan(0)
  })

  test.each([
    ['timeout', true],
    ['timeout', false],
    ['signal', true],
    ['signal', false],
  ])('who tries again at once gets a session of its own (%s, serialize %j)', async (how, serialize) => {
    stopClock()
    const controller = new AbortController()
    const end = (): void => (how === 'signal' ? controller.abort() : pass(TIMEOUT))
    const peer = await rawHttp2Peer(
      (socket) => void (peer.sockets.length > 1 && socket.write(settingsFrame())),
      ({ type, stream }, socket) => {
        if (type === FRAME.settings && peer.sockets.length === 1) end()
        if (type === FRAME.headers) socket.write(headersFrame(stream, [[':status', '200']]))
      },
    )
    const options = { serialize, handshakeTimeout: TIMEOUT, ...HTTP2 }
    let code: unknown
    const socket = await connect(peer.url, { ...options, signal: controller.signal }).catch((error) => {
      code = error.code
      return connect(peer.url, options)
    })
    expect([code, peer.sockets.length]).toEqual([how === 'signal' ? DOMException.ABORT_ERR : 'HANDSHAKE_TIMEOUT', 2])
    socket.terminate()
    await socket.closed
  })

  test('those who wait share a failure', async () => {
    const { url } = await http2Peer({ tls: certificates.server })
    const options = { serialize: false, ...HTTP2 }
    const failures = await Promise.all([1, 2, 3].map(() => handshakeFailure(connect(url, options))))
    expect(failures.map(({ code }) => code)).toEqual(['TLS_FAILED', 'TLS_FAILED', 'TLS_FAILED'])
    expect(new Set(failures).size).toBe(1)
  })
})

describe('as many streams as the server allows', () => {
  test('past that another session is opened, and a place that is free is taken', async () => {
    const streams: ServerHttp2Stream[] = []
    const { url, sessions } = await http2Peer({
      settings: { maxConcurrentStreams: 2 },
      answer: (stream) => {
        streams.push(stream)
        accept(stream)
      },
    })
    const opened = await many(5, url)
    expect(sessions).toHaveLength(3)
    const gone = Promise.race(streams.map((stream) => once(stream, 'close')))
    await opened[0]?.close()
    await gone
    await task()
    const again = await many(2, url)
    expect(sessions).toHaveLength(3)
    await closeAll([...opened, ...again])
  })

  test('none: a clear error', async () => {
    const { url, port, sessions } = await http2Peer({ settings: { maxConcurrentStreams: 0 } })
    expect(await handshakeFailure(connect(url, HTTP2))).toMatchObject({
      code: 'HANDSHAKE_HTTP2',
      message: `127.0.0.1:${port} offers no WebSocket over HTTP/2: it allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS)`,
    })
    expect(sessions).toHaveLength(1)
  })

  test('a stream that the server has not looked at is asked for once more, elsewhere', async () => {
    const { url, sessions } = await http2Peer({
      answer: (stream) => {
        if (sessions.length < 2) stream.close(7)
        else accept(stream)
      },
    })
    const socket = await connect(url, HTTP2)
    await socket.close()
    expect(sessions).toHaveLength(2)
  })

  test('and so is one that was too much for a session that has others', async () => {
    const { url, sessions, connections } = await http2Peer({
      answer: (stream) => {
        if (sessions.length === 1 && connections.length === 1) stream.close(11)
        else connections.push(accept(stream))
      },
    })
    const opened = [await connect(url, HTTP2), await connect(url, HTTP2)]
    expect(sessions).toHaveLength(2)
    await closeAll(opened)
  })

  test('twice: an error that says so', async () => {
    const { url, port, sessions } = await http2Peer({ answer: (stream) => stream.close(7) })
    expect(await handshakeFailure(connect(url, HTTP2))).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `no answer from 127.0.0.1:${port}: the server reset the stream (REFUSED_STREAM)`,
      cause: { code: 'ERR_HTTP2_STREAM_ERROR' },
    })
    expect(sessions).toHaveLength(2)
  })

  test('a session on which somebody had no answer in time is left to those that it has', async () => {
    const { url, sessions } = await http2Peer({
      answer: (stream, { ':path': path }) => {
        if (path !== '/silent') accept(stream)
      },
    })
    const socket = await connect(url, HTTP2)
    const failure = await handshakeFailure(connect(`${url}/silent`, { handshakeTimeout: 20, ...HTTP2 }))
    expect(failure.code).toBe('HANDSHAKE_TIMEOUT')
    const other = await connect(url, HTTP2)
    expect([sessions.length, socket.readyState]).toEqual([2, 1])
    await closeAll([socket, other])
  })
})

describe('the end of a session closes each connection once, with its cause', () => {
  /** What a hundred connections and their handlers are told. */
  async function told(end: (session: ServerHttp2Session, socket: Socket) => void) {
    const peer = await http2Peer()
    let closes = 0
    const close = (): void => void closes++
    const opened = await Promise.all(Array.from({ length: 100 }, () => connect(peer.url, HTTP2, { close })))
    end(peer.sessions[0] as ServerHttp2Session, peer.sockets[0] as Socket)
    const infos = await Promise.all(opened.map((socket) => socket.closed))
    expect(closes).toBe(100)
    expect(new Set(infos.map(({ code, wasClean, initiator }) => `${code} ${wasClean} ${initiator}`))).toEqual(
      new Set(['1006 false transport']),
    )
    expect(infos.every(({ cause }) => cause?.code === 'CONNECTION_LOST')).toBe(true)
    const again = await connect(peer.url, HTTP2)
    expect(peer.sessions).toHaveLength(2)
    await again.close()
    return infos.map(({ cause }) => cause?.cause)
  }

  test('the socket is reset', async () => {
    const causes = await told((_, socket) => void socket.resetAndDestroy())
    expect(causes.every((cause) => (cause as { code?: string }).code === 'ECONNRESET')).toBe(true)
  })

  test('the socket ends', async () => {
    const causes = await told((_, socket) => void socket.destroy())
    expect(causes.every((cause) => cause instanceof Error)).toBe(true)
  })

  test('GOAWAY with an error', async () => {
    const causes = await told((session) => session.goaway(11))
    expect(causes.every((cause) => (cause as { code?: string }).code === 'ERR_HTTP2_SESSION_ERROR')).toBe(true)
  })

  test('the session is destroyed', async () => {
    await told((session) => session.destroy())
  })

  test('GOAWAY without an error ends nothing: connections go on, new ones go elsewhere', async () => {
    const { url, sessions } = await http2Peer()
    const socket = await connect(url, HTTP2)
    sessions[0]?.close()
    while (sessions.length < 2) await (await connect(url, HTTP2)).close()
    socket.send('still here')
    for await (const message of socket) {
      expect(message).toBe('still here')
      break
    }
    expect((await socket.close(1000)).wasClean).toBe(true)
    if (sessions[0]?.destroyed === false) await once(sessions[0], 'close')
  })
})

/** The next socket that is dialled. */
function nextSocket(): Promise<Socket> {
  return new Promise((resolve) => {
    const heard = (message: unknown): void => resolve((message as { socket: Socket }).socket)
    subscribe('net.client.socket', heard)
    onTestFinished(() => void unsubscribe('net.client.socket', heard))
  })
}

/** Waits until nothing leaves any more. */
async function stalled(socket: WebSocketConnection): Promise<void> {
  for (let before = -1; before !== socket.bufferedAmount; ) {
    before = socket.bufferedAmount
    for (let turn = 0; turn < 100; turn++) await task()
  }
}

describe('a session without streams', () => {
  test('is kept for a while, then closed', async () => {
    stopClock()
    const { url, sessions } = await http2Peer()
    const use = async (): Promise<void> => {
      const socket = await connect(url, HTTP2)
      await socket.close(1000)
    }
    await use()
    pass(IDLE_TIME - 1)
    await use()
    await task()
    pass(IDLE_TIME - 1)
    expect([sessions.length, sessions[0]?.closed]).toEqual([1, false])
    pass(1)
    if (sessions[0]?.destroyed === false) await once(sessions[0], 'close')
    await use()
    expect(sessions).toHaveLength(2)
  })

  test('its socket is closed though the server neither reads nor hangs up', async () => {
    stopClock()
    const room = codes(2 ** 30)
    const { url } = await rawHttp2Peer(
      (socket) => void socket.write(settingsFrame()),
      ({ type, stream }, socket) => {
        if (type !== FRAME.headers) return
        const windows = [0, stream].map((id) => http2Frame(FRAME.windowUpdate, 0, id, room))
        socket.pause().write(Buffer.concat([...windows, headersFrame(stream, [[':status', '200']])]))
      },
    )
    const dialled = nextSocket()
    const socket = await connect(url, HTTP2)
    const own = await dialled
    socket.send(new Uint8Array(15 * 1024 * 1024)) // more than two kernel buffers hold
    await stalled(socket)
    socket.terminate()
    await socket.closed
    await task()
    pass(IDLE_TIME)
    await task()
    pass(CLOSE_TIME)
    if (!own.closed) await once(own, 'close')
  })

  test('one that offers nothing answers for that while, too', async () => {
    stopClock()
    const { url, sessions } = await http2Peer({ settings: { enableConnectProtocol: false } })
    for (let attempt = 0; attempt < 3; attempt++) {
      expect((await handshakeFailure(connect(url, HTTP2))).code).toBe('HANDSHAKE_HTTP2')
    }
    expect(sessions).toHaveLength(1)
    pass(IDLE_TIME)
    if (sessions[0]?.destroyed === false) await once(sessions[0], 'close')
  })
})
