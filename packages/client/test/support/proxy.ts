// A proxy that behaves: it opens a tunnel for every CONNECT, to the port asked for on loopback, whatever the name. It is closed when the
// test ends.

import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import net, { type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { close, listen } from './raw-server.ts'

export interface TestProxy {
  readonly port: number
  /** `127.0.0.1:port` */
  readonly address: string
  /** What it was asked for: request line and headers. */
  readonly asked: { target: string; headers: IncomingMessage['headers'] }[]
  /** All accepted connections. */
  readonly sockets: Socket[]
}

/** Starts a proxy on loopback, with `tls` one that speaks TLS. */
export async function tunnellingProxy(tls?: https.ServerOptions): Promise<TestProxy> {
  const server = tls === undefined ? http.createServer() : https.createServer(tls)
  const sockets: Socket[] = []
  const asked: TestProxy['asked'] = []
  server.on('connection', (socket: Socket) => sockets.push(socket))
  server.on('tlsClientError', () => {})
  server.on('connect', ({ url = '', headers }: IncomingMessage, client: Socket, head: Buffer) => {
    asked.push({ target: url, headers })
    const upstream = net.connect(Number(url.split(':').pop()), '127.0.0.1')
    sockets.push(upstream)
    for (const socket of [client, upstream]) socket.on('error', () => client.destroy(void upstream.destroy()))
    upstream.on('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
  })
  const port = await listen(server)
  onTestFinished(() => close(server, sockets))
  return { port, address: `127.0.0.1:${port}`, asked, sockets }
}
