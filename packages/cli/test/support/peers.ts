// The peers of the program: servers and clients of the test's own, closed with it.

import type { AddressInfo } from 'node:net'
import { type ConnectOptions, connect, type WebSocketConnection } from '@ws/client'
import { type Handlers, type ServerOptions, WebSocketServer } from '@ws/server'
import { onTestFinished } from 'vitest'

export interface Served {
  readonly server: WebSocketServer
  readonly url: string
}

export async function serve(handlers?: Handlers, options: ServerOptions & { tls?: object } = {}): Promise<Served> {
  const server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1', ...options }, handlers)
  onTestFinished(async () => {
    await server.close({ timeout: 0 })
  })
  const { port } = server.address() as AddressInfo
  return { server, url: `ws${options.tls ? 's' : ''}://127.0.0.1:${port}` }
}

/** A server that sends back what it gets. */
export function serveEcho(options?: ServerOptions): Promise<Served> {
  return serve(
    { message: (socket, data) => (socket.send(data) ? undefined : socket.drained().catch(() => {})) },
    options,
  )
}

export async function dial(url: string, options?: ConnectOptions): Promise<WebSocketConnection> {
  const socket = await connect(url, options)
  onTestFinished(() => socket.terminate())
  return socket
}

/** The next message. */
export async function next(socket: WebSocketConnection): Promise<string | Buffer | undefined> {
  for await (const message of socket) return message
  return undefined
}
