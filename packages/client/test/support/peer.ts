// A server that behaves, made of the protocol package alone: it accepts every upgrade and hands out its connections.

import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import {
  acceptUpgrade,
  type ConnectionOptions,
  connectionSettings,
  openTransport,
  WebSocketConnection,
} from '@ws/protocol/node'
import { onTestFinished } from 'vitest'
import { close, listen } from './raw-server.ts'

export interface PeerOptions extends ConnectionOptions {
  protocols?: readonly string[]
  tls?: https.ServerOptions
  /** Called with each connection before it begins to read. */
  opened?: (connection: WebSocketConnection, request: http.IncomingMessage) => void
}

export interface Peer {
  readonly url: string
  readonly port: number
  readonly connections: WebSocketConnection[]
}

/** Starts a server on loopback. */
export async function peer(options: PeerOptions = {}): Promise<Peer> {
  const server = options.tls === undefined ? http.createServer() : https.createServer(options.tls)
  const sockets: Socket[] = []
  const connections: WebSocketConnection[] = []
  server.on('connection', (socket: Socket) => sockets.push(socket))
  server.on('upgrade', (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
    const connection = accept(request, socket, head, options)
    connections.push(connection)
    options.opened?.(connection, request)
    connection.start()
  })
  server.on('tlsClientError', () => {})
  const port = await listen(server)
  onTestFinished(() => close(server, sockets))
  return { url: options.tls === undefined ? `ws://127.0.0.1:${port}` : `wss://localhost:${port}`, port, connections }
}

/** Starts a server that sends every message back. */
export function echoPeer(options: PeerOptions = {}): Promise<Peer> {
  const opened = (connection: WebSocketConnection) =>
    connection.on('message', (data) => {
      connection.send(data)
    })
  return peer({ opened, ...options })
}

function accept(
  request: http.IncomingMessage,
  socket: Socket,
  head: Buffer,
  options: PeerOptions,
): WebSocketConnection {
  const transport = openTransport(socket, head)
  const { protocols } = options
  const answer = acceptUpgrade(request, { protocols })
  if (!answer.valid) throw new Error(answer.message)
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`)
  socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'))
  const settings = connectionSettings(options, false)
  return new WebSocketConnection({ transport, role: 'server', settings, protocol: answer.protocol })
}
