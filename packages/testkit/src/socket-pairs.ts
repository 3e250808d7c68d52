// Connected pairs of real sockets on loopback: port 0, no other listener left behind. `client` is what `http.request`
// would hold, `server` what an `'upgrade'` listener would get.

import { once } from 'node:events'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { makeCertificates } from './certificates.ts'

/** Two connected ends, and the way to give both back. */
export interface SocketPair<T extends Duplex> {
  client: T
  server: T
  /** Destroys both ends; resolves once both are closed. */
  dispose(): Promise<void>
}

/** Connects two TCP sockets. */
export async function tcpPair(): Promise<SocketPair<net.Socket>> {
  // As `http.Server` makes them.
  const listener = net.createServer({ allowHalfOpen: true, noDelay: true })
  return await pair(listener, 'connection', (port) => net.connect({ port, host: '127.0.0.1' }), 'connect')
}

/** Connects two TLS sockets; the client has verified the server's certificate. */
export async function tlsPair(): Promise<SocketPair<tls.TLSSocket>> {
  const { ca, server } = await makeCertificates()
  const connect = (port: number) => tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca })
  return await pair(tls.createServer(server), 'secureConnection', connect, 'secureConnect')
}

/** Connects two streams of one HTTP/2 session by an extended CONNECT (RFC 8441): cleartext, or over TLS. */
export async function http2Pair(secure = false): Promise<SocketPair<http2.Http2Stream>> {
  const { ca, server: identity } = secure ? await makeCertificates() : { ca: undefined, server: undefined }
  const settings = { enableConnectProtocol: true }
  const listener =
    identity === undefined ? http2.createServer({ settings }) : http2.createSecureServer({ ...identity, settings })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as net.AddressInfo
  const session = http2.connect(`${secure ? 'https' : 'http'}://127.0.0.1:${port}`, { ca })
  await once(session, 'remoteSettings')
  const request = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/' }
  const client = session.request(request, { endStream: false })
  const [server] = (await once(listener, 'stream')) as [http2.ServerHttp2Stream]
  server.respond()
  await once(client, 'response')
  const disposeAll = async () => {
    const closed = session.closed ? undefined : once(session, 'close')
    await dispose([client, server])
    session.destroy()
    await closed
    await new Promise((resolve) => listener.close(resolve))
  }
  return { client, server, dispose: disposeAll }
}

async function pair<T extends net.Socket>(
  listener: net.Server,
  accepted: string,
  connect: (port: number) => T,
  connected: string,
): Promise<SocketPair<T>> {
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const server = once(listener, accepted) as Promise<[T]>
  const client = connect((listener.address() as AddressInfo).port)
  const [[serverSocket]] = await Promise.all([server, once(client, connected)])
  // Stops listening; the accepted socket lives on, so its 'close' is not waited for.
  listener.close()
  return { client, server: serverSocket, dispose: () => dispose([client, serverSocket]) }
}

/** Destroys streams; resolves once all are closed. */
export async function dispose(streams: Duplex[]): Promise<void> {
  await Promise.all(streams.map(destroyed))
}

async function destroyed(stream: Duplex): Promise<void> {
  // The end that is destroyed first may reset the other.
  stream.on('error', () => {})
  stream.destroy()
  if (!stream.closed) await once(stream, 'close')
}
