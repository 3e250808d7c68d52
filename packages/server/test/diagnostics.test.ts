// What the channels of servers say: who came in, who was refused.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ServerDiagnostics, WebSocketServer } from '@ws/server'
import { expect, onTestFinished, test } from 'vitest'
import { RawClient } from './support/raw-client.ts'
import { open, portOf, refused, serve } from './support/servers.ts'

type Name = keyof ServerDiagnostics

function listen<Key extends Name>(name: Key, listener: (message: ServerDiagnostics[Key]) => void): void {
  const subscriber = (message: unknown) => listener(message as ServerDiagnostics[Key])
  subscribe(name, subscriber)
  onTestFinished(() => void unsubscribe(name, subscriber))
}

test('accepted comes before the event, with server, connection and request', async () => {
  const seen: unknown[] = []
  listen('ws:server:accepted', (message) => seen.push(message))
  const server = await serve()
  server.on('connection', () => seen.push('event'))
  const { socket } = await open(server)
  expect(seen).toEqual([{ server, socket, request: expect.objectContaining({ url: '/' }) }, 'event'])
})

test('refused comes before the event, with what the event has', async () => {
  const seen: unknown[] = []
  listen('ws:server:refused', (message) => seen.push(message))
  const server = await serve({ authenticate: () => false })
  server.on('refused', () => seen.push('event'))
  const refusal = refused(server as WebSocketServer)
  await (await RawClient.connect(portOf(server))).refusal()
  expect(seen).toEqual([{ server, refusal: await refusal }, 'event'])
  expect(await refusal).toMatchObject({ code: 'REFUSED_BY_HOOK', status: 401 })
})

test('a whole conversation, from one subscriber a channel', async () => {
  const seen: string[] = []
  listen('ws:server:accepted', ({ request }) => seen.push(`accepted ${request.url}`))
  listen('ws:connection:received', ({ size }) => seen.push(`received ${size}`))
  listen('ws:connection:sent', ({ size }) => seen.push(`sent ${size}`))
  listen('ws:connection:closed', ({ info }) => seen.push(`closed ${info.code}`))
  const server = await serve({}, { message: (socket, text) => void socket.send(`${text}!`) })
  const { client, socket } = await open(server)
  client.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
  expect(await client.text()).toBe('hi!')
  client.reset()
  await socket.closed
  expect(seen).toEqual(['accepted /', 'received 2', 'sent 3', 'closed 1006'])
})
