// What a script sees of a WebSocket.

import type { WebSocket } from '../../src/index.ts'

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
