// Our own ends: `connect` and `WebSocket` of @ws/client, `WebSocketServer` of @ws/server.

import type { AddressInfo } from 'node:net'
import { CloseCode, connect, WebSocket } from '@ws/client'
import { type WebSocketConnection, WebSocketServer } from '@ws/server'
import type { Certificates } from '@ws/testkit'
import { answer, type ServerSocket } from '../behaviour.ts'
import { type Channel, drive, type Ending, messageQueue, standardChannel } from '../drive.ts'
import {
  type Bytes,
  type ClientPeer,
  LIMIT,
  type Listener,
  type ListenOptions,
  type Plan,
  PROTOCOLS,
  type ServerPeer,
} from '../plan.ts'
import { Reports, whereOf } from '../reports.ts'

/** `connect` of @ws/client. */
export function connectPeer({ ca }: Certificates): ClientPeer {
  return {
    can: ['abort', 'compress', 'keepMark', 'limit', 'ping'],
    run: (plan) => drive(plan, connectChannel(plan, ca)),
    dispose: async () => {},
  }
}

/** The class `WebSocket` of @ws/client. */
export function ourStandardPeer({ ca }: Certificates): ClientPeer {
  return {
    can: ['compress', 'keepMark', 'limit'],
    run: (plan) => drive(plan, standardChannel(new WebSocket(plan.url, optionsOf(plan, ca)))),
    dispose: async () => {},
  }
}

function optionsOf({ protocols, deflate }: Plan, ca: string) {
  return { protocols: [...protocols], ca, perMessageDeflate: deflate, maxPayload: LIMIT }
}

function connectChannel(plan: Plan, ca: string): Channel {
  const queue = messageQueue()
  const connected = connect(plan.url, optionsOf(plan, ca), { message: (_, data) => queue.push(data) })
  // `opened` tells of a failure.
  const ended: Promise<Ending> = connected.then(endOf, () => ({
    code: CloseCode.Abnormal,
    reason: '',
    wasClean: false,
  }))
  void ended.then(({ code }) => queue.end(new Error(`the connection ended with ${code}`)))
  let socket: WebSocketConnection | undefined
  const opened = connected.then((open) => {
    socket = open
    return { protocol: open.protocol, extensions: open.extensions }
  })
  return {
    opened,
    ended,
    send: (data) => void socket?.send(data),
    next: () => queue.next(),
    close: (code, reason) => void socket?.close(code, reason),
    ping: async (data) => await socket?.ping(data),
    abort: () => socket?.terminate(),
  }
}

async function endOf(socket: WebSocketConnection): Promise<Ending> {
  const { code, reason, wasClean } = await socket.closed
  return { code, reason, wasClean, bytes: bytesOf(socket) }
}

function bytesOf(socket: WebSocketConnection): Bytes {
  const { bytesIn, bytesOut } = socket.stats()
  return { in: bytesIn, out: bytesOut }
}

/** `WebSocketServer` of @ws/server; pages must be of its own origin, as is its default. */
export function ourServer({ server }: Certificates): ServerPeer {
  return { can: ['limit', 'ping'], listen: (options) => listen(options, server), dispose: async () => {} }
}

async function listen({ secure, deflate }: ListenOptions, tls: Certificates['server']): Promise<Listener> {
  const reports = new Reports()
  const server = await WebSocketServer.listen({
    port: 0,
    host: '127.0.0.1',
    ...(secure && { tls }),
    perMessageDeflate: deflate,
    maxPayload: LIMIT,
    protocols: PROTOCOLS,
  })
  server.on('connection', (socket, request) => {
    const { path, id } = whereOf(request.url)
    const { protocol, extensions } = socket
    socket.on('message', (data) => void answer(path, serverSocket(socket), data))
    socket.on('close', ({ code, reason }) => {
      reports.add(id, { protocol, extensions, code, reason, bytes: bytesOf(socket) })
    })
  })
  const { port } = server.address() as AddressInfo
  return { port, ended: (id) => reports.ended(id), close: async () => void (await server.close()) }
}

function serverSocket(socket: WebSocketConnection): ServerSocket {
  return {
    send: (data) => void socket.send(data),
    close: (code, reason) => void socket.close(code, reason),
    abort: () => socket.terminate(),
    ping: (data) => socket.ping(data),
  }
}
