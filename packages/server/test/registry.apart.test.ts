// Two copies of the package on one HTTP server, as two versions in one process would be.

import type { WebSocketServer } from '@ws/server'
import { expect, test, vi } from 'vitest'
import { RawClient } from './support/raw-client.ts'
import { closing, httpServer, portOf, share } from './support/servers.ts'

const OURS = 'HTTP/1.1 101 Switching Protocols'

async function headOf(port: number, path: string) {
  const client = await RawClient.connect(port)
  return (await client.upgrade({ start: `GET ${path} HTTP/1.1` }))[0]
}

test('a second copy of the package joins the registry of the first', async () => {
  vi.resetModules()
  const copy = (await import('../src/server.ts')) as { WebSocketServer: typeof WebSocketServer }
  const http = await httpServer()
  const ours = share(http, { path: '/a' })
  expect(copy.WebSocketServer).not.toBe(ours.constructor)
  const other = closing(new copy.WebSocketServer({ server: http, path: '/b' }) as WebSocketServer<never>)
  expect(http.listenerCount('upgrade')).toBe(1)
  const port = portOf(http)
  expect(await headOf(port, '/a')).toBe(OURS)
  expect(await headOf(port, '/b')).toBe(OURS)
  expect(await headOf(port, '/c')).toBe('HTTP/1.1 404 Not Found')
  expect([ours.stats().accepted, other.stats().accepted]).toEqual([1, 1])
  await ours.close({ timeout: 0 })
  expect(http.listenerCount('upgrade')).toBe(1)
  expect(await headOf(port, '/b')).toBe(OURS)
  expect(await headOf(port, '/a')).toBe('HTTP/1.1 404 Not Found')
})
