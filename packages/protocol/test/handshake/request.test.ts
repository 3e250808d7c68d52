import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { acceptUpgrade } from '../../src/handshake/accept.ts'
import {
  checkProtocols,
  checkUpgradeResponse,
  createUpgradeRequest,
  type UpgradeRequestOptions,
  type UpgradeResponse,
} from '../../src/handshake/request.ts'
import { portablePlatform } from '../../src/platform.ts'
import { utf8 } from '../support/bytes.ts'

/** Randomness that makes the key of the RFC's sample (§1.2). */
const sample = { ...portablePlatform, randomFill: (target: Uint8Array): void => target.set(utf8('the sample nonce')) }
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

describe('createUpgradeRequest', () => {
  test('makes the request of the RFC, Host excepted [B1, B3, B4, B5, B7, B9]', () => {
    expect(createUpgradeRequest({}, sample)).toEqual({
      method: 'GET',
      headers: [
        ['Upgrade', 'websocket'],
        ['Connection', 'Upgrade'],
        ['Sec-WebSocket-Key', KEY],
        ['Sec-WebSocket-Version', '13'],
      ],
      key: KEY,
      expectedAccept: ACCEPT,
      protocols: [],
    })
  })

  test('has a fresh key each time [B4]', () => {
    const keys = Array.from({ length: 100 }, () => createUpgradeRequest().key)
    expect(new Set(keys).size).toBe(100)
  })

  test('offers subprotocols in one line, in order [B6]', () => {
    const sent = createUpgradeRequest({ protocols: ['wamp', 'soap'] }, sample)
    expect(sent.headers.slice(4)).toEqual([['Sec-WebSocket-Protocol', 'wamp, soap']])
    expect(sent.protocols).toEqual(['wamp', 'soap'])
  })

  test('adds Origin and further headers [B7, B8]', () => {
    const headers = [['Cookie', 'a=b']] as const
    expect(createUpgradeRequest({ origin: 'http://example.com', headers }, sample).headers.slice(4)).toEqual([
      ['Origin', 'http://example.com'],
      ['Cookie', 'a=b'],
    ])
  })

  const VALUE = 'a string without control characters or characters past U+00FF'
  test.each<[string, UpgradeRequestOptions, string]>([
    [
      'a key',
      { headers: [['Sec-WebSocket-Key', 'x']] },
      'header Sec-WebSocket-Key is written by the handshake itself and cannot be given',
    ],
    [
      'a version',
      { headers: [['sec-websocket-version', '8']] },
      'header sec-websocket-version is written by the handshake itself and cannot be given',
    ],
    [
      'Upgrade',
      { headers: [['Upgrade', 'h2c']] },
      'header Upgrade is written by the handshake itself and cannot be given',
    ],
    [
      'Connection',
      { headers: [['CONNECTION', 'close']] },
      'header CONNECTION is written by the handshake itself and cannot be given',
    ],
    [
      'a length',
      { headers: [['Content-Length', '5']] },
      'header Content-Length is written by the handshake itself and cannot be given',
    ],
    [
      'an encoding',
      { headers: [['Transfer-Encoding', 'x']] },
      'header Transfer-Encoding is written by the handshake itself and cannot be given',
    ],
    ['CR LF', { headers: [['X', 'a\r\nb']] }, `value of header X must be ${VALUE}; got "a\\r\\nb"`],
    ['CR LF in the origin', { origin: 'a\r\nb' }, `value of header Origin must be ${VALUE}; got "a\\r\\nb"`],
    ['a bad subprotocol', { protocols: ['a b'] }, 'subprotocol must be a token (RFC 6455 §4.1); got "a b"'],
  ])('throws on %s [B6, B8]', (_, options, message) => {
    expect(() => createUpgradeRequest(options)).toThrow(new UsageError(message))
  })
})

describe('checkProtocols [B6]', () => {
  test.each([[[]], [['a']], [['a', 'b']], [['graphql-ws', 'v12.stomp']], [['__proto__', 'constructor']]])(
    '%j is fine',
    (protocols) => {
      expect(checkProtocols(protocols)).toBe(undefined)
    },
  )

  test.each<[unknown[], string]>([
    [['a', 'a'], 'subprotocols must be different from each other; got "a"'],
    [['a', 'A'], 'subprotocols must be different from each other; got "A"'],
    [['a b'], 'subprotocol must be a token (RFC 6455 §4.1); got "a b"'],
    [['/echo'], 'subprotocol must be a token (RFC 6455 §4.1); got "/echo"'],
    [['é'], 'subprotocol must be a token (RFC 6455 §4.1); got "é"'],
    [[''], 'subprotocol must be a token (RFC 6455 §4.1); got ""'],
    [['a,b'], 'subprotocol must be a token (RFC 6455 §4.1); got "a,b"'],
    [['a', '\x7f'], 'subprotocol must be a token (RFC 6455 §4.1); got "\x7f"'],
    [['a', 1], 'subprotocol must be a token (RFC 6455 §4.1); got 1'],
    [[undefined], 'subprotocol must be a token (RFC 6455 §4.1); got undefined'],
  ])('%j throws', (protocols, message) => {
    expect(() => checkProtocols(protocols as string[])).toThrow(new UsageError(message))
  })
})

/** The answer of the RFC with headers in place of its own: several lines for a list, none for an empty one. */
function response(changes: Record<string, string | string[]> = {}, status = 101): UpgradeResponse {
  const headers = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': ACCEPT, ...changes }
  const rawHeaders = Object.entries(headers).flatMap(([name, lines]) => [lines].flat().flatMap((line) => [name, line]))
  return { status, rawHeaders }
}

describe('permessage-deflate', () => {
  const sent = createUpgradeRequest({ deflate: { clientMaxWindowBits: 10 } }, sample)
  const answer = (...lines: string[]) => checkUpgradeResponse(response({ 'Sec-WebSocket-Extensions': lines }), sent)

  test('is offered in one header [B9]', () => {
    expect(sent.headers.at(-1)).toEqual(['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits=10'])
  })

  test('is agreed, or declined [N8]', () => {
    expect(answer('permessage-deflate; client_max_window_bits=9')).toEqual({
      established: true,
      protocol: '',
      extensions: 'permessage-deflate; client_max_window_bits=9',
      deflate: {
        serverNoContextTakeover: false,
        clientNoContextTakeover: false,
        serverMaxWindowBits: 15,
        clientMaxWindowBits: 9,
      },
    })
    expect(answer()).toEqual({ established: true, protocol: '', extensions: '' })
  })

  test.each([
    [
      ['permessage-deflate; client_max_window_bits=11'],
      'client_max_window_bits must be 10 at most: permessage-deflate; client_max_window_bits=11',
    ],
    [['x-foo'], 'expected permessage-deflate and nothing else; got x-foo'],
    [
      ['permessage-deflate', 'permessage-deflate'],
      'expected one Sec-WebSocket-Extensions header; got "permessage-deflate" and "permessage-deflate"',
    ],
    [['permessage-deflate; =1'], 'malformed Sec-WebSocket-Extensions: "permessage-deflate; =1"'],
  ])('%j fails [C6, C7, C8, N2, N7]', (lines, message) => {
    const verdict = answer(...lines)
    expect(verdict.established || [verdict.error.code, verdict.error.message]).toEqual(['HANDSHAKE_EXTENSION', message])
  })
})

describe('checkUpgradeResponse', () => {
  const plain = createUpgradeRequest({}, sample)
  const offering = createUpgradeRequest({ protocols: ['echo', 'chat'] }, sample)

  test('takes what our server answers', () => {
    const request = createUpgradeRequest({ protocols: ['chat'] })
    const rawHeaders = [...request.headers, ['Host', 'h']].flat()
    const answer = acceptUpgrade({ method: 'GET', rawHeaders }, { protocols: ['chat'] })
    expect(checkUpgradeResponse({ status: answer.status, rawHeaders: answer.headers.flat() }, request)).toEqual({
      established: true,
      protocol: 'chat',
      extensions: '',
    })
  })

  test.each<[string, UpgradeResponse]>([
    ['the answer of the RFC', response()],
    ['Upgrade in another case [C2]', response({ Upgrade: 'WebSocket' })],
    ['Connection as a list [C3]', response({ Connection: 'keep-alive, Upgrade' })],
    ['Connection on two lines [C3]', response({ Connection: ['keep-alive', 'upgrade'] })],
    ['whitespace around the accept value [C4]', response({ 'Sec-WebSocket-Accept': ` \t${ACCEPT} ` })],
    ['a version, twice [E4]', response({ 'Sec-WebSocket-Version': ['13', '13'] })],
    ['unknown headers', response({ __proto__x: '1', 'Set-Cookie': ['a', 'b'] })],
  ])('takes %s', (_, answer) => {
    expect(checkUpgradeResponse(answer, plain)).toEqual({ established: true, protocol: '', extensions: '' })
  })

  test('tells the chosen subprotocol; none chosen is left to the caller [C9, C11]', () => {
    const chosen = response({ 'Sec-WebSocket-Protocol': ' chat ' })
    expect(checkUpgradeResponse(chosen, offering)).toEqual({ established: true, protocol: 'chat', extensions: '' })
    expect(checkUpgradeResponse(response(), offering)).toEqual({ established: true, protocol: '', extensions: '' })
  })

  const NO_OFFER = 'expected no extension, none was offered; got'
  const MALFORMED = 'malformed Sec-WebSocket-Extensions:'
  test.each<[string, UpgradeResponse, string, string]>([
    ['200 [C1]', response({}, 200), 'HANDSHAKE_STATUS', 'expected status 101 Switching Protocols; got 200'],
    ['301 [C1]', response({}, 301), 'HANDSHAKE_STATUS', 'expected status 101 Switching Protocols; got 301'],
    ['404 [C1]', response({}, 404), 'HANDSHAKE_STATUS', 'expected status 101 Switching Protocols; got 404'],
    ['no Upgrade [C2]', response({ Upgrade: [] }), 'HANDSHAKE_UPGRADE', 'expected header Upgrade: websocket; got none'],
    [
      'another Upgrade [C2]',
      response({ Upgrade: 'h2c' }),
      'HANDSHAKE_UPGRADE',
      'expected header Upgrade: websocket; got "h2c"',
    ],
    [
      'a list in Upgrade [C2]',
      response({ Upgrade: 'websocket, foo' }),
      'HANDSHAKE_UPGRADE',
      'expected header Upgrade: websocket; got "websocket, foo"',
    ],
    [
      'Upgrade twice [C2]',
      response({ Upgrade: ['websocket', 'websocket'] }),
      'HANDSHAKE_UPGRADE',
      'expected header Upgrade: websocket; got "websocket" and "websocket"',
    ],
    [
      'Upgrade with a Kelvin sign [C2]',
      response({ Upgrade: 'websoc\u212aet' }),
      'HANDSHAKE_UPGRADE',
      'expected header Upgrade: websocket; got "websoc\u212aet"',
    ],
    [
      'no Connection [C3]',
      response({ Connection: [] }),
      'HANDSHAKE_CONNECTION',
      'expected header Connection: Upgrade; got none',
    ],
    [
      'another Connection [C3]',
      response({ Connection: 'close' }),
      'HANDSHAKE_CONNECTION',
      'expected header Connection: Upgrade; got "close"',
    ],
    [
      'a token that only ends so [C3]',
      response({ Connection: 'xUpgrade' }),
      'HANDSHAKE_CONNECTION',
      'expected header Connection: Upgrade; got "xUpgrade"',
    ],
    [
      'no accept value [C4]',
      response({ 'Sec-WebSocket-Accept': [] }),
      'HANDSHAKE_ACCEPT',
      `expected header Sec-WebSocket-Accept: ${ACCEPT}; got none`,
    ],
    [
      'a wrong accept value [C4]',
      response({ 'Sec-WebSocket-Accept': 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=' }),
      'HANDSHAKE_ACCEPT',
      `expected header Sec-WebSocket-Accept: ${ACCEPT}; got "HSmrc0sMlYUkAGmm5OPpG2HaGWk="`,
    ],
    [
      'the accept value in lower case [C4]',
      response({ 'Sec-WebSocket-Accept': ACCEPT.toLowerCase() }),
      'HANDSHAKE_ACCEPT',
      `expected header Sec-WebSocket-Accept: ${ACCEPT}; got "${ACCEPT.toLowerCase()}"`,
    ],
    [
      'the accept value twice [C5]',
      response({ 'Sec-WebSocket-Accept': [ACCEPT, ACCEPT] }),
      'HANDSHAKE_ACCEPT',
      `expected header Sec-WebSocket-Accept: ${ACCEPT}; got "${ACCEPT}" and "${ACCEPT}"`,
    ],
    [
      'an extension not offered [C6]',
      response({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
      'HANDSHAKE_EXTENSION',
      `${NO_OFFER} "permessage-deflate"`,
    ],
    [
      'two lines of extensions [C7]',
      response({ 'Sec-WebSocket-Extensions': ['a', 'b'] }),
      'HANDSHAKE_EXTENSION',
      `${NO_OFFER} "a" and "b"`,
    ],
    [
      'the same extension twice [C7]',
      response({ 'Sec-WebSocket-Extensions': 'a, a' }),
      'HANDSHAKE_EXTENSION',
      `${NO_OFFER} "a, a"`,
    ],
    [
      'a malformed parameter [C8]',
      response({ 'Sec-WebSocket-Extensions': 'permessage-deflate; =1' }),
      'HANDSHAKE_EXTENSION',
      `${MALFORMED} "permessage-deflate; =1"`,
    ],
    ['a lone semicolon [C8]', response({ 'Sec-WebSocket-Extensions': ';' }), 'HANDSHAKE_EXTENSION', `${MALFORMED} ";"`],
    [
      'a malformed value [C8]',
      response({ 'Sec-WebSocket-Extensions': 'a="x y"' }),
      'HANDSHAKE_EXTENSION',
      `${MALFORMED} "a=\\"x y\\""`,
    ],
    [
      'an empty extension header [C8]',
      response({ 'Sec-WebSocket-Extensions': '' }),
      'HANDSHAKE_EXTENSION',
      `${MALFORMED} ""`,
    ],
    [
      'a subprotocol though none was offered [C9]',
      response({ 'Sec-WebSocket-Protocol': 'echo' }),
      'HANDSHAKE_SUBPROTOCOL',
      'expected subprotocol: none, none was offered; got "echo"',
    ],
  ])('refuses %s', (_, answer, code, message) => {
    const verdict = checkUpgradeResponse(answer, plain)
    expect(verdict).toMatchObject({ established: false, error: { code, message, status: answer.status } })
  })

  test.each<[string, string | string[], string]>([
    ['one not offered [C9]', 'soap', 'got "soap"'],
    ['one in another case [C9]', 'Echo', 'got "Echo"'],
    ['two in a list [C10]', 'echo, chat', 'got "echo, chat"'],
    ['two lines [C10]', ['echo', 'chat'], 'got "echo" and "chat"'],
    ['the same one on two lines [C10]', ['echo', 'echo'], 'got "echo" and "echo"'],
    ['an empty one [E2]', '', 'got ""'],
  ])('refuses as subprotocol %s', (_, lines, got) => {
    expect(checkUpgradeResponse(response({ 'Sec-WebSocket-Protocol': lines }), offering)).toMatchObject({
      established: false,
      error: { code: 'HANDSHAKE_SUBPROTOCOL', message: `expected subprotocol: one of echo, chat; ${got}` },
    })
  })

  test('a refusal carries status, headers and body [C1, C14]', () => {
    const body = utf8('use 13')
    const rawHeaders = ['Sec-WebSocket-Version', '13, 8', 'Set-Cookie', 'a', 'set-cookie', 'b', '__proto__', 'p']
    const verdict = checkUpgradeResponse({ status: 426, rawHeaders, body }, plain)
    if (verdict.established) throw new Error('a 426 was taken')
    const { status, headers, supportedVersions } = verdict.error
    expect([status, supportedVersions, verdict.error.body]).toEqual([426, ['13', '8'], body])
    expect(Object.entries(headers ?? {})).toEqual([
      ['sec-websocket-version', '13, 8'],
      ['set-cookie', ['a', 'b']],
      ['__proto__', 'p'],
    ])
  })

  test('says no more than 200 characters of a value', () => {
    const verdict = checkUpgradeResponse(response({ Upgrade: 'x'.repeat(5000) }), plain)
    expect(verdict).toMatchObject({
      error: { message: `expected header Upgrade: websocket; got "${'x'.repeat(200)}"` },
    })
  })
})
