// What a whole client makes of the server's answers; the client's own tests look at the other direction.

import { connect, HandshakeError } from '@ws/client'
import { describe, expect, test } from 'vitest'
import { connection, portOf, serve } from './support/servers.ts'

const urlOf = (server: Parameters<typeof portOf>[0], path = '/') => `ws://127.0.0.1:${portOf(server)}${path}`

test('messages of all sizes come back as they were', async () => {
  const server = await serve({}, { message: (socket, data) => void socket.send(data) })
  const socket = await connect(urlOf(server))
  const messages = socket[Symbol.asyncIterator]()
  for (const size of [0, 125, 126, 65_535, 65_536, 3_000_000]) {
    const bytes = Buffer.alloc(size, 'x')
    socket.send(bytes)
    expect(bytes.equals((await messages.next()).value as Buffer)).toBe(true)
  }
  expect(await socket.close(1000)).toMatchObject({ code: 1000, wasClean: true })
})

describe('a refusal is read whole', () => {
  test.each([
    ['of the hook', '/a', 429, 'slow down', { 'retry-after': '7' }],
    ['of the path', '/b', 404, 'no WebSocket server for path "/b"\n', {}],
  ])('%s', async (_, path, status, body, headers) => {
    const server = await serve({
      path: '/a',
      authenticate: async () => ({ status: 429, headers: { 'Retry-After': 7 }, body: 'slow down' }),
    })
    const error = await connect(urlOf(server, path)).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(HandshakeError)
    const { code, status: answered, body: bytes, headers: given } = error as HandshakeError
    expect([code, answered, Buffer.from(bytes ?? []).toString()]).toEqual(['HANDSHAKE_STATUS', status, body])
    expect(given).toMatchObject({ connection: 'close', ...headers })
  })
})

test('the server’s close is a clean end for both, and counted', async () => {
  const server = await serve()
  const opened = connection(server)
  const client = await connect(urlOf(server))
  const { socket } = await opened
  expect(await server.close({ code: 1012, reason: 'restart' })).toEqual({ closed: 1, terminated: 0 })
  expect(await client.closed).toEqual({ code: 1012, reason: 'restart', wasClean: true, initiator: 'remote' })
  expect(await socket.closed).toEqual({ code: 1012, reason: '', wasClean: true, initiator: 'local' })
})

test('a thousand clients come and go', { timeout: 60_000 }, async () => {
  const server = await serve({}, { message: (socket, data) => void socket.send(data) })
  const visit = async (index: number) => {
    const socket = await connect(urlOf(server))
    socket.send(String(index))
    const { value } = await socket[Symbol.asyncIterator]().next()
    await socket.close(4000 + (index % 2))
    return value
  }
  for (let round = 0; round < 10; round++) {
    const indices = Array.from({ length: 100 }, (_, index) => 100 * round + index)
    expect(await Promise.all(indices.map(visit))).toEqual(indices.map(String))
  }
  expect((await server.close()).terminated).toBe(0) // the last may still be on their way out
  expect(server.stats()).toMatchObject({ connections: 0, accepted: 1000, closeCodes: { 4000: 500, 4001: 500 } })
})
