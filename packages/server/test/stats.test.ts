// What a server tells of itself: sums over connections that are open and that have ended, what waits, and how they ended.

import { connect } from '@ws/client'
import { expect, test } from 'vitest'
import { closeFrame, textFrame } from './support/raw-client.ts'
import { open, portOf, serve, until } from './support/servers.ts'

const NOTHING = { messagesIn: 0, messagesOut: 0, framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, dropped: 0 }

test('at first there is nothing', async () => {
  const server = await serve()
  expect(server.stats()).toEqual({
    connections: 0,
    pending: 0,
    accepted: 0,
    refusals: {},
    closeCodes: {},
    closeCauses: {},
    ...NOTHING,
    bufferedAmount: 0,
    aboveHighWaterMark: 0,
    topics: 0,
    subscriptions: 0,
  })
})

test('messages, frames and bytes, in and out; what a connection has counted stays when it ends', async () => {
  const server = await serve({}, { message: (socket, text) => void socket.send(text) })
  const one = await open(server)
  const other = await open(server)
  for (const { client } of [one, other]) {
    client.write(textFrame('hello'))
    expect(await client.text()).toBe('hello')
  }
  const both = { ...NOTHING, messagesIn: 2, messagesOut: 2, framesIn: 2, framesOut: 2, bytesIn: 22, bytesOut: 14 }
  expect(server.stats()).toMatchObject({ connections: 2, ...both })
  one.client.write(closeFrame(3001))
  await one.socket.closed
  const closed = { framesIn: 3, framesOut: 3, bytesIn: 22 + 8, bytesOut: 14 + 4 }
  expect(server.stats()).toMatchObject({ connections: 1, accepted: 2, closeCodes: { 3001: 1 }, ...both, ...closed })
  other.client.reset()
  await other.socket.closed
  const lost = { closeCodes: { 1006: 1, 3001: 1 }, closeCauses: { CONNECTION_LOST: 1 } }
  expect(server.stats()).toMatchObject({ connections: 0, ...lost, ...both, ...closed })
})

test('what waits for slow consumers, what was dropped, and who was cut off for it', async () => {
  const server = await serve({ maxBackpressure: 1024 * 1024 })
  const { client, socket } = await open(server)
  const good = await connect(`ws://127.0.0.1:${portOf(server)}`)
  client.socket.pause()
  const message = Buffer.alloc(64 * 1024)
  while (socket.bufferedAmount <= 1024 * 1024) {
    socket.send(message)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(server.stats()).toMatchObject({
    connections: 2,
    bufferedAmount: socket.bufferedAmount,
    aboveHighWaterMark: 1,
    dropped: 0,
    closeCauses: {},
  })
  socket.send(message)
  await socket.closed
  expect(server.stats()).toMatchObject({
    connections: 1,
    bufferedAmount: 0,
    aboveHighWaterMark: 0,
    dropped: 1,
    closeCodes: { 1006: 1 },
    closeCauses: { SLOW_CONSUMER: 1 },
  })
  good.terminate()
})

test('with clientTracking: false too', async () => {
  const server = await serve({ clientTracking: false })
  const { client, socket } = await open(server)
  client.write(textFrame('hello'))
  await until(() => server.stats().messagesIn === 1)
  expect([server.clients.size, server.stats().connections]).toEqual([0, 1])
  socket.terminate()
  await socket.closed
  expect(server.stats()).toMatchObject({ connections: 0, messagesIn: 1, closeCauses: { TERMINATED: 1 } })
})

test('how late the event loop is, if it was asked for, since it was asked before', async () => {
  const server = await serve({ eventLoopDelay: true })
  const blocked = 200
  await new Promise((resolve) => setTimeout(resolve, 50)) // Node compares with when it looked last
  const start = performance.now()
  while (performance.now() - start < blocked);
  let max = 0
  while (max === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    max = server.stats().eventLoopDelay?.max ?? 0
  }
  expect(max).toBeGreaterThan(blocked / 2)
  const { eventLoopDelay } = server.stats()
  expect(eventLoopDelay).toEqual({ mean: 0, p50: 0, p99: 0, max: 0 })
})
