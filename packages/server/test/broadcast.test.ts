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
