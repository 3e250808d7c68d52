// Servers for one test each: on loopback, on a port that the system chooses, closed when the test is over.

import { type EventEmitter, once } from 'node:events'
import http from 'node:http'
import type http2 from 'node:http2'
import type https from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  type Handlers,
  type OwnPortOptions,
  type RefusedUpgrade,
  type ServerOptions,
  type UpgradeRequest,
  type WebSocketConnection,
  WebSocketServer,
  type WebSocketServerOptions,
} from '@ws/server'
import { onTestFinished } from 'vitest'
import { RawClient } from './raw-client.ts'

export const portOf = (server: { address(): AddressInfo | string | null }) => (server.address() as AddressInfo).port

/** Has a server closed, with whoever is left, when the test ends. */
export function closing<Server extends WebSocketServer<never>>(server: Server): Server {
  onTestFinished(async () => {
    await server.close({ timeout: 0 })
  })
  return server
}

/** A server with its own port. */
export async function serve<Data = unknown>(
  options: ServerOptions<Data> & OwnPortOptions = {},
  handlers?: Handlers<Data>,
): Promise<WebSocketServer<Data>> {
  const all = { port: 0, host: '127.0.0.1', ...options } as WebSocketServerOptions<Data>
  const server = await WebSocketServer.listen(all, handlers)
  return closing(server as unknown as WebSocketServer<never>) as unknown as WebSocketServer<Data>
}

/** An HTTP server that listens. */
export async function httpServer(listener?: http.RequestListener, options: http.ServerOptions = {}) {
  const server = http.createServer(options, listener)
  onTestFinished(async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** A server on an HTTP server, of either version. */
export function share<Data = unknown>(
  server: http.Server | https.Server | http2.Http2Server | http2.Http2SecureServer,
  options: ServerOptions<Data> = {},
  handlers?: Handlers<Data>,
): WebSocketServer<Data> {
  const shared = new WebSocketServer<Data>({ ...options, server }, handlers)
  return closing(shared as unknown as WebSocketServer<never>) as unknown as WebSocketServer<Data>
}

/** The next connection of a server. */
export async function connection<Data>(
  server: WebSocketServer<Data>,
): Promise<{ socket: WebSocketConnection<Data>; request: UpgradeRequest }> {
  const [socket, request] = await once(server as EventEmitter, 'connection')
  return { socket, request }
}

/** The next refusal of a server. */
export async function refused(server: WebSocketServer<never> | WebSocketServer): Promise<RefusedUpgrade> {
  const [refusal] = await once(server as EventEmitter, 'refused')
  return refusal
}

/** An open connection of a server, from both sides. */
export async function open<Data>(server: WebSocketServer<Data>, port: number = portOf(server)) {
  const opened = connection(server)
  const client = await RawClient.connect(port)
  await client.upgrade()
  return { client, ...(await opened) }
}

/** A promise, and what resolves it. */
export function deferred<Value = void>(): [Promise<Value>, (value: Value) => void] {
  let settle: (value: Value) => void = () => {}
  const promise = new Promise<Value>((resolve) => {
    settle = resolve
  })
  return [promise, settle]
}

/** Waits, turn by turn, for what no event tells. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
