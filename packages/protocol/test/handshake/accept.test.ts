import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import {
  type AcceptOptions,
  acceptOfferedUpgrade,
  acceptUpgrade,
  checkUpgradeRequest,
  hasUpgradeToken,
  type UpgradeHead,
} from '../../src/handshake/accept.ts'
import type { Header } from '../../src/handshake/headers.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

/** The request of the RFC (§1.2). */
const HEADERS: Record<string, string> = {
  Host: 'server.example.com',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
}

/** The RFC's request with headers in place of its own: several lines for a list, none for an empty one. */
function request(changes: Record<string, string | string[]> = {}, head: Partial<UpgradeHead> = {}): UpgradeHead {
  const rawHeaders = Object.entries({ ...HEADERS, ...changes }).flatMap(([name, lines]) =>
    [lines].flat().flatMap((line) => [name, line]),
  )
  return { method: 'GET', httpVersion: '1.1', rawHeaders, ...head }
}

const UPGRADE: Header = ['Upgrade', 'websocket']
const VERSION: Header = ['Sec-WebSocket-Version', '13']

describe('acceptUpgrade', () => {
  test('answers the request of the RFC [E1, E3, E4, E7]', () => {
    expect(acceptUpgrade(request())).toEqual({
      valid: true,
      status: 101,
      headers: [UPGRADE, ['Connection', 'Upgrade'], ['Sec-WebSocket-Accept', ACCEPT]],
      protocol: '',
      extensions: '',
    })
  })

  test.each<[string, UpgradeHead]>([
    [
      'names in any case, in another order [D12]',
      {
        method: 'GET',
        httpVersion: '1.1',
        rawHeaders: [
          'SEC-WEBSOCKET-VERSION',
          '13',
          'connection',
          'UPGRADE',
          'sec-websocket-key',
          KEY,
          'uPGRADE',
          'WebSocket',
          'host',
          'h',
        ],
      },
    ],
    ['HTTP/2.0 as a later version [D1]', request({}, { httpVersion: '2.0' })],
    ['no HTTP version: then it is 1.1', { method: 'GET', rawHeaders: request().rawHeaders }],
    ['Upgrade in another case [D3]', request({ Upgrade: 'WebSocket' })],
    ['Upgrade among others [D3]', request({ Upgrade: 'h2c, websocket' })],
    ['Upgrade on a line of its own [D3]', request({ Upgrade: ['h2c', '\twebsocket '] })],
    ['Connection as Firefox sends it [D4]', request({ Connection: 'keep-alive, Upgrade' })],
    ['Connection on two lines [D4]', request({ Connection: ['keep-alive', 'upgrade'] })],
    ['whitespace around values', request({ 'Sec-WebSocket-Key': ` ${KEY}\t`, 'Sec-WebSocket-Version': ' 13 ' })],
    ['a Content-Length of 0 [D16]', request({ 'Content-Length': '0' })],
    ['unknown headers [D12]', request({ __proto__x: '1', constructor: '2', 'X-Unknown': '\u00ff' })],
    ['an unknown extension [D12, E3]', request({ 'Sec-WebSocket-Extensions': 'x-unknown; a="b"' })],
    [
      'hostile extension names [D21]',
      request({ 'Sec-WebSocket-Extensions': 'permessage-deflate; __proto__=1, constructor' }),
    ],
    ['an empty Host', request({ Host: '' })],
  ])('takes %s', (_, given) => {
    expect(acceptUpgrade(given)).toEqual(acceptUpgrade(request()))
  })

  test('a key whose last digit has spare bits is answered as it stands [D5]', () => {
    const accepted = acceptUpgrade(request({ 'Sec-WebSocket-Key': 'AQIDBAUGBwgJCgsMDQ4PEC==' }))
    expect(accepted.headers[2]).toEqual(['Sec-WebSocket-Accept', 'OfS0wDaT5NoxF2gqm7Zj2YtetzM='])
  })

  const HTTP_BODY = 'expected no body: no Transfer-Encoding and no Content-Length but 0'
  const ONE_KEY = 'expected one Sec-WebSocket-Key header: base64 of 16 bytes'
  const LIST = 'expected Sec-WebSocket-Protocol to be a list of tokens'
  const OFFERS = 'expected Sec-WebSocket-Extensions as in RFC 6455 §9.1'

  test.each<[string, UpgradeHead, number, string, string, Header[]?]>([
    [
      'POST [D1]',
      request({}, { method: 'POST' }),
      405,
      'REFUSED_METHOD',
      'expected method GET; got POST',
      [['Allow', 'GET']],
    ],
    [
      'get in lower case [D1]',
      request({}, { method: 'get' }),
      405,
      'REFUSED_METHOD',
      'expected method GET; got get',
      [['Allow', 'GET']],
    ],
    [
      'no method',
      { rawHeaders: request().rawHeaders },
      405,
      'REFUSED_METHOD',
      'expected method GET; got undefined',
      [['Allow', 'GET']],
    ],
    [
      'HTTP/1.0 [D1]',
      request({}, { httpVersion: '1.0' }),
      505,
      'REFUSED_HTTP_VERSION',
      'expected HTTP/1.1 or later; got HTTP/1.0',
    ],
    [
      'HTTP/0.9 [D1]',
      request({}, { httpVersion: '0.9' }),
      505,
      'REFUSED_HTTP_VERSION',
      'expected HTTP/1.1 or later; got HTTP/0.9',
    ],
    ['no Host [D2]', request({ Host: [] }), 400, 'REFUSED_HOST', 'expected exactly one Host header; got 0'],
    ['two Hosts [D2]', request({ Host: ['a', 'a'] }), 400, 'REFUSED_HOST', 'expected exactly one Host header; got 2'],
    ['a body [D16]', request({ 'Content-Length': '1' }), 400, 'REFUSED_BODY', HTTP_BODY],
    ['two lengths [D16]', request({ 'Content-Length': ['0', '5'] }), 400, 'REFUSED_BODY', HTTP_BODY],
    ['a malformed length [D16]', request({ 'Content-Length': '' }), 400, 'REFUSED_BODY', HTTP_BODY],
    ['a body in chunks [D16]', request({ 'Transfer-Encoding': 'chunked' }), 400, 'REFUSED_BODY', HTTP_BODY],
    [
      'no Upgrade [D3]',
      request({ Upgrade: [] }),
      426,
      'REFUSED_UPGRADE',
      'expected header Upgrade: websocket',
      [UPGRADE, VERSION],
    ],
    [
      'another Upgrade [D3]',
      request({ Upgrade: 'h2c' }),
      426,
      'REFUSED_UPGRADE',
      'expected header Upgrade: websocket',
      [UPGRADE, VERSION],
    ],
    [
      'half an Upgrade [D3]',
      request({ Upgrade: 'websocketx, x websocket' }),
      426,
      'REFUSED_UPGRADE',
      'expected header Upgrade: websocket',
      [UPGRADE, VERSION],
    ],
    [
      'Upgrade with other whitespace [D3]',
      request({ Upgrade: '\u00a0websocket' }),
      426,
      'REFUSED_UPGRADE',
      'expected header Upgrade: websocket',
      [UPGRADE, VERSION],
    ],
    [
      'Upgrade with a Kelvin sign [D3]',
      request({ Upgrade: 'websoc\u212aet' }),
      426,
      'REFUSED_UPGRADE',
      'expected header Upgrade: websocket',
      [UPGRADE, VERSION],
    ],
    [
      'no Connection [D4]',
      request({ Connection: [] }),
      400,
      'REFUSED_CONNECTION',
      'expected header Connection with the token Upgrade',
    ],
    [
      'another Connection [D4]',
      request({ Connection: 'close' }),
      400,
      'REFUSED_CONNECTION',
      'expected header Connection with the token Upgrade',
    ],
    [
      'a token that only ends so [D4]',
      request({ Connection: 'xUpgrade' }),
      400,
      'REFUSED_CONNECTION',
      'expected header Connection with the token Upgrade',
    ],
    [
      'no version [D7]',
      request({ 'Sec-WebSocket-Version': [] }),
      426,
      'REFUSED_VERSION',
      'expected Sec-WebSocket-Version: 13; got none',
      [UPGRADE, VERSION],
    ],
    ...['8', '12', '013', '13, 8', '13.0', ''].map(
      (version): [string, UpgradeHead, number, string, string, Header[]] => [
        `version ${version} [D7]`,
        request({ 'Sec-WebSocket-Version': version }),
        426,
        'REFUSED_VERSION',
        `expected Sec-WebSocket-Version: 13; got ${version}`,
        [UPGRADE, VERSION],
      ],
    ),
    [
      'two versions [D8]',
      request({ 'Sec-WebSocket-Version': ['13', '13'] }),
      400,
      'REFUSED_VERSION',
      'expected one Sec-WebSocket-Version header; got more',
    ],
    ['no key [D5]', request({ 'Sec-WebSocket-Key': [] }), 400, 'REFUSED_KEY', ONE_KEY],
    ['two keys [D6]', request({ 'Sec-WebSocket-Key': [KEY, KEY] }), 400, 'REFUSED_KEY', ONE_KEY],
    ['two keys in one [D6]', request({ 'Sec-WebSocket-Key': `${KEY}, ${KEY}` }), 400, 'REFUSED_KEY', ONE_KEY],
    ['a key of 15 bytes [D5]', request({ 'Sec-WebSocket-Key': 'AQIDBAUGBwgJCgsMDQ4P' }), 400, 'REFUSED_KEY', ONE_KEY],
    [
      'a key of 17 bytes [D5]',
      request({ 'Sec-WebSocket-Key': 'AQIDBAUGBwgJCgsMDQ4PEBE=' }),
      400,
      'REFUSED_KEY',
      ONE_KEY,
    ],
    ['an empty key [D5]', request({ 'Sec-WebSocket-Key': '' }), 400, 'REFUSED_KEY', ONE_KEY],
    ['a key that is no base64 [D5]', request({ 'Sec-WebSocket-Key': '%%%' }), 400, 'REFUSED_KEY', ONE_KEY],
    [
      'a subprotocol with a blank [D10]',
      request({ 'Sec-WebSocket-Protocol': 'a b' }),
      400,
      'REFUSED_SUBPROTOCOL',
      LIST,
    ],
    [
      'subprotocols that are only a comma [D10]',
      request({ 'Sec-WebSocket-Protocol': ',' }),
      400,
      'REFUSED_SUBPROTOCOL',
      LIST,
    ],
    ['an empty subprotocol header [D10]', request({ 'Sec-WebSocket-Protocol': '' }), 400, 'REFUSED_SUBPROTOCOL', LIST],
    [
      'a malformed extension [D11, F5]',
      request({ 'Sec-WebSocket-Extensions': 'a;' }),
      400,
      'REFUSED_EXTENSION',
      OFFERS,
    ],
    ['an empty extension header [D11]', request({ 'Sec-WebSocket-Extensions': '' }), 400, 'REFUSED_EXTENSION', OFFERS],
    [
      'a quoted value that never ends [D11]',
      request({ 'Sec-WebSocket-Extensions': 'a; b="\\' }),
      400,
      'REFUSED_EXTENSION',
      OFFERS,
    ],
  ])('refuses %s', (_, given, status, code, message, headers = []) => {
    const rejected = { valid: false, status, headers, message, code }
    expect(acceptUpgrade(given)).toEqual(rejected)
    expect(checkUpgradeRequest(given)).toEqual(rejected)
  })
})

describe('checkUpgradeRequest', () => {
  test('tells what the client offers, in its order [D10, D11]', () => {
    const given = request({ 'Sec-WebSocket-Protocol': ['a', 'b, c'], 'Sec-WebSocket-Extensions': ['x; y=1', 'z'] })
    expect(checkUpgradeRequest(given)).toEqual({
      valid: true,
      key: KEY,
      protocols: ['a', 'b', 'c'],
      extensions: [
        { name: 'x', parameters: [{ name: 'y', value: '1' }] },
        { name: 'z', parameters: [] },
      ],
    })
  })

  test('without offers the lists are empty', () => {
    expect(checkUpgradeRequest(request())).toEqual({ valid: true, key: KEY, protocols: [], extensions: [] })
  })
})

describe('permessage-deflate [E3, N1]', () => {
  const offering = (offer: string) => request({ 'Sec-WebSocket-Extensions': offer })

  test('is answered where it is wanted, and what was agreed is told', () => {
    expect(acceptUpgrade(offering('x-foo, permessage-deflate; server_max_window_bits=10'), { deflate: {} })).toEqual({
      valid: true,
      status: 101,
      headers: [
        UPGRADE,
        ['Connection', 'Upgrade'],
        ['Sec-WebSocket-Accept', ACCEPT],
        ['Sec-WebSocket-Extensions', 'permessage-deflate; server_max_window_bits=10'],
      ],
      protocol: '',
      extensions: 'permessage-deflate; server_max_window_bits=10',
      deflate: {
        serverNoContextTakeover: false,
        clientNoContextTakeover: false,
        serverMaxWindowBits: 10,
        clientMaxWindowBits: 15,
      },
    })
  })

  test.each<[string, AcceptOptions]>([
    ['permessage-deflate', {}],
    ['permessage-deflate; foo', { deflate: {} }],
    ['x-foo', { deflate: {} }],
  ])('%s with %j is declined', (offer, options) => {
    expect(acceptUpgrade(offering(offer), options)).toMatchObject({ valid: true, extensions: '', deflate: undefined })
  })
})

describe('the subprotocol [E2]', () => {
  const offered = request({ 'Sec-WebSocket-Protocol': 'soap, wamp' })

  test.each<[string, AcceptOptions['protocols'], string]>([
    ['none is spoken', undefined, ''],
    ['the list of those spoken is empty', [], ''],
    ['none of the offered is spoken', ['mqtt'], ''],
    ['another case is another one', ['WAMP'], ''],
    ['one is spoken', ['wamp'], 'wamp'],
    ['several are: the client’s first', ['wamp', 'soap'], 'soap'],
    ['a function chooses', (list) => list.at(-1), 'wamp'],
    ['a function chooses none', () => undefined, ''],
  ])('%s', (_, protocols, chosen) => {
    const header: Header[] = chosen === '' ? [] : [['Sec-WebSocket-Protocol', chosen]]
    expect(acceptUpgrade(offered, { protocols })).toEqual({
      valid: true,
      status: 101,
      headers: [UPGRADE, ['Connection', 'Upgrade'], ['Sec-WebSocket-Accept', ACCEPT], ...header],
      protocol: chosen,
      extensions: '',
    })
  })

  test.each(['mqtt', '', 'soap\r\nX: y', 'Soap'])(
    'a function that chooses %j, which was not offered, throws',
    (chosen) => {
      const message = `the chosen subprotocol must be one of ["soap","wamp"]; got ${JSON.stringify(chosen)}`
      expect(() => acceptUpgrade(offered, { protocols: () => chosen })).toThrow(new UsageError(message))
    },
  )

  test('without an offer nothing is chosen, and nobody is asked', () => {
    let asked = 0
    const choose = (): string => {
      asked++
      return 'soap'
    }
    expect(acceptUpgrade(request(), { protocols: choose }).headers).toHaveLength(3)
    expect(acceptUpgrade(request(), { protocols: ['soap'] }).headers).toHaveLength(3)
    expect(asked).toBe(0)
  })
})

describe('further headers [E5, E7]', () => {
  test('come last, in order', () => {
    const headers: Header[] = [
      ['Set-Cookie', 'a=b'],
      ['Set-Cookie', 'c=d'],
    ]
    expect(acceptUpgrade(request(), { headers }).headers.slice(3)).toEqual(headers)
  })

  test.each([
    'Upgrade',
    'connection',
    'Content-Length',
    'TRANSFER-ENCODING',
    'Sec-WebSocket-Accept',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Extensions',
    'sec-websocket-anything',
  ])('%s cannot be given', (name) => {
    const message = `header ${name} is written by the handshake itself and cannot be given`
    expect(() => acceptUpgrade(request(), { headers: [[name, 'x']] })).toThrow(new UsageError(message))
  })

  test('CR LF in a value throws', () => {
    expect(() => acceptUpgrade(request(), { headers: [['Set-Cookie', 'a\r\nX: y']] })).toThrow(UsageError)
  })

  test('a refused request is refused before options are looked at', () => {
    expect(acceptUpgrade(request({ Host: [] }), { headers: [['Upgrade', 'x']] }).status).toBe(400)
  })
})

test('acceptOfferedUpgrade hashes with the platform that it is given', () => {
  const offer = { valid: true, key: KEY, protocols: [], extensions: [] } as const
  const sha1Base64 = (): string => 'AQID'
  expect(acceptOfferedUpgrade(offer, {}, { sha1Base64 }).headers[2]).toEqual(['Sec-WebSocket-Accept', 'AQID'])
  expect(acceptUpgrade(request(), {}, { sha1Base64 }).headers[2]).toEqual(['Sec-WebSocket-Accept', 'AQID'])
  expect(acceptOfferedUpgrade(offer)).toEqual(acceptUpgrade(request()))
})

test.each<[string[], boolean]>([
  [['Upgrade'], true],
  [['upgrade'], true],
  [['keep-alive, UPGRADE'], true],
  [['keep-alive', 'Upgrade'], true],
  [['close'], false],
  [['xUpgrade, Upgradex'], false],
  [[], false],
  [[''], false],
  [['Upgrade; x'], false],
])('hasUpgradeToken %j: %s [C3, D4]', (lines, found) => {
  expect(hasUpgradeToken(lines)).toBe(found)
})
