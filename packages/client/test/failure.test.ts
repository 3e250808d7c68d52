import { describe, expect, test } from 'vitest'
import { connectFailure, located, timeoutFailure } from '../src/failure.ts'
import { HandshakeError } from '../src/index.ts'

const plain = { address: 'h:80', securing: false }
const securing = { address: 'h:443', securing: true }
const coded = (code: string, message = 'words of Node') => Object.assign(new Error(message), { code })

describe('connectFailure', () => {
  test.each([
    [
      'ECONNREFUSED',
      'CONNECT_FAILED',
      'cannot connect to h:80: the connection was refused; is the server running, and on this port? (ECONNREFUSED)',
    ],
    ['ENOTFOUND', 'CONNECT_FAILED', 'cannot connect to h:80: the host name is not known (DNS) (ENOTFOUND)'],
    [
      'EAI_AGAIN',
      'CONNECT_FAILED',
      'cannot connect to h:80: the host name could not be looked up now (DNS); try again later (EAI_AGAIN)',
    ],
    [
      'ECONNRESET',
      'CONNECT_FAILED',
      'no answer from h:80: the server closed the connection before it answered the handshake (ECONNRESET)',
    ],
    [
      'EPIPE',
      'CONNECT_FAILED',
      'no answer from h:80: the server closed the connection before it answered the handshake (EPIPE)',
    ],
    ['EWHATEVER', 'CONNECT_FAILED', 'no answer from h:80: words of Node (EWHATEVER)'],
    [
      'HPE_INVALID_TOKEN',
      'HANDSHAKE_MALFORMED',
      'the answer of h:80 is not valid HTTP: words of Node (HPE_INVALID_TOKEN)',
    ],
    ['ERR_SSL_ANYTHING', 'TLS_FAILED', 'TLS with h:80 failed: words of Node (ERR_SSL_ANYTHING)'],
    ['EPROTO', 'TLS_FAILED', 'TLS with h:80 failed: words of Node (EPROTO)'],
  ])('%s', (code, expected, message) => {
    const cause = coded(code)
    const failure = connectFailure(cause, plain)
    expect([failure.code, failure.message, failure.cause]).toEqual([expected, message, cause])
  })

  test.each([
    ['0:wrong version number:../s3_record.c:355:', 'EPROTO'],
    ['error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER', 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ])('a port without TLS, in the words of %s', (message, code) => {
    expect(connectFailure(coded(code, message), securing)).toMatchObject({
      code: 'TLS_FAILED',
      message: `TLS with h:443 failed: the server does not speak TLS on this port; is it a ws: URL? (${code})`,
    })
  })

  test.each([
    [
      'CERT_HAS_EXPIRED',
      "TLS with h:443 failed: the server's certificate has expired; the server needs a new one (or is this clock wrong?) (CERT_HAS_EXPIRED)",
    ],
    [
      'CERT_NOT_YET_VALID',
      "TLS with h:443 failed: the server's certificate is not valid yet; is the clock of this machine right? (CERT_NOT_YET_VALID)",
    ],
    ['CERT_REVOKED', 'TLS with h:443 failed: words of Node (CERT_REVOKED)'],
    ['ECONNRESET', 'TLS with h:443 failed: the server closed the connection during the TLS handshake (ECONNRESET)'],
  ])('during TLS: %s', (code, message) => {
    expect(connectFailure(coded(code), securing)).toMatchObject({ code: 'TLS_FAILED', message })
  })

  test('a connection that was refused is no failure of TLS', () => {
    expect(connectFailure(coded('ECONNREFUSED'), securing).code).toBe('CONNECT_FAILED')
  })

  test('several addresses', () => {
    const errors = [coded('ENETUNREACH'), coded('ECONNREFUSED')]
    expect(connectFailure(Object.assign(new AggregateError(errors), { code: 'ENETUNREACH' }), plain).message).toContain(
      'the connection was refused',
    )
    const unreachable = Object.assign(new AggregateError([errors[0]]), { code: 'ENETUNREACH' })
    expect(connectFailure(unreachable, plain).message).toBe(
      'cannot connect to h:80: there is no route to its network (ENETUNREACH)',
    )
  })

  test.each([
    [new Error('plain'), 'no answer from h:80: plain'],
    ['a string', 'no answer from h:80: a string'],
    [undefined, 'no answer from h:80: undefined'],
    [null, 'no answer from h:80: null'],
    [{ code: 5 }, 'no answer from h:80: [object Object]'],
  ])('something without a code: %s', (thrown, message) => {
    expect(connectFailure(thrown, plain)).toMatchObject({ code: 'CONNECT_FAILED', message })
  })
})

test('timeoutFailure', () => {
  expect(timeoutFailure(10, 'a stage', plain)).toMatchObject({
    code: 'HANDSHAKE_TIMEOUT',
    message: 'no connection to h:80 within 10 ms: a stage',
  })
})

test('located keeps all that is known', () => {
  const error = new HandshakeError('HANDSHAKE_STATUS', 'got 426', {
    status: 426,
    headers: { 'sec-websocket-version': '8' },
    body: Buffer.from('x'),
    cause: 'why',
  })
  expect(located(error, plain)).toMatchObject({
    code: 'HANDSHAKE_STATUS',
    message: 'handshake with h:80 failed: got 426',
    status: 426,
    headers: { 'sec-websocket-version': '8' },
    body: Buffer.from('x'),
    supportedVersions: ['8'],
    cause: 'why',
  })
})
