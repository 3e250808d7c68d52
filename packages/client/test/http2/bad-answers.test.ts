// What a server may do to a stream in place of answering: each attempt rejects once, and the session serves others where it can.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { IDLE_TIME } from '../../src/http2/pooled-session.ts'
import { connect } from '../../src/index.ts'
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
import { task } from '../support/script.ts'

const HTTP2 = { http2: true } as const

/** The failure of a handshake that a server answers with these bytes, and what the server got then. */
async function answered(answer: (stream: number) => Uint8Array) {
  const got: number[] = []
  const peer = await rawHttp2Peer(
    (socket) => void socket.write(settingsFrame()),
    ({ type, stream }, socket: Socket) => {
      got.push(type)
      if (type === FRAME.headers) socket.write(answer(stream))
    },
  )
  const failure = await handshakeFailure(connect(peer.url, HTTP2))
  return { failure, words: failure.message.replace(/\S+:\d+/, 'host'), got, peer }
}

describe('an answer that is no HTTP/2', () => {
  test.each<[string, (stream: number) => Uint8Array]>([
    ['no status', (stream) => headersFrame(stream, [['server', 'x']])],
    ['a status that is none', (stream) => headersFrame(stream, [[':status', 'abc']])],
    ['[C1] 101, which HTTP/2 has not', (stream) => headersFrame(stream, [[':status', '101']])],
    [
      'a name in upper case',
      (stream) =>
        headersFrame(stream, [
          [':status', '200'],
          ['Server', 'x'],
        ]),
    ],
    [
      '[P7] a header of the connection',
      (stream) =>
        headersFrame(stream, [
          [':status', '200'],
          ['connection', 'upgrade'],
        ]),
    ],
  ])('%s', async (_, answer) => {
    const { failure, words } = await answered(answer)
    expect([failure.code, words]).toEqual([
      'HANDSHAKE_MALFORMED',
      'the answer of host is not valid HTTP/2, or it found our request so (PROTOCOL_ERROR)',
    ])
  })

  test('the offer is taken back: HTTP/2 forbids it, and the session fails', async () => {
    const { failure, words } = await answered(() => settingsFrame(0))
    expect([failure.code, words]).toEqual(['HANDSHAKE_MALFORMED', 'the answer of host is not valid HTTP/2'])
  })

  // Node 20 gives the session up and says so to the server alone; later ones say so here too.
  describe('header compression that cannot be undone', () => {
    const TIMEOUT = 1000

    /** A stopped clock, and an attempt that such a session has left without an answer. */
    async function givenUp(signal?: AbortSignal) {
      stopClock()
      let told = (): void => {}
      const goaway = new Promise<void>((resolve) => {
        told = resolve
      })
      const peer = await rawHttp2Peer(
        (socket) => void socket.write(settingsFrame()),
        ({ type, stream }, socket) => {
          if (type === FRAME.headers) socket.write(http2Frame(FRAME.headers, 4, stream, Buffer.alloc(6, 0xff)))
          if (type === FRAME.goaway) told()
        },
      )
      const attempt = connect(peer.url, { signal, handshakeTimeout: TIMEOUT, ...HTTP2 })
      attempt.catch(() => {})
      await goaway
      return { attempt, closed: once(peer.sockets[0] as Socket, 'close') }
    }

    test('the attempt ends in time, and the session with it', async () => {
      const { attempt, closed } = await givenUp()
      pass(TIMEOUT)
      const { code } = await handshakeFailure(attempt)
      expect(['HANDSHAKE_TIMEOUT', 'HANDSHAKE_MALFORMED']).toContain(code)
      await closed
    })

    test('a place that is called off is free: the session ends as one without a stream', async () => {
      const controller = new AbortController()
      const { attempt, closed } = await givenUp(controller.signal)
      controller.abort()
      await expect(attempt).rejects.toBeInstanceOf(Error)
      await task()
      pass(IDLE_TIME)
      await closed
    })
  })

  test('interim answers are passed over', async () => {
    const peer = await rawHttp2Peer(
      (socket) => void socket.write(settingsFrame()),
      ({ type, stream }, socket) => {
        if (type !== FRAME.headers) return
        for (const status of ['100', '103', '200']) socket.write(headersFrame(stream, [[':status', status]]))
      },
    )
    const socket = await connect(peer.url, HTTP2)
    socket.terminate()
    await socket.closed
  })
})

describe('a stream that is reset, or a session that ends', () => {
  test.each([
    [0, 'NO_ERROR', 'CONNECT_FAILED'],
    [2, 'INTERNAL_ERROR', 'CONNECT_FAILED'],
    [8, 'CANCEL', 'CONNECT_FAILED'],
    [11, 'ENHANCE_YOUR_CALM', 'CONNECT_FAILED'],
    [0x1234, '4660', 'CONNECT_FAILED'],
  ])('RST_STREAM %i', async (code, name, expected) => {
    const { failure, words } = await answered((stream) => http2Frame(FRAME.reset, 0, stream, codes(code)))
    expect([failure.code, words]).toEqual([expected, `no answer from host: the server reset the stream (${name})`])
  })

  test('one stream of many: the others open', async () => {
    const { url, sessions } = await http2Peer({
      answer: (stream, { ':path': path }) => (path === '/bad' ? stream.close(2) : accept(stream)),
    })
    const attempts = ['/', '/bad', '/'].map((path) => connect(url + path, HTTP2))
    const [first, bad, third] = await Promise.allSettled(attempts)
    expect([first?.status, bad?.status, third?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(sessions).toHaveLength(1)
    for (const attempt of [first, third]) if (attempt?.status === 'fulfilled') await attempt.value.close()
  })

  test('GOAWAY that leaves the stream out: asked once more on another session', async () => {
    let goodbyes = 0
    const peer = await rawHttp2Peer(
      (socket) => void socket.write(settingsFrame()),
      ({ type, stream }, socket) => {
        if (type !== FRAME.headers) return
        if (goodbyes++ === 0) socket.write(http2Frame(FRAME.goaway, 0, 0, codes(0, 0)))
        else socket.write(headersFrame(stream, [[':status', '200']]))
      },
    )
    const socket = await connect(peer.url, HTTP2)
    expect(peer.sockets).toHaveLength(2)
    socket.terminate()
    await socket.closed
  })

  test('GOAWAY that counts the stream in: its answer is waited for', async () => {
    const peer = await rawHttp2Peer(
      (socket) => void socket.write(settingsFrame()),
      ({ type, stream }, socket) => {
        if (type !== FRAME.headers) return
        socket.write(http2Frame(FRAME.goaway, 0, 0, codes(stream, 0)))
        socket.write(headersFrame(stream, [[':status', '200']]))
      },
    )
    const socket = await connect(peer.url, HTTP2)
    socket.terminate()
    await socket.closed
  })

  test('GOAWAY with an error', async () => {
    const { failure, words } = await answered((stream) => http2Frame(FRAME.goaway, 0, 0, codes(stream, 11)))
    expect([failure.code, words]).toEqual([
      'CONNECT_FAILED',
      'no answer from host: Session closed with error code 11 (ERR_HTTP2_SESSION_ERROR)',
    ])
  })

  test.each(['end', 'resetAndDestroy'] as const)('the socket: %s', async (how) => {
    const peer = await rawHttp2Peer(
      (socket) => void socket.write(settingsFrame()),
      ({ type }, socket) => void (type === FRAME.headers && socket[how]()),
    )
    const attempts = [1, 2, 3].map(() => handshakeFailure(connect(peer.url, { serialize: false, ...HTTP2 })))
    for (const failure of await Promise.all(attempts)) {
      expect(failure.code).toBe('CONNECT_FAILED')
      expect(failure.message).toContain('the server closed the connection before it answered the handshake')
    }
  })
})
