// What the channels of clients say: each attempt, of either face, ends in one of two.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, onTestFinished, test } from 'vitest'
import { type ClientDiagnostics, connect, WebSocket } from '../src/index.ts'
import { accept, http2Peer } from './support/http2-peer.ts'
import { echoPeer } from './support/peer.ts'
import { rawServer } from './support/raw-server.ts'

function listen<Key extends keyof ClientDiagnostics>(
  name: Key,
  listener: (message: ClientDiagnostics[Key]) => void,
): void {
  const subscriber = (message: unknown) => listener(message as ClientDiagnostics[Key])
  subscribe(name, subscriber)
  onTestFinished(() => void unsubscribe(name, subscriber))
}

test('connected, before the first message is read', async () => {
  const seen: unknown[] = []
  listen('ws:client:connected', ({ socket, url }) => seen.push([socket.readyState, url]))
  listen('ws:connection:received', ({ size, role }) => seen.push([role, size]))
  const { url } = await echoPeer({ opened: (connection) => void connection.send('welcome') })
  const socket = await connect(`${url}/a?b=c`)
  for await (const _ of socket) break
  await socket.close()
  expect(seen.filter((entry) => (entry as unknown[])[0] !== 'server')).toEqual([
    [1, `${url}/a?b=c`],
    ['client', 7],
  ])
})

test('the class too', async () => {
  const urls: string[] = []
  listen('ws:client:connected', ({ url }) => urls.push(url))
  const { url } = await echoPeer()
  const socket = new WebSocket(url)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
  socket.close()
  await closed
  expect(urls).toEqual([`${url}/`])
})

test('over HTTP/2 they are the same', async () => {
  const seen: unknown[] = []
  listen('ws:client:connected', ({ url }) => seen.push(url))
  listen('ws:client:failed', ({ url, error }) => seen.push(url, error))
  const peer = await http2Peer({
    answer: (stream, { ':path': path }) => {
      if (path === '/a') accept(stream)
      else stream.respond({ ':status': 403 }, { endStream: true })
    },
  })
  const socket = await connect(`${peer.url}/a`, { http2: true })
  await socket.close()
  const error = await connect(`${peer.url}/b`, { http2: true }).catch((reason: unknown) => reason)
  expect(seen).toEqual([`${peer.url}/a`, `${peer.url}/b`, error])
})

test('failed, with what the promise rejects with', async () => {
  const failures: unknown[] = []
  listen('ws:client:failed', (message) => failures.push(message))
  const { url } = await rawServer(
    ({ socket }) => void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
  )
  const error = await connect(url).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 403 })
  const reason = new Error('changed my mind')
  await expect(connect(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const target = `${url.replace(/\/$/, '')}/`
  expect(failures).toEqual([
    { url: target, error },
    { url: target, error: reason },
  ])
})

test('nobody who watches sees the credentials of a URL', async () => {
  const urls: string[] = []
  listen('ws:client:connected', ({ url }) => urls.push(url))
  const { url } = await echoPeer()
  const socket = await connect(url.replace('//', '//user:secret@'))
  await socket.close()
  expect(urls).toEqual([`${url}/`])
})
