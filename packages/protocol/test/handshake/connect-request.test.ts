import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { type ConnectTarget, checkConnectResponse, createConnectRequest } from '../../src/handshake/connect-request.ts'
import type { UpgradeRequestOptions } from '../../src/handshake/request.ts'

const TARGET: ConnectTarget = { scheme: 'https', authority: 'example.com:8443', path: '/chat?room=1' }
const request = (options?: UpgradeRequestOptions) => createConnectRequest(TARGET, options)

describe('createConnectRequest', () => {
  test('the request of RFC 8441 §5.1: pseudo-headers, and neither key nor upgrade [P4, P7, P8]', () => {
    expect(request()).toEqual({
      headers: [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        [':scheme', 'https'],
        [':authority', 'example.com:8443'],
        [':path', '/chat?room=1'],
        ['sec-websocket-version', '13'],
      ],
      protocols: [],
    })
  })

  test('what is offered and added, in lower case [P8]', () => {
    const sent = request({
      protocols: ['chat', 'superchat'],
      origin: 'http://www.example.com',
      headers: [['X-Trace', 'a']],
      deflate: { clientMaxWindowBits: 10 },
    })
    expect(sent.headers.slice(5)).toEqual([
      ['sec-websocket-version', '13'],
      ['sec-websocket-protocol', 'chat, superchat'],
      ['sec-websocket-extensions', 'permessage-deflate; client_max_window_bits=10'],
      ['origin', 'http://www.example.com'],
      ['x-trace', 'a'],
    ])
    expect([sent.protocols, sent.deflate]).toEqual([['chat', 'superchat'], { clientMaxWindowBits: 10 }])
  })

  test('Host becomes the authority [P7]', () => {
    const { headers } = request({ headers: [['Host', 'other.example']] })
    expect(headers.slice(3)).toEqual([
      [':authority', 'other.example'],
      [':path', '/chat?room=1'],
      ['sec-websocket-version', '13'],
    ])
  })

  test('a name that comes more than once has one line, a cookie with its own separator [P8]', () => {
    const { headers } = request({
      headers: [
        ['Cookie', 'a=1'],
        ['X-List', ' \t1'],
        ['cookie', 'b=2'],
        ['x-list', '2 '],
        ['__proto__', ''],
      ],
    })
    expect(headers.slice(6)).toEqual([
      ['cookie', 'a=1; b=2'],
      ['x-list', '1, 2'],
      ['__proto__', ''],
    ])
  })

  test.each([
    ['Keep-Alive', 'header keep-alive has no place in HTTP/2 (RFC 9113 §8.2.2)'],
    ['TE', 'header te has no place in HTTP/2 (RFC 9113 §8.2.2)'],
    ['Proxy-Connection', 'header proxy-connection has no place in HTTP/2 (RFC 9113 §8.2.2)'],
    ['HTTP2-Settings', 'header http2-settings has no place in HTTP/2 (RFC 9113 §8.2.2)'],
    ['Connection', 'header Connection is written by the handshake itself and cannot be given'],
    ['Sec-WebSocket-Key', 'header Sec-WebSocket-Key is written by the handshake itself and cannot be given'],
    [':path', 'header name must be a token (RFC 9110 §5.6.2); got ":path"'],
  ])('refuses %s [P7]', (name, message) => {
    expect(() => request({ headers: [[name, 'x']] })).toThrow(new UsageError(message))
  })
})

describe('checkConnectResponse', () => {
  const sent = request({ protocols: ['chat', 'echo'], deflate: {} })
  const judge = (status: number, ...rawHeaders: string[]) => checkConnectResponse({ status, rawHeaders }, sent)

  test('any 2xx opens, without an accept value [P9, P15]', () => {
    for (const status of [200, 204, 299])
      expect(judge(status)).toEqual({ established: true, protocol: '', extensions: '' })
  })

  test('what was chosen of the offer; headers of HTTP/1.1 mean nothing [P7, P8]', () => {
    expect(
      judge(
        200,
        ...['sec-websocket-protocol', 'echo'],
        ...['sec-websocket-extensions', 'permessage-deflate'],
        ...['sec-websocket-accept', 'wrong'],
      ),
    ).toMatchObject({ established: true, protocol: 'echo', extensions: 'permessage-deflate', deflate: {} })
  })

  test.each([101, 199, 300, 403, 404, 500])('%d refuses [P9]', (status) => {
    const body = new Uint8Array([1])
    const verdict = checkConnectResponse({ status, rawHeaders: ['server', 'a', 'server', 'b'], body }, sent)
    expect(verdict).toEqual({ established: false, error: expect.any(Error) })
    expect(verdict).toMatchObject({
      error: { code: 'HANDSHAKE_STATUS', status, headers: { server: ['a', 'b'] }, body },
    })
    expect(verdict.established || verdict.error.message).toBe(`expected status 2xx; got ${status}`)
  })

  test.each([
    ['sec-websocket-protocol', 'soap', 'HANDSHAKE_SUBPROTOCOL', 'expected subprotocol: one of chat, echo; got "soap"'],
    [
      'sec-websocket-extensions',
      'x-foo',
      'HANDSHAKE_EXTENSION',
      'expected permessage-deflate and nothing else; got x-foo',
    ],
  ])('%s: %s fails as over HTTP/1.1 [P8]', (name, value, code, message) => {
    const verdict = judge(200, name, value)
    expect(verdict.established || [verdict.error.code, verdict.error.message]).toEqual([code, message])
  })
})
