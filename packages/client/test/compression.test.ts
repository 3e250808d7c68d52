// permessage-deflate between both ends of this repository: who offers, who takes, and that what is agreed is used.

import type { ConnectionOptions } from '@ws/protocol/node'
import { WebSocketServer } from '@ws/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, WebSocket } from '../src/index.ts'
import { handshakeFailure } from './support/failure.ts'
import { frame } from './support/frames.ts'
import { rawServer, switching } from './support/raw-server.ts'
import { event } from './support/script.ts'

type Option = ConnectionOptions['perMessageDeflate']

async function start(perMessageDeflate: Option): Promise<string> {
  const server = await WebSocketServer.listen(
    { port: 0, host: '127.0.0.1', perMessageDeflate },
    { message: (socket, data) => void socket.send(data) },
  )
  onTestFinished(async () => void (await server.close()))
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`
}

const TEXT = JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id, name: `item ${id}` })))

test.each<[Option, Option, string]>([
  [false, false, ''],
  [true, false, ''],
  [false, true, ''],
  [true, true, 'permessage-deflate'],
  [true, undefined, 'permessage-deflate'],
  [undefined, undefined, ''],
  [true, { serverMaxWindowBits: 10 }, 'permessage-deflate; server_max_window_bits=10'],
  [{ clientMaxWindowBits: 9 }, true, 'permessage-deflate; client_max_window_bits=9'],
  [
    { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 8, clientMaxWindowBits: 8 },
    { threshold: 0, level: 9, memLevel: 9 },
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=8',
  ],
])('server %j, client %j: %j', async (serverOption, clientOption, extensions) => {
  const url = await start(serverOption)
  const socket = await connect(url, { perMessageDeflate: clientOption })
  expect(socket.extensions).toBe(extensions)
  const messages = socket[Symbol.asyncIterator]()
  for (const message of [TEXT, TEXT, '', Buffer.from(TEXT), 'short']) {
    socket.send(message)
    expect((await messages.next()).value).toEqual(message)
  }
  const { bytesIn, bytesOut } = socket.stats()
  const plain = 3 * TEXT.length
  expect([bytesIn < plain, bytesOut < plain]).toEqual([extensions !== '', extensions !== ''])
  await socket.close(1000)
})

test('the class offers it too, shows the extensions and reads compressed messages', async () => {
  const socket = new WebSocket(await start(true))
  expect(socket.extensions).toBe('')
  await event(socket, 'open')
  expect(socket.extensions).toBe('permessage-deflate')
  socket.send(TEXT)
  expect(((await event(socket, 'message')) as MessageEvent).data).toBe(TEXT)
  socket.close()
  await event(socket, 'close')
})

test('[B9] the offer of the class can be switched off', async () => {
  const socket = new WebSocket(await start(true), { perMessageDeflate: false })
  await event(socket, 'open')
  expect(socket.extensions).toBe('')
  socket.close()
  await event(socket, 'close')
})

const OFFER = 'permessage-deflate; client_max_window_bits'

test.each<[Option, string | undefined]>([
  [undefined, OFFER],
  [true, OFFER],
  [{}, OFFER],
  [{ clientMaxWindowBits: 10 }, 'permessage-deflate; client_max_window_bits=10'],
  [false, undefined],
])('[B9] %j offers %j, in one header', async (perMessageDeflate, offer) => {
  const server = await rawServer((exchange) => exchange.socket.write(switching(exchange.accept)))
  const socket = await connect(server.url, { perMessageDeflate })
  socket.terminate()
  await socket.closed
  const lines = server.requests[0]?.split('\r\n').filter((line) => /^sec-websocket-extensions:/i.test(line))
  expect(lines).toEqual(offer === undefined ? [] : [`Sec-WebSocket-Extensions: ${offer}`])
})

test('[G1] an offer that the server did not take: RSV1 is reserved', async () => {
  const server = await rawServer((exchange) => {
    exchange.socket.write(Buffer.concat([Buffer.from(switching(exchange.accept)), frame(0xc1, 'a')]))
  })
  const socket = await connect(server.url)
  server.sockets[0]?.on('data', () => server.sockets[0]?.end())
  expect(await socket.closed).toMatchObject({ wasClean: false, cause: { code: 'RESERVED_BITS' } })
})

describe('an answer that was not asked for, or widens what was', () => {
  test.each([
    [['permessage-deflate; foo'], 'an unknown, repeated or invalid parameter: permessage-deflate; foo'],
    [
      ['permessage-deflate; server_max_window_bits=12'],
      'server_max_window_bits must be 11 at most: permessage-deflate; server_max_window_bits=12',
    ],
    [['permessage-deflate'], 'server_max_window_bits must be 11 at most: permessage-deflate'],
    [['x-foo'], 'expected permessage-deflate and nothing else; got x-foo'],
    [['permessage-deflate; =1'], 'malformed Sec-WebSocket-Extensions: "permessage-deflate; =1"'],
    [
      ['permessage-deflate', 'permessage-deflate'],
      'expected one Sec-WebSocket-Extensions header; got "permessage-deflate" and "permessage-deflate"',
    ],
  ])('[C6] [C7] [N2] [N14] [N15] %j', async (lines, message) => {
    const server = await rawServer((exchange) =>
      exchange.socket.write(switching(exchange.accept, ...lines.map((line) => `Sec-WebSocket-Extensions: ${line}`))),
    )
    const failure = await handshakeFailure(connect(server.url, { perMessageDeflate: { serverMaxWindowBits: 11 } }))
    expect(failure.code).toBe('HANDSHAKE_EXTENSION')
    expect(failure.message).toContain(message)
  })
})
