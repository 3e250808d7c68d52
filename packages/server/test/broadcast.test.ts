// `server.broadcast`: to all open connections, or those that a filter lets through.

import { connect } from '@ws/client'
import type { WebSocketServer } from '@ws/server'
import { expect, test } from 'vitest'
import { portOf, serve } from './support/servers.ts'

async function clients(port: number, count: number) {
  const sockets = await Promise.all(Array.from({ length: count }, () => connect(`ws://127.0.0.1:${port}`)))
  const all = sockets.map((socket) => {
    const messages: unknown[] = []
    socket.on('message', (data) => void messages.push(data))
    return { socket, messages }
  })
  // The server's Close comes behind what it has sent.
  const end = async (server: WebSocketServer) => {
    await server.close()
    await Promise.all(sockets.map((socket) => socket.closed))
    return all.map(({ messages }) => messages)
  }
  return { sockets, end }
}

test('everybody who is open gets it, once', async () => {
  const server = await serve()
  const { sockets, end } = await clients(portOf(server), 5)
  await sockets.pop()?.close(1000)
  expect(server.broadcast('to all')).toBe(4)
  expect(server.broadcast(Uint8Array.of(1, 2, 3))).toBe(4)
  const heard = await end(server)
  expect(heard.slice(0, 4)).toEqual(Array(4).fill(['to all', Buffer.from([1, 2, 3])]))
  expect(heard[4]).toEqual([])
})

test('a filter chooses by what the application knows of a connection', async () => {
  const server = await serve<{ room: string }>({
    authenticate: ({ url }) => ({ data: { room: url.slice(1) } }),
  })
  const port = portOf(server)
  const [red, blue] = await Promise.all(['red', 'blue'].map((room) => connect(`ws://127.0.0.1:${port}/${room}`)))
  const heard: unknown[] = []
  red?.on('message', (data) => void heard.push(data))
  blue?.on('message', (data) => void heard.push(data))
  expect(server.broadcast('for red', { filter: ({ data }) => data.room === 'red' })).toBe(1)
  await server.close()
  await Promise.all([red?.closed, blue?.closed])
  expect(heard).toEqual(['for red'])
})

test('what cannot be sent throws', async () => {
  const server = await serve()
  const { end } = await clients(portOf(server), 1)
  expect(() => server.broadcast(7 as never)).toThrow(/data to send must be a string/)
  expect(await end(server)).toEqual([[]])
})

test('without connections, and on a server that has closed: to nobody', async () => {
  const server = await serve()
  expect(server.broadcast('nobody')).toBe(0)
  await server.close()
  expect(server.broadcast('nobody')).toBe(0)
})

test('compressed once for all that agreed on the same without takeover; others get it as they agreed', async () => {
  const server = await serve({ perMessageDeflate: { serverNoContextTakeover: true } })
  const port = portOf(server)
  const url = `ws://127.0.0.1:${port}`
  const offers = [true, true, { serverMaxWindowBits: 9 }, false] as const
  const sockets = await Promise.all(offers.map((perMessageDeflate) => connect(url, { perMessageDeflate })))
  const large = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id}` })))
  const heard = sockets.map(async (socket) => {
    const messages: unknown[] = []
    for await (const message of socket) {
      messages.push(message)
      if (messages.length === 4) break
    }
    return messages
  })
  expect(server.broadcast(large)).toBe(4)
  expect(server.broadcast('small')).toBe(4)
  expect(server.broadcast(Buffer.from(large), { compress: false })).toBe(4)
  expect(server.broadcast(large.repeat(20))).toBe(4)
  expect(await Promise.all(heard)).toEqual(Array(4).fill([large, 'small', Buffer.from(large), large.repeat(20)]))
  const read = sockets.map((socket) => socket.stats().bytesIn)
  expect(read[0]).toBe(read[1])
  expect(read[0]).toBeLessThan(read[3] as number)
  await server.close()
})

test('with takeover each connection compresses on its own, and keeps its order', async () => {
  const server = await serve({ perMessageDeflate: true })
  const { end } = await clients(portOf(server), 3)
  const large = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id}` })))
  const sent = [large, large.repeat(20), 'small', large]
  for (const message of sent) server.broadcast(message)
  expect(await end(server)).toEqual(Array(3).fill(sent))
})
