// What a script has of a WebSocket: sockets in the states that tests want, and what they tell.

import type net from 'node:net'
import { onTestFinished } from 'vitest'
import { WebSocket, type WebSocketOptions } from '../../src/index.ts'
import { closeFrame, FrameReader } from './frames.ts'
import { rawServer, switching } from './raw-server.ts'

/** A socket that stays CONNECTING; it is closed when the test ends. */
export async function connecting(): Promise<WebSocket> {
  const { url } = await rawServer(() => {})
  const socket = new WebSocket(url)
  onTestFinished(async () => {
    if (socket.readyState === 3) return
    socket.close()
    await event(socket, 'close')
  })
  return socket
}

/** A socket that is open, and the server's end of it; `lines` are further lines of the answer. */
export async function open(protocols: string | string[] | WebSocketOptions = [], ...lines: string[]) {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept, ...lines)))
  const socket = new WebSocket(server.url, protocols)
  const seen = record(socket)
  await event(socket, 'open')
  const peerSocket = server.sockets[0] as net.Socket
  return { socket, seen, server, peerSocket, reader: new FrameReader(peerSocket) }
}

/** Lets the server close. */
export async function finish({ socket, peerSocket }: { socket: WebSocket; peerSocket: net.Socket }): Promise<void> {
  peerSocket.end(closeFrame())
  await event(socket, 'close')
}

/** One turn of the event loop. */
export const task = () => new Promise((resolve) => setImmediate(resolve))

export type Seen = [type: string, readyState: number, ...more: unknown[]]

/** Notes all events from now on. */
export function record(socket: WebSocket): Seen[] {
  const seen: Seen[] = []
  socket.addEventListener('open', () => seen.push(['open', socket.readyState]))
  socket.addEventListener('message', ({ data }) => seen.push(['message', socket.readyState, data]))
  socket.addEventListener('error', () => seen.push(['error', socket.readyState]))
  socket.addEventListener('close', ({ wasClean, code, reason }) => {
    seen.push(['close', socket.readyState, wasClean, code, reason])
  })
  return seen
}

/** Waits for one event. */
export function event(socket: WebSocket, type: 'open' | 'message' | 'error' | 'close'): Promise<Event> {
  return new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }))
}

/** The events of a failure. */
export const FAILED: Seen[] = [
  ['error', 3],
  ['close', 3, false, 1006, ''],
]
