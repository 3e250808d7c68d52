// The server's answer (RFC 6455 §4.1, the client's checks): each wrong one from a server that means it.

import { describe, expect, test } from 'vitest'
import { connect } from '../src/index.ts'
import { handshakeFailure } from './support/failure.ts'
import { closeFrame, frame } from './support/frames.ts'
import { closed, type Exchange, rawServer, switching } from './support/raw-server.ts'

/** Connects to a server that gives this answer; yields the failure, once the server has seen the client go. */
async function refusal(answer: (exchange: Exchange) => string | Buffer, options = {}) {
  const server = await rawServer((exchange) => exchange.socket.write(answer(exchange)))
  const failure = await handshakeFailure(connect(server.url, options))
  const [socket] = server.sockets
  if (socket === undefined) throw new Error('no connection came')
  await closed(socket)
  expect(socket.bytesRead).toBe(Buffer.byteLength(server.requests[0] ?? '')) // [A11] [C13] nothing but the request
  const address = `127.0.0.1:${server.port}`
  return { failure, address, requests: server.requests }
}

const head = (...lines: string[]) => ['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n')

describe('[C1] a status other than 101', () => {
  test('is told with headers and body', async () => {
    const { failure, address } = await refusal(
      () => 'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX: 1\r\nX: 2\r\n\r\nno go',
    )
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_STATUS',
      message: `handshake with ${address} failed: expected status 101 Switching Protocols; got 404`,
      status: 404,
    })
    expect({ ...failure.headers }).toEqual({ 'content-type': 'text/plain', 'content-length': '5', x: ['1', '2'] })
    expect(String(failure.body)).toBe('no go')
  })

  test.each([
    ['200 OK', 200],
    ['301 Moved Permanently\r\nLocation: /there', 301],
    ['401 Unauthorized\r\nWWW-Authenticate: Basic', 401],
    ['429 Too Many Requests\r\nRetry-After: 3', 429],
    ['503 Service Unavailable', 503],
  ])('%s', async (line, status) => {
    const { failure } = await refusal(() => `HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`)
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status })
    expect(failure.body).toEqual(Buffer.alloc(0))
  })

  test('even if all else is right', async () => {
    const { failure } = await refusal(({ accept }) =>
      switching(accept, 'Content-Length: 0').replace('101 Switching Protocols', '200 OK'),
    )
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 200 })
  })

  test('204 has no body', async () => {
    const { failure } = await refusal(() => 'HTTP/1.1 204 No Content\r\n\r\n')
    expect(failure).toMatchObject({ status: 204, body: Buffer.alloc(0) })
  })

  test('HTTP/1.0 without a length: the body ends with the connection', async () => {
    const server = await rawServer(({ socket }) => socket.end('HTTP/1.0 403 Forbidden\r\n\r\nnever'))
    const failure = await handshakeFailure(connect(server.url))
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 403 })
    expect(String(failure.body)).toBe('never')
  })

  test('a body over 64 KiB is cut there, and no more is read', async () => {
    const { failure } = await refusal(
      () => `HTTP/1.1 500 Oops\r\nContent-Length: 999999999\r\n\r\n${'a'.repeat(65535)}bc`,
    )
    expect(failure.status).toBe(500)
    expect(String(failure.body)).toBe(`${'a'.repeat(65535)}b`)
  })

  test('a body that is cut short is given as far as it came', async () => {
    const server = await rawServer(({ socket }) => socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 30\r\n\r\nabc'))
    const failure = await handshakeFailure(connect(server.url))
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 500 })
    expect(String(failure.body)).toBe('abc')
  })

  test('a body in broken chunks', async () => {
    const { failure } = await refusal(() => 'HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n')
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 500 })
  })

  test('a body that never ends is given when the time is up', async () => {
    const { failure } = await refusal(() => 'HTTP/1.1 500 Oops\r\nContent-Length: 30\r\n\r\nabc', {
      handshakeTimeout: 300,
    })
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 500 })
    expect(String(failure.body)).toBe('abc')
  })
})

test.each([
  ['missing', [], 'none'],
  ['h2c', ['Upgrade: h2c'], '"h2c"'],
  ['a list', ['Upgrade: websocket, foo'], '"websocket, foo"'],
  ['twice', ['Upgrade: websocket', 'Upgrade: websocket'], '"websocket" and "websocket"'],
  ['with a Kelvin sign', ['Upgrade: websoc\u{212a}et'], '"websocâ\x84ªet"'],
])('[C2] Upgrade: %s', async (_, lines, got) => {
  const { failure, address } = await refusal(({ accept }) =>
    head(...lines, 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`),
  )
  expect(failure).toMatchObject({
    code: 'HANDSHAKE_UPGRADE',
    message: `handshake with ${address} failed: expected header Upgrade: websocket; got ${got}`,
    status: 101,
  })
})

test.each([
  ['missing', []],
  ['close', ['Connection: close']],
  ['xUpgrade', ['Connection: xUpgrade']],
])('[C3] Connection: %s', async (_, lines) => {
  const { failure } = await refusal(({ accept }) =>
    head(...lines, 'Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`),
  )
  expect(failure).toMatchObject({ code: 'HANDSHAKE_CONNECTION', status: 101 })
})

// The tab is legal. Node 20's parser takes the answer for no upgrade all the same, later ones do not: it opens, or it fails.
test("[C3] an answer that Node's parser may take for no upgrade is no wait without end", async () => {
  const server = await rawServer(({ socket, accept }) =>
    socket.write(head('Upgrade: websocket', 'Connection: Upgrade\t', `Sec-WebSocket-Accept: ${accept}`)),
  )
  const outcome = await connect(server.url).then(
    (opened) => {
      opened.terminate()
      return 'open'
    },
    (failure: Error) => failure.message,
  )
  const parser = "Node's HTTP parser did not take the answer for an upgrade"
  expect(outcome).toBe(
    process.version.startsWith('v20.') ? `handshake with 127.0.0.1:${server.port} failed: ${parser}` : 'open',
  )
})

test.each([
  ['missing', () => []],
  ['empty', () => ['Sec-WebSocket-Accept:']],
  ['of another key', () => ['Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']],
  ['in lower case', (accept: string) => [`Sec-WebSocket-Accept: ${accept.toLowerCase()}`]],
  ['with more behind it', (accept: string) => [`Sec-WebSocket-Accept: ${accept}x`]],
])('[C4] Sec-WebSocket-Accept: %s', async (_, lines) => {
  const { failure, address } = await refusal(({ accept }) =>
    head('Upgrade: websocket', 'Connection: Upgrade', ...lines(accept)),
  )
  expect(failure).toMatchObject({ code: 'HANDSHAKE_ACCEPT', status: 101 })
  expect(failure.message).toContain(`handshake with ${address} failed: expected header Sec-WebSocket-Accept: `)
})

test('[C5] Sec-WebSocket-Accept twice', async () => {
  const { failure } = await refusal(({ accept }) => switching(accept, `Sec-WebSocket-Accept: ${accept}`))
  expect(failure.code).toBe('HANDSHAKE_ACCEPT')
})

test('[C5] a second accept value behind thousands of headers is seen', async () => {
  const many = Array.from({ length: 2500 }, () => 'a:')
  const { failure } = await refusal(({ accept }) => switching(accept, ...many, `Sec-WebSocket-Accept: ${accept}`))
  expect(failure.code).toBe('HANDSHAKE_ACCEPT')
})

test('[C6] an extension that was not offered', async () => {
  const { failure } = await refusal(({ accept }) => switching(accept, 'Sec-WebSocket-Extensions: permessage-deflate'), {
    perMessageDeflate: false,
  })
  expect(failure.code).toBe('HANDSHAKE_EXTENSION')
})

test.each([
  ['[C6] unknown', ['x-foo']],
  ['[C7] on two lines', ['a', 'b']],
  ['[C7] twice', ['permessage-deflate, permessage-deflate']],
  ['[C8] malformed', ['permessage-deflate; =1']],
  ['[C8] a lone separator', [';']],
  ['[C8] a quoted value that is no token', ['a="x y"']],
  ['[C8] empty', ['']],
])('an extension: %s', async (_, lines) => {
  const { failure } = await refusal(({ accept }) =>
    switching(accept, ...lines.map((line) => `Sec-WebSocket-Extensions: ${line}`)),
  )
  expect(failure.code).toBe('HANDSHAKE_EXTENSION')
})

test.each([
  ['[C9] in another case', ['echo'], ['Echo']],
  ['[C9] none was offered', [], ['echo']],
  ['[C9] another one', ['echo'], ['chat']],
  ['[C9] empty', ['echo'], ['']],
  ['[C10] on two lines', ['a', 'b'], ['a', 'b']],
  ['[C10] twice the same', ['a'], ['a', 'a']],
  ['[C10] a list', ['a', 'b'], ['a, b']],
])('the subprotocol: %s', async (_, protocols, lines) => {
  const { failure } = await refusal(
    ({ accept }) => switching(accept, ...lines.map((line) => `Sec-WebSocket-Protocol: ${line}`)),
    { protocols },
  )
  expect(failure.code).toBe('HANDSHAKE_SUBPROTOCOL')
})

test('[C11] none chosen: fails with requireProtocol', async () => {
  const { failure, address } = await refusal(({ accept }) => switching(accept), {
    protocols: ['a', 'b'],
    requireProtocol: true,
  })
  expect(failure).toMatchObject({
    code: 'HANDSHAKE_SUBPROTOCOL',
    message: `handshake with ${address} failed: expected subprotocol: one of a, b; the server chose none`,
    status: 101,
  })
  expect({ ...failure.headers }).toMatchObject({ upgrade: 'websocket' })
})

test('[C14] a server of other versions says which', async () => {
  const { failure } = await refusal(
    () =>
      'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\nSec-WebSocket-Version: 12\r\nContent-Length: 0\r\n\r\n',
  )
  expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 426, supportedVersions: ['8', '7', '12'] })
})

describe('[C16] a bound on the answer', () => {
  test('a header of 1 MiB', async () => {
    const { failure, address } = await refusal(() => head(`X: ${'a'.repeat(1024 * 1024)}`))
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_MALFORMED',
      message: `the answer of ${address} is not valid HTTP: its header is too large (HPE_HEADER_OVERFLOW)`,
    })
  })
  test('10,000 headers', async () => {
    const { failure } = await refusal(() => head(...Array.from({ length: 10_000 }, (_, index) => `X-${index}: 1`)))
    expect(failure.code).toBe('HANDSHAKE_MALFORMED')
  })
})

describe('[C17] an answer that is no HTTP/1.1', () => {
  test.each(['FOO BAR BAZ\r\n\r\n', 'HTTP/1.1 FOO\r\n\r\n', 'HTTP/1.1 99 OK\r\n\r\n', '\x81\x05Hello'])(
    '%j',
    async (bytes) => {
      const { failure, address } = await refusal(() => Buffer.from(bytes, 'latin1'))
      expect(failure.code).toBe('HANDSHAKE_MALFORMED')
      expect(failure.message).toContain(`the answer of ${address} is not valid HTTP: `)
      expect(failure.cause).toBeInstanceOf(Error)
    },
  )
  test.each(['0.9', '1.0', '2.0'])('HTTP/%s', async (version) => {
    const { failure, address } = await refusal(({ accept }) => switching(accept).replace('1.1', version))
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_MALFORMED',
      message: `handshake with ${address} failed: expected an answer in HTTP/1.1; got HTTP/${version}`,
      status: 101,
    })
  })
  test('a TLS server asked in plain', async () => {
    const { failure, address } = await refusal(() => Buffer.from('1503010002022a', 'hex'))
    expect(failure.message).toBe(
      `the answer of ${address} is not valid HTTP: it speaks TLS; is it a wss: URL? (HPE_INVALID_CONSTANT)`,
    )
  })
})

describe('an answer that is right', () => {
  test.each([
    ['[C2] Upgrade in any case', ['Upgrade: WebSocket', 'Connection: Upgrade']],
    ['[C3] Connection as a list', ['Upgrade: websocket', 'Connection: keep-alive, Upgrade']],
    ['[C3] Connection in any case', ['Upgrade: websocket', 'Connection: uPGRADE']],
    ['[C3] Connection on two lines', ['Connection: keep-alive', 'Connection: upgrade', 'Upgrade: websocket']],
  ])('%s', async (_, lines) => {
    const server = await rawServer(({ socket, accept }) =>
      socket.write(head(...lines, `Sec-WebSocket-Accept: ${accept}`)),
    )
    const connection = await connect(server.url)
    expect(connection.readyState).toBe(1)
    expect([connection.protocol, connection.extensions]).toEqual(['', ''])
    connection.terminate()
    await connection.closed
  })

  test('[C4] space around the accept value', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(` \t${accept}\t `)))
    const connection = await connect(server.url)
    connection.terminate()
    await connection.closed
  })

  test('[C9] the chosen subprotocol', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept, 'Sec-WebSocket-Protocol: b')))
    const connection = await connect(server.url, { protocols: ['a', 'b'], requireProtocol: true })
    expect(connection.protocol).toBe('b')
    connection.terminate()
    await connection.closed
  })

  test('[C11] no subprotocol chosen: opens without one', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const connection = await connect(server.url, { protocols: 'a' })
    expect(connection.protocol).toBe('')
    connection.terminate()
    await connection.closed
  })

  test('[C12] frames glued to the 101', async () => {
    const server = await rawServer(({ socket, accept }) => {
      const frames = [frame(0x81, 'one'), frame(0x82, 'two'), closeFrame(1001, 'PASS')]
      socket.end(Buffer.concat([Buffer.from(switching(accept)), ...frames]))
    })
    const connection = await connect(server.url)
    const messages: unknown[] = []
    connection.on('message', (message) => messages.push(message))
    expect(await connection.closed).toEqual({ code: 1001, reason: 'PASS', wasClean: true, initiator: 'remote' })
    expect(messages).toEqual(['one', Buffer.from('two')])
  })

  test('[C12] the 101 byte by byte, then frames', async () => {
    const server = await rawServer(({ socket, accept }) => {
      const bytes = Buffer.concat([Buffer.from(switching(accept)), frame(0x81, 'x'), closeFrame(1000)])
      const step = (at: number) => {
        if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => setImmediate(step, at + 1))
        else socket.end()
      }
      step(0)
    })
    const connection = await connect(server.url)
    const messages: unknown[] = []
    connection.on('message', (message) => messages.push(message))
    expect((await connection.closed).code).toBe(1000)
    expect(messages).toEqual(['x'])
  })

  test.each(['100 Continue', '102 Processing', '103 Early Hints\r\nLink: </a>; rel=preload'])(
    '[C15] after %s',
    async (line) => {
      const server = await rawServer(({ socket, accept }) =>
        socket.write(`HTTP/1.1 ${line}\r\n\r\n${switching(accept)}`),
      )
      const connection = await connect(server.url)
      expect(connection.readyState).toBe(1)
      connection.terminate()
      await connection.closed
    },
  )
})
