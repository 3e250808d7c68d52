import { createHash } from 'node:crypto'
import { connect } from '@ws/client'
import { expect, onTestFinished, test } from 'vitest'
import { plainAnswer } from '../../src/demo/page.ts'
import { UpdatesServer } from '../../src/demo/server.ts'
import { watchNextConnection } from '../../src/demo/wire.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

async function open() {
  const server = await UpdatesServer.listen(0, plainAnswer)
  onTestFinished(() => server.close())
  const wire = watchNextConnection()
  const socket = await connect(server.url)
  return { server, wire, socket }
}

test('sees the handshake that was sent and answered', async () => {
  const { server, wire, socket } = await open()
  const { key, accept, ...rest } = wire.handshake()
  expect(Buffer.from(key, 'base64')).toHaveLength(16)
  expect(server.find(key).readyState).toBe(1)
  expect(accept).toBe(createHash('sha1').update(`${key}${GUID}`).digest('base64'))
  expect(rest).toEqual({
    requestLine: 'GET /updates HTTP/1.1',
    expectedAccept: accept,
    statusLine: 'HTTP/1.1 101 Switching Protocols',
  })
  await socket.close(1000)
})

test('counts what both ends count', async () => {
  const { server, wire, socket } = await open()
  const far = server.find(wire.handshake().key)
  const messages = ['', 'small', 'x'.repeat(70_000)]
  const echoes: unknown[] = []
  const other = await connect(server.url)
  const arrived = (async () => {
    for await (const message of other) if (echoes.push(message) === messages.length) break
  })()
  for (const message of messages) socket.send(message)
  await arrived
  for (const message of messages) other.send(message)
  const back: unknown[] = []
  for await (const message of socket) if (back.push(message) === messages.length) break
  await Promise.all([socket.close(1000), other.close(1000), far.closed])
  expect([echoes, back]).toEqual([messages, messages])
  const { framesIn, framesOut, bytesIn, bytesOut } = far.stats()
  expect(wire.traffic()).toEqual({ framesIn: 4, framesOut: 4, bytesIn: bytesOut, bytesOut: bytesIn })
  expect([framesIn, framesOut]).toEqual([4, 4])
  const own = socket.stats()
  expect(wire.traffic()).toEqual({
    framesIn: own.framesIn,
    framesOut: own.framesOut,
    bytesIn: own.bytesIn,
    bytesOut: own.bytesOut,
  })
})

test('watches one connection only', async () => {
  const { server, wire, socket } = await open()
  const { key } = wire.handshake()
  const other = await connect(server.url)
  expect(wire.handshake().key).toBe(key)
  await Promise.all([socket.close(1000), other.close(1000)])
  expect(wire.traffic()).toMatchObject({ framesIn: 1, framesOut: 1 })
})
