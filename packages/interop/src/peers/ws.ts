// The package `ws`, both ends.

import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificates } from '@ws/testkit'
import { WebSocket, WebSocketServer } from 'ws'
import { answer, type ServerSocket } from '../behaviour.ts'
import { type Channel, drive, type StandardSocket, standardChannel } from '../drive.ts'
import {
  type ClientPeer,
  LIMIT,
  type Listener,
  type ListenOptions,
  type Plan,
  PROTOCOLS,
  type ServerPeer,
} from '../plan.ts'
import { Reports, whereOf } from '../reports.ts'

/** The client of `ws`. */
export function wsClient({ ca }: Certificates): ClientPeer {
  return {
    can: ['abort', 'compress', 'fragment', 'keepMark', 'limit', 'ping'],
    run: (plan) => drive(plan, wsChannel(plan, ca)),
    dispose: async () => {},
  }
}

function wsChannel({ url, protocols, deflate }: Plan, ca: string): Channel {
  const socket = new WebSocket(url, [...protocols], { ca, perMessageDeflate: deflate, maxPayload: LIMIT })
  return {
    ...standardChannel(socket as StandardSocket),
    sendFragments: (parts) => sendFragments(socket, parts),
    ping: (data) => ping(socket, data),
    abort: () => socket.terminate(),
  }
}

/** The server of `ws`. */
export function wsServer({ server }: Certificates): ServerPeer {
  return { can: ['fragment', 'limit', 'ping'], listen: (options) => listen(options, server), dispose: async () => {} }
}

async function listen({ secure, deflate }: ListenOptions, tls: Certificates['server']): Promise<Listener> {
  const reports = new Reports()
  const http = secure ? createHttpsServer(tls) : createHttpServer()
  const handleProtocols = (offered: Set<string>) => [...offered].find((name) => PROTOCOLS.includes(name)) ?? false
  const server = new WebSocketServer({ server: http, perMessageDeflate: deflate, maxPayload: LIMIT, handleProtocols })
  server.on('connection', (socket, request) => {
    const { path, id } = whereOf(request.url ?? '')
    const { protocol, extensions } = socket
    socket.on('message', (data: Buffer, isBinary) => {
      void answer(path, serverSocket(socket), isBinary ? data : data.toString())
    })
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', (code, reason) => reports.add(id, { protocol, extensions, code, reason: reason.toString() }))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  return { port, ended: (id) => reports.ended(id), close: () => close(server, http) }
}

async function close(server: WebSocketServer, http: ReturnType<typeof createHttpServer>): Promise<void> {
  for (const socket of server.clients) socket.terminate()
  server.close()
  http.close()
  await once(http, 'close')
}

function serverSocket(socket: WebSocket): ServerSocket {
  return {
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
    abort: () => socket.terminate(),
    ping: (data) => ping(socket, data),
    sendFragments: (parts) => sendFragments(socket, parts),
  }
}

function sendFragments(socket: WebSocket, parts: readonly string[]): void {
  for (const [index, part] of parts.entries()) {
    socket.send(part, { fin: index === parts.length - 1 })
    if (index === 0) socket.ping()
  }
}

async function ping(socket: WebSocket, data: string): Promise<void> {
  socket.ping(data)
  const [pong] = (await once(socket, 'pong')) as [Buffer]
  if (pong.toString() !== data) throw new Error(`expected the pong ${data}, got ${pong}`)
}
