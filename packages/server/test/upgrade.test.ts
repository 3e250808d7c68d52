// The server's side of the opening handshake (STANDARDS D and E), byte by byte over real sockets.

import { once } from 'node:events'
import type { RefusedUpgrade } from '@ws/server'
import { describe, expect, test } from 'vitest'
import { KEY, RawClient, type RequestParts, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { connection, deferred, httpServer, portOf, refused, serve, share } from './support/servers.ts'

/** What stands in every refusal. */
const refusal = (status: string, body: string, headers: string[] = [], connectionValue = 'close') => [
  `HTTP/1.1 ${status}`,
  `Connection: ${connectionValue}`,
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${Buffer.byteLength(body) + 1}`,
  ...headers,
]

async function answerTo(parts: RequestParts, options: Parameters<typeof serve>[0] = {}) {
  const server = await serve(options)
  const reported = refused(server)
  const client = await RawClient.connect(portOf(server))
  return { answer: await client.refusal(parts), reported: await reported, server }
}

async function acceptanceOf(parts: RequestParts, options: Parameters<typeof serve>[0] = {}) {
  const server = await serve(options)
  const client = await RawClient.connect(portOf(server))
  return await client.upgrade(parts)
}

test('[E1] [E7] the answer is these bytes and no others', async () => {
  expect(await acceptanceOf({})).toEqual(SWITCHING)
})

describe('requests that are accepted', () => {
  test.each<[string, RequestParts]>([
    ['[D3] Upgrade in any case', { replace: ['Upgrade: WebSocket'] }],
    ['[D3] Upgrade as a list', { replace: ['Upgrade: h2c, websocket'] }],
    ['[D4] Connection as a list', { replace: ['Connection: keep-alive, upgrade'] }],
    ['[D4] Connection on two lines', { replace: ['Connection: keep-alive', 'Connection: Upgrade'] }],
    ['[D12] unknown headers', { add: ['X-Unknown: yes', 'Cookie: a=b; c=d', 'DNT: 1'] }],
    ['[D12] unknown extensions', { add: ['Sec-WebSocket-Extensions: x-webkit-deflate-frame, foo; bar="baz"'] }],
    ['[D12] a refusable deflate offer', { add: ['Sec-WebSocket-Extensions: permessage-deflate; foo=1'] }],
    ['[D11] extensions on two lines', { add: ['Sec-WebSocket-Extensions: foo', 'Sec-WebSocket-Extensions: bar'] }],
    ['[D21] __proto__ as a parameter', { add: ['Sec-WebSocket-Extensions: permessage-deflate; __proto__=1'] }],
    ['[D21] constructor as an extension', { add: ['Sec-WebSocket-Extensions: constructor; hasOwnProperty'] }],
    ['[E2] subprotocols, none of which is configured', { add: ['Sec-WebSocket-Protocol: chat, superchat'] }],
    ['[D16] Content-Length: 0', { add: ['Content-Length: 0'] }],
    ['a target in absolute form', { start: 'GET http://127.0.0.1/ HTTP/1.1' }],
    ['a query', { start: 'GET /?token=abc HTTP/1.1' }],
  ])('%s', async (_, parts) => {
    expect(await acceptanceOf(parts)).toEqual(SWITCHING)
  })

  test('[D12] header names in any case and order', async () => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    client.write(
      'GET / HTTP/1.1\r\nSEC-WEBSOCKET-VERSION: 13\r\nsec-websocket-key:',
      `${KEY}\r\nconnection:\tUpgrade \r\nUPGRADE: websocket\r\nhOST: x\r\n\r\n`,
    )
    expect(await client.head()).toEqual(SWITCHING)
  })

  test('[D5] a key with a non-canonical last digit, hashed as text', async () => {
    const head = await acceptanceOf({ replace: ['Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=='] })
    expect(head).toEqual([...SWITCHING.slice(0, 3), 'Sec-WebSocket-Accept: OfS0wDaT5NoxF2gqm7Zj2YtetzM='])
  })
})

describe('requests that are refused', () => {
  const VERSION = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const NO_BODY = 'expected no body: no Transfer-Encoding and no Content-Length but 0'
  const BAD_KEY = 'expected one Sec-WebSocket-Key header: base64 of 16 bytes'
  const BAD_PROTOCOLS = 'expected Sec-WebSocket-Protocol to be a list of tokens'
  const BAD_EXTENSIONS = 'expected Sec-WebSocket-Extensions as in RFC 6455 §9.1'

  test.each<[string, RequestParts, string, string, string, string[]?]>([
    [
      '[D1] POST',
      { start: 'POST / HTTP/1.1' },
      '405 Method Not Allowed',
      'REFUSED_METHOD',
      'expected method GET; got POST',
      ['Allow: GET'],
    ],
    [
      '[D1] HTTP/1.0',
      { start: 'GET / HTTP/1.0' },
      '505 HTTP Version Not Supported',
      'REFUSED_HTTP_VERSION',
      'expected HTTP/1.1 or later; got HTTP/1.0',
    ],
    ['[D2] no Host', { omit: ['Host'] }, '400 Bad Request', 'REFUSED_HOST', 'expected exactly one Host header; got 0'],
    [
      '[D2] two Hosts',
      { add: ['Host: b'] },
      '400 Bad Request',
      'REFUSED_HOST',
      'expected exactly one Host header; got 2',
    ],
    [
      '[D3] another upgrade',
      { replace: ['Upgrade: h2c'] },
      '426 Upgrade Required',
      'REFUSED_UPGRADE',
      'expected header Upgrade: websocket',
      VERSION,
    ],
    [
      '[D5] a key of 15 bytes',
      { replace: ['Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P'] },
      '400 Bad Request',
      'REFUSED_KEY',
      BAD_KEY,
    ],
    [
      '[D5] a key of 17 bytes',
      { replace: ['Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBE='] },
      '400 Bad Request',
      'REFUSED_KEY',
      BAD_KEY,
    ],
    ['[D5] an empty key', { replace: ['Sec-WebSocket-Key:'] }, '400 Bad Request', 'REFUSED_KEY', BAD_KEY],
    [
      '[D5] a key that is not base64',
      { replace: ['Sec-WebSocket-Key: %%%'] },
      '400 Bad Request',
      'REFUSED_KEY',
      BAD_KEY,
    ],
    ['[D5] no key', { omit: ['Sec-WebSocket-Key'] }, '400 Bad Request', 'REFUSED_KEY', BAD_KEY],
    ['[D6] two keys', { add: [`Sec-WebSocket-Key: ${KEY}`] }, '400 Bad Request', 'REFUSED_KEY', BAD_KEY],
    [
      '[D7] version 8',
      { replace: ['Sec-WebSocket-Version: 8'] },
      '426 Upgrade Required',
      'REFUSED_VERSION',
      'expected Sec-WebSocket-Version: 13; got 8',
      VERSION,
    ],
    [
      '[D7] version 12',
      { replace: ['Sec-WebSocket-Version: 12'] },
      '426 Upgrade Required',
      'REFUSED_VERSION',
      'expected Sec-WebSocket-Version: 13; got 12',
      VERSION,
    ],
    [
      '[D7] version 013',
      { replace: ['Sec-WebSocket-Version: 013'] },
      '426 Upgrade Required',
      'REFUSED_VERSION',
      'expected Sec-WebSocket-Version: 13; got 013',
      VERSION,
    ],
    [
      '[D7] versions 13, 8',
      { replace: ['Sec-WebSocket-Version: 13, 8'] },
      '426 Upgrade Required',
      'REFUSED_VERSION',
      'expected Sec-WebSocket-Version: 13; got 13, 8',
      VERSION,
    ],
    [
      '[D7] no version',
      { omit: ['Sec-WebSocket-Version'] },
      '426 Upgrade Required',
      'REFUSED_VERSION',
      'expected Sec-WebSocket-Version: 13; got none',
      VERSION,
    ],
    [
      '[D8] the version twice',
      { add: ['Sec-WebSocket-Version: 13'] },
      '400 Bad Request',
      'REFUSED_VERSION',
      'expected one Sec-WebSocket-Version header; got more',
    ],
    [
      '[D10] a subprotocol with a space',
      { add: ['Sec-WebSocket-Protocol: a b'] },
      '400 Bad Request',
      'REFUSED_SUBPROTOCOL',
      BAD_PROTOCOLS,
    ],
    [
      '[D10] no subprotocol but a comma',
      { add: ['Sec-WebSocket-Protocol: ,'] },
      '400 Bad Request',
      'REFUSED_SUBPROTOCOL',
      BAD_PROTOCOLS,
    ],
    [
      '[D11] a malformed extension',
      { add: ['Sec-WebSocket-Extensions: permessage-deflate; =1'] },
      '400 Bad Request',
      'REFUSED_EXTENSION',
      BAD_EXTENSIONS,
    ],
    ['[D16] a Content-Length', { add: ['Content-Length: 5'] }, '400 Bad Request', 'REFUSED_BODY', NO_BODY],
    ['[D16] a Transfer-Encoding', { add: ['Transfer-Encoding: chunked'] }, '400 Bad Request', 'REFUSED_BODY', NO_BODY],
  ])('[D13] %s', async (_, parts, status, code, message, headers = []) => {
    const { answer, reported, server } = await answerTo(parts)
    const connectionValue = headers === VERSION ? 'close, Upgrade' : 'close'
    expect(answer.head).toEqual(refusal(status, message, headers, connectionValue))
    expect(answer.body).toBe(`${message}\n`)
    expect(reported).toMatchObject({ status: Number(status.slice(0, 3)), code, message, cause: undefined })
    expect(server.stats()).toMatchObject({ connections: 0, pending: 0, accepted: 0, refusals: { [code]: 1 } })
  })

  test('[D16] what follows a request with a body is not parsed as frames', async () => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest({ add: ['Content-Length: 11'] }), textFrame('Hello'))
    expect((await client.answer()).status).toBe(400)
    expect(server.stats().accepted).toBe(0)
  })

  test('[D13] a HEAD request gets the head only', async () => {
    const { answer } = await answerTo({ start: 'HEAD / HTTP/1.1' })
    expect(answer.head).toEqual(refusal('405 Method Not Allowed', 'expected method GET; got HEAD', ['Allow: GET']))
    expect(answer.body).toBe('')
  })

  test('[D14] another path', async () => {
    const { answer, reported } = await answerTo({ start: 'GET /other?secret=1 HTTP/1.1' }, { path: '/updates' })
    const message = 'no WebSocket server for path "/other"'
    expect(answer.head).toEqual(refusal('404 Not Found', message))
    expect(answer.body).toBe(`${message}\n`)
    expect(reported).toMatchObject({ status: 404, code: 'REFUSED_PATH', message })
  })

  test('[D14] a path function that says no, or fails', async () => {
    const seen: unknown[] = []
    const options = {
      path: (pathname: string, { headers }: { headers: { host?: string | undefined } }) => {
        seen.push([pathname, headers.host])
        if (pathname === '/throws') throw new Error('out of order')
        return pathname === '/yes'
      },
    }
    const server = await serve(options)
    const statusOf = async (target: string) => {
      const client = await RawClient.connect(portOf(server))
      client.write(upgradeRequest({ start: `GET ${target} HTTP/1.1` }))
      return (await client.head())[0]
    }
    expect(await statusOf('/yes?x')).toBe('HTTP/1.1 101 Switching Protocols')
    expect(await statusOf('/no')).toBe('HTTP/1.1 404 Not Found')
    const reported = refused(server)
    expect(await statusOf('/throws')).toBe('HTTP/1.1 500 Internal Server Error')
    expect(await reported).toMatchObject({ code: 'REFUSED_HOOK_FAILED', cause: new Error('out of order') })
    expect(seen).toEqual([
      ['/yes', '127.0.0.1'],
      ['/no', '127.0.0.1'],
      ['/throws', '127.0.0.1'],
    ])
  })

  test('[D9] a page of another origin; the body names the option', async () => {
    const { answer, reported } = await answerTo({ add: ['Origin: https://evil.example'] })
    const message =
      'origin "https://evil.example" is not allowed for host "127.0.0.1": ' +
      "see the server's option origins, and trustProxy if a proxy in front changes Host"
    expect(answer.head).toEqual(refusal('403 Forbidden', message))
    expect(answer.body).toBe(`${message}\n`)
    expect(reported).toMatchObject({ status: 403, code: 'REFUSED_ORIGIN', message })
  })

  test.each<[string, RequestParts, Parameters<typeof serve>[0], number]>([
    ['the same origin', { add: ['Origin: http://127.0.0.1'] }, {}, 101],
    ['null', { add: ['Origin: null'] }, {}, 403],
    ['two origins', { add: ['Origin: http://127.0.0.1', 'Origin: http://evil.example'] }, {}, 403],
    ['one of a list', { add: ['Origin: https://a.example'] }, { origins: ['https://a.example'] }, 101],
    ['none of a list', { add: ['Origin: http://127.0.0.1'] }, { origins: ['https://a.example'] }, 403],
    ['any', { add: ['Origin: null'] }, { origins: '*' }, 101],
    [
      'a forwarded host',
      { add: ['Origin: https://a.example', 'X-Forwarded-Host: a.example'] },
      { trustProxy: true },
      101,
    ],
    ['a forwarded host, untrusted', { add: ['Origin: https://a.example', 'X-Forwarded-Host: a.example'] }, {}, 403],
    ['a failing function', { add: ['Origin: https://a.example'] }, { origins: () => JSON.parse('{') }, 500],
  ])('[D9] %s', async (_, parts, options, status) => {
    const server = await serve(options)
    const client = await RawClient.connect(portOf(server))
    expect((await client.upgrade(parts))[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  test('a long word of the client is repeated in part only', async () => {
    const { answer } = await answerTo({ start: `GET /${'x'.repeat(5000)} HTTP/1.1` }, { path: '/updates' })
    expect(answer.body).toBe(`no WebSocket server for path "/${'x'.repeat(199)}"\n`)
  })
})

describe('subprotocols', () => {
  const protocolOf = async (offer: string[], protocols?: NonNullable<Parameters<typeof serve>[0]>['protocols']) =>
    (await acceptanceOf({ add: offer.map((line) => `Sec-WebSocket-Protocol: ${line}`) }, { protocols })).slice(
      SWITCHING.length,
    )

  test.each([
    ['the first that is spoken', ['x, b, a'], ['a', 'b'], ['Sec-WebSocket-Protocol: b']],
    ['[D10] over two lines', ['x', 'y, a'], ['a', 'b'], ['Sec-WebSocket-Protocol: a']],
    ['[E2] none in common', ['x'], ['a'], []],
    ['[E2] compared exactly', ['A'], ['a'], []],
    ['[E2] none offered', [], ['a'], []],
    ['[E2] none configured', ['a'], undefined, []],
    ['chosen by a function', ['a, b'], (offered: readonly string[]) => offered.at(-1), ['Sec-WebSocket-Protocol: b']],
    ['[E2] not chosen by a function', ['a, b'], () => undefined, []],
  ])('%s', async (_, offer, protocols, header) => {
    expect(await protocolOf(offer, protocols)).toEqual(header)
  })

  test.each([
    ['an unoffered one', () => 'c'],
    ['an empty one', () => ''],
    ['one with a line of its own', () => 'a\r\nX-Injected: 1'],
    ['a promise', (async () => 'a') as never],
  ])('[E2] a function that chooses %s is refused before anything is written', async (_, protocols) => {
    const { answer, reported } = await answerTo({ add: ['Sec-WebSocket-Protocol: a, b'] }, { protocols })
    expect(answer.head).toEqual(refusal('500 Internal Server Error', 'the server failed to decide on this request'))
    expect(reported).toMatchObject({ status: 500, code: 'REFUSED_HOOK_FAILED', cause: { code: 'USAGE' } })
  })

  test('are the connection’s protocol', async () => {
    const server = await serve({ protocols: (offered, { url }) => (url === '/b' ? 'b' : offered[0]) })
    const opened = connection(server)
    const client = await RawClient.connect(portOf(server))
    const head = await client.upgrade({ start: 'GET /b HTTP/1.1', add: ['Sec-WebSocket-Protocol: a, b'] })
    expect(head).toEqual([...SWITCHING, 'Sec-WebSocket-Protocol: b'])
    const { socket } = await opened
    expect([socket.protocol, socket.extensions, socket.readyState]).toEqual(['b', '', 1])
  })
})

describe('what surrounds the handshake', () => {
  test('[D15] frames in the segment of the request are delivered', async () => {
    const server = await serve({}, { message: (socket, data) => void socket.send(`got ${data}`) })
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest(), textFrame('Hello'), textFrame('again'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('got Hello')
    expect(await client.text()).toBe('got again')
  })

  test('[D15] also to a listener that is attached in the event', async () => {
    const server = await serve()
    server.on('connection', (socket) => socket.on('message', (data) => void socket.send(data)))
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest(), textFrame('Hello'))
    await client.head()
    expect(await client.text()).toBe('Hello')
  })

  test('[E6] the server may speak first', async () => {
    const server = await serve({}, { open: (socket) => void socket.send('welcome') })
    const client = await RawClient.connect(portOf(server))
    await client.upgrade()
    expect(await client.text()).toBe('welcome')
  })

  test('the request reaches the event as it came', async () => {
    const server = await serve()
    const opened = connection(server)
    const client = await RawClient.connect(portOf(server))
    await client.upgrade({ start: 'GET /a?b=c HTTP/1.1', add: ['Cookie: id=7', 'X-Two: 1', 'X-Two: 2'] })
    const { socket, request } = await opened
    expect(request).toMatchObject({ method: 'GET', url: '/a?b=c', httpVersion: '1.1', encrypted: false })
    expect([request.headers.cookie, request.headers['x-two']]).toEqual(['id=7', '1, 2'])
    expect(request.rawHeaders.slice(-4)).toEqual(['X-Two', '1', 'X-Two', '2'])
    expect(request.remoteAddress).toBe('127.0.0.1')
    expect(socket.remoteAddress).toBe('127.0.0.1')
  })

  test('a listener that throws breaks nothing, and its error surfaces', async () => {
    const server = await serve({}, { message: (socket, data) => void socket.send(data) })
    server.on('connection', () => {
      throw new Error('from the listener')
    })
    const surfaced = uncaught()
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest(), textFrame('still there'))
    await client.head()
    expect(await client.text()).toBe('still there')
    expect(await surfaced).toEqual(new Error('from the listener'))
  })

  test('a request behind an unanswered one is not answered out of turn', async () => {
    const http = await httpServer((_request, response) => void setImmediate(() => response.end('first')))
    const server = share(http)
    const reported = refused(server)
    const client = await RawClient.connect(portOf(http))
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n', upgradeRequest())
    expect((await client.rest()).toString()).toBe('')
    const { status, code } = (await reported) satisfies RefusedUpgrade
    expect([status, code]).toEqual([undefined, 'REFUSED_CONNECTION'])
  })

  test('an upgrade may follow answered requests on one connection', async () => {
    const http = await httpServer((_request, response) => void response.end('plain'), { keepAliveTimeout: 50 })
    share(http, {}, { message: (socket, data) => void socket.send(data) })
    const client = await RawClient.connect(portOf(http))
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.head())[0]).toBe('HTTP/1.1 200 OK')
    expect((await client.read(5)).toString()).toBe('plain')
    expect(await client.upgrade()).toEqual(SWITCHING)
    client.write(textFrame('hello'))
    expect(await client.text()).toBe('hello')
  })

  test('socket timeouts of the HTTP server do not reach open connections, nor those that are being decided on', async () => {
    const http = await httpServer()
    http.setTimeout(1_000) // Node takes its own listener off an upgraded socket, but not the timeout
    http.on('connection', (socket) => socket.on('timeout', () => socket.destroy()))
    /** Waits until that timeout has ended a connection that is younger than all others. */
    const timeoutPassed = async () => await (await RawClient.connect(portOf(http))).rest()
    const [decision, decide] = deferred()
    const server = share(http, { authenticate: () => decision })
    const opened = connection(server)
    const client = await RawClient.connect(portOf(http))
    client.write(upgradeRequest())
    await timeoutPassed()
    decide()
    const { socket } = await opened
    expect(await client.head()).toEqual(SWITCHING)
    await timeoutPassed()
    expect(socket.readyState).toBe(1)
  })
})

/** The next uncaught exception, which would otherwise fail the run. */
async function uncaught(): Promise<unknown> {
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const [error] = await once(process, 'uncaughtException')
  for (const listener of others) process.on('uncaughtException', listener)
  return error
}
