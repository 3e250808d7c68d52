// WebSocket over HTTP/2: what a server takes for a request, and how it answers (RFC 8441).

import { describe, expect, test } from 'vitest'
import { acceptUpgrade, checkUpgradeRequest, type UpgradeHead } from '../../src/handshake/accept.ts'

/** The request of the RFC (§5.1). */
const HEADERS: Record<string, string> = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'https',
  ':path': '/chat',
  ':authority': 'server.example.com',
  'sec-websocket-protocol': 'chat, superchat',
  'sec-websocket-extensions': 'permessage-deflate',
  'sec-websocket-version': '13',
  origin: 'http://www.example.com',
}

/** The RFC's request with headers in place of its own: several lines for a list, none for an empty one. */
function request(changes: Record<string, string | string[]> = {}, head: Partial<UpgradeHead> = {}): UpgradeHead {
  const rawHeaders = Object.entries({ ...HEADERS, ...changes }).flatMap(([name, lines]) =>
    [lines].flat().flatMap((line) => [name, line]),
  )
  return { method: 'CONNECT', httpVersion: '2.0', rawHeaders, ...head }
}

describe('accepted', () => {
  test('[P9] [P7] the request of the RFC: 200, and nothing about keys', () => {
    expect(acceptUpgrade(request())).toEqual({ valid: true, status: 200, headers: [], protocol: '', extensions: '' })
  })

  test('[P8] subprotocol, extensions and further headers as over HTTP/1.1, in lower case', () => {
    const headers = [['Set-Cookie', 'A=B']] as const
    expect(acceptUpgrade(request(), { protocols: ['superchat'], deflate: {}, headers })).toMatchObject({
      status: 200,
      headers: [
        ['sec-websocket-protocol', 'superchat'],
        ['sec-websocket-extensions', 'permessage-deflate'],
        ['set-cookie', 'A=B'],
      ],
      protocol: 'superchat',
      extensions: 'permessage-deflate',
    })
  })

  test.each<[string, Record<string, string | string[]>]>([
    ['[P14] :protocol in any case', { ':protocol': 'WEBSOCKET' }],
    ['scheme http, an authority with a port, a query', { ':scheme': 'http', ':authority': '[::1]:80', ':path': '/?q' }],
    ['[P7] a key, which means nothing here', { 'sec-websocket-key': 'none' }],
    ['[P7] a Host header that says the same', { host: 'Server.example.com' }],
    ['a Content-Length of 0', { 'content-length': '0' }],
  ])('%s', (_, changes) => {
    expect(acceptUpgrade(request(changes))).toMatchObject({ valid: true, status: 200 })
  })

  test('HTTP/3 asks in the same way, and the version need not be told', () => {
    expect(acceptUpgrade(request({}, { httpVersion: '3' }))).toMatchObject({ valid: true, status: 200 })
    expect(acceptUpgrade(request({}, { httpVersion: undefined }))).toMatchObject({ valid: true, status: 200 })
  })

  test('the offer is that of HTTP/1.1, without a key', () => {
    expect(checkUpgradeRequest(request())).toEqual({
      valid: true,
      key: undefined,
      protocols: ['chat', 'superchat'],
      extensions: [{ name: 'permessage-deflate', parameters: [] }],
    })
  })
})

describe('rejected', () => {
  const PSEUDO = [':method', ':scheme', ':authority', ':path', ':protocol']

  test.each(PSEUDO)('[P6] without %s: 400', (name) => {
    expect(acceptUpgrade(request({ [name]: [] }))).toEqual({
      valid: false,
      status: 400,
      code: 'REFUSED_PSEUDO_HEADER',
      message: `expected exactly one ${name}; got 0`,
      headers: [],
    })
  })

  test.each(PSEUDO)('[P5] with %s twice: 400', (name) => {
    const value = HEADERS[name] as string
    expect(acceptUpgrade(request({ [name]: [value, value] }))).toMatchObject({
      status: 400,
      message: `expected exactly one ${name}; got 2`,
    })
  })

  test.each<[string, Record<string, string | string[]>, string]>([
    [':scheme', { ':scheme': 'ftp' }, 'expected :scheme http or https'],
    [':authority', { ':authority': '' }, 'expected :authority to be a host, with or without a port'],
    [':authority', { ':authority': 'user@host' }, 'expected :authority to be a host, with or without a port'],
    [':authority', { ':authority': 'host/path' }, 'expected :authority to be a host, with or without a port'],
    [':path', { ':path': '' }, 'expected :path to begin with /'],
    [':path', { ':path': 'https://server.example.com/chat' }, 'expected :path to begin with /'],
    [
      ':status',
      { ':status': '200' },
      'expected no other pseudo-headers than :method, :scheme, :authority, :path, :protocol',
    ],
  ])('a malformed %s: 400', (_, changes, message) => {
    expect(acceptUpgrade(request(changes))).toMatchObject({ status: 400, code: 'REFUSED_PSEUDO_HEADER', message })
  })

  test('[P14] another :protocol: 501', () => {
    expect(acceptUpgrade(request({ ':protocol': 'connect-udp' }))).toEqual({
      valid: false,
      status: 501,
      code: 'REFUSED_UPGRADE',
      message: 'expected :protocol websocket',
      headers: [],
    })
  })

  test('[P5] another method: 405', () => {
    expect(acceptUpgrade(request({ ':method': 'GET' }, { method: 'GET' }))).toMatchObject({
      status: 405,
      code: 'REFUSED_METHOD',
      message: 'expected method CONNECT; got GET',
      headers: [['allow', 'CONNECT']],
    })
  })

  test.each(['connection', 'upgrade', 'keep-alive', 'proxy-connection'])('[P7] a header %s: 400', (name) => {
    expect(acceptUpgrade(request({ [name]: 'upgrade' }))).toMatchObject({
      status: 400,
      code: 'REFUSED_CONNECTION',
      message: `expected no header ${name}: HTTP/2 has none`,
    })
  })

  test('[P7] a Host header that says otherwise: 400', () => {
    const rejected = { status: 400, code: 'REFUSED_HOST', message: 'expected no Host header, or that of :authority' }
    expect(acceptUpgrade(request({ host: 'other.example.com' }))).toMatchObject(rejected)
    expect(acceptUpgrade(request({ host: ['server.example.com', 'other.example.com'] }))).toMatchObject(rejected)
  })

  test.each([
    ['content-length', '5'],
    ['transfer-encoding', 'chunked'],
  ])('a body by %s: 400', (name, value) => {
    expect(acceptUpgrade(request({ [name]: value }))).toMatchObject({ status: 400, code: 'REFUSED_BODY' })
  })

  test.each<[string | string[], string]>([
    ['8', '8'],
    [[], 'none'],
    [['13', '13'], 'more than one'],
  ])('[P8] version %j: 400, with the one that is spoken', (version, given) => {
    expect(acceptUpgrade(request({ 'sec-websocket-version': version }))).toEqual({
      valid: false,
      status: 400,
      code: 'REFUSED_VERSION',
      message: `expected sec-websocket-version: 13; got ${given}`,
      headers: [['sec-websocket-version', '13']],
    })
  })

  test('[P8] malformed subprotocols and extensions: 400', () => {
    expect(acceptUpgrade(request({ 'sec-websocket-protocol': 'a b' }))).toMatchObject({ code: 'REFUSED_SUBPROTOCOL' })
    expect(acceptUpgrade(request({ 'sec-websocket-extensions': 'a;;' }))).toMatchObject({ code: 'REFUSED_EXTENSION' })
  })
})
