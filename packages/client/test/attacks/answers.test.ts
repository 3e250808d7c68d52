// A hostile server during the opening handshake: whatever it answers, `connect` rejects or opens, holds little, and leaves
// nothing behind.

import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/index.ts'
import { handshakeFailure } from '../support/failure.ts'
import { closeFrame, FrameReader, frame } from '../support/frames.ts'
import { closed, type Exchange, rawServer, switching } from '../support/raw-server.ts'

/** Writes the same bytes until the other end is gone. */
function pour(socket: Socket, bytes: Uint8Array): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  }
  socket.on('drain', more)
  more()
}

/** Writes text one character a turn, until the other end is gone. */
function dribble(socket: Socket, text: string): void {
  const step = (at: number): void => {
    if (!socket.destroyed && at < text.length) socket.write(text.charAt(at), () => setImmediate(step, at + 1))
  }
  step(0)
}

/** Connects to a server that answers so; yields the failure, once the server has seen the client go. */
async function failureOf(answer: (exchange: Exchange) => void, options = {}) {
  const server = await rawServer(answer)
  const failure = await handshakeFailure(connect(server.url, options))
  await closed(server.sockets[0] as Socket)
  return failure
}

describe('[C16] an answer without end', () => {
  const STATUS = 'HTTP/1.1 101 Switching Protocols\r\n'
  test.each<[string, string, string]>([
    ['in its status line', 'HTTP/1.1 101 ', 'x'.repeat(1_000)],
    ['in the name of a header', STATUS, 'x'.repeat(1_000)],
    ['in the value of a header', `${STATUS}X: `, 'x'.repeat(1_000)],
    ['of headers', STATUS, 'X: y\r\n'.repeat(100)],
  ])('%s', async (_, beginning, endless) => {
    const failure = await failureOf(({ socket }) => {
      socket.write(beginning)
      pour(socket, Buffer.from(endless))
    })
    expect(failure.code).toBe('HANDSHAKE_MALFORMED')
  })

  test.each<[string, string]>([
    ['with a length', 'Content-Length: 999999999999'],
    ['in chunks', 'Transfer-Encoding: chunked'],
    ['up to the end of the connection', 'Connection: close'],
  ])('in its body, %s: 64 KiB are kept', async (_, line) => {
    const failure = await failureOf(({ socket }) => {
      socket.write(`HTTP/1.1 503 Busy\r\n${line}\r\n\r\n`)
      pour(socket, Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`))
    })
    expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 503 })
    expect(failure.body?.length).toBe(65_536)
  })

  test('of informational answers ends with the time', async () => {
    const failure = await failureOf(({ socket }) => pour(socket, Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')), {
      handshakeTimeout: 100,
    })
    expect(failure.code).toBe('HANDSHAKE_TIMEOUT')
  })

  test('that is dribbled byte by byte ends with the time', async () => {
    const failure = await failureOf(
      ({ socket, accept }) => dribble(socket, switching(accept, `X: ${'x'.repeat(10_000)}`)),
      {
        handshakeTimeout: 100,
      },
    )
    expect(failure.code).toBe('HANDSHAKE_TIMEOUT')
  })
})

describe('a 101 with a body', () => {
  test.each<[string, string[]]>([
    ['a length', ['Content-Length: 7']],
    ['chunks', ['Transfer-Encoding: chunked']],
    ['both', ['Transfer-Encoding: chunked', 'Content-Length: 7']],
  ])('[C12] told by %s: what follows is frames, or the answer is refused', async (_, lines) => {
    const server = await rawServer(({ socket, accept }) => {
      socket.write(Buffer.concat([Buffer.from(switching(accept, ...lines)), frame(0x81, 'Hello'), closeFrame(1000)]))
      socket.on('data', () => socket.end())
    })
    const outcome = await connect(server.url).then(
      async (connection) => {
        const messages: unknown[] = []
        connection.on('message', (message) => messages.push(message))
        return [(await connection.closed).code, ...messages]
      },
      ({ code }: { code: string }) => [code],
    )
    expect([[1000, 'Hello'], ['HANDSHAKE_MALFORMED']]).toContainEqual(outcome)
  })
})

describe('[D21] names of what every object has', () => {
  const NAMES = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']

  test.each(NAMES.flatMap((name) => [name, `permessage-deflate; ${name}`, `permessage-deflate; ${name}=${name}`]))(
    '[C6] the extension %s',
    async (extension) => {
      const failure = await failureOf(({ socket, accept }) =>
        socket.write(switching(accept, `Sec-WebSocket-Extensions: ${extension}`)),
      )
      expect(failure.code).toBe('HANDSHAKE_EXTENSION')
    },
  )

  test.each(NAMES)('[C9] the subprotocol %s, offered or not', async (name) => {
    const answer = ({ socket, accept }: Exchange) =>
      void socket.write(switching(accept, `Sec-WebSocket-Protocol: ${name}`))
    expect((await failureOf(answer, { protocols: 'chat' })).code).toBe('HANDSHAKE_SUBPROTOCOL')
    const server = await rawServer(answer)
    const connection = await connect(server.url, { protocols: ['chat', name] })
    expect(connection.protocol).toBe(name)
    connection.terminate()
    await connection.closed
  })

  test('as headers', async () => {
    const lines = NAMES.map((name) => `${name}: polluted`)
    const failure = await failureOf(({ socket }) => {
      socket.write(['HTTP/1.1 403 No', ...lines, 'Content-Length: 0', '', ''].join('\r\n'))
    })
    expect(failure.status).toBe(403)
    expect(Object.entries(failure.headers ?? {}).filter(([, value]) => value === 'polluted').length).toBeGreaterThan(0)
    expect(Object.values(Object.prototype)).toEqual([])
  })
})

// The parsers' time is shown in packages/protocol/test/handshake; Node takes no longer headers than these.
test.each([',', ' ', '\t', 'a,', 'a;', 'a="', '\\"', 'a="\\'])('[F8] 15,000 characters of %j', async (pattern) => {
  for (const name of ['Sec-WebSocket-Extensions: a', 'Sec-WebSocket-Protocol: a', 'Connection: Upgrade,']) {
    const value = pattern.repeat(15_000 / pattern.length)
    const failure = await failureOf(({ socket, accept }) => socket.write(switching(`${accept}x`, `${name}${value}`)))
    expect(failure.code).toMatch(/^HANDSHAKE_(ACCEPT|CONNECTION|EXTENSION|SUBPROTOCOL|MALFORMED)$/)
  }
})

test('[C12] wrong frames glued to the 101 end the connection with 1002', async () => {
  const server = await rawServer(({ socket, accept }) => {
    socket.write(Buffer.concat([Buffer.from(switching(accept)), frame(0x81, 'first'), Buffer.of(0x83, 0)]))
  })
  const connection = await connect(server.url)
  const reader = new FrameReader(server.sockets[0] as Socket)
  const messages: unknown[] = []
  connection.on('message', (message) => messages.push(message))
  expect((await reader.next()).payload.readUInt16BE()).toBe(1002)
  server.sockets[0]?.end()
  expect(await connection.closed).toMatchObject({ code: 1002, cause: { code: 'RESERVED_OPCODE' } })
  expect(messages).toEqual(['first'])
})
