// HTTP/2 servers for one test each, and a raw client: streams of Node's own, on which a test plays the WebSocket itself or has a
// connection of ours run.

import { once } from 'node:events'
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2'
import {
  type WebSocketConnection as Connection,
  type ConnectionOptions,
  connectionSettings,
  openTransport,
  WebSocketConnection,
} from '@ws/protocol/node'
import { makeCertificates } from '@ws/testkit'
import { onTestFinished } from 'vitest'
import { portOf } from './servers.ts'

export const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = http2.constants

/** Listens until the test is over, and then ends its sessions. */
async function listening<Server extends http2.Http2Server | http2.Http2SecureServer>(server: Server): Promise<Server> {
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  onTestFinished(async () => {
    for (const session of sessions) session.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

type Listener = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void

/** In cleartext. */
export function http2Server(options: http2.ServerOptions = {}, listener?: Listener): Promise<http2.Http2Server> {
  return listening(http2.createServer(options, listener))
}

/** Over TLS, with HTTP/1.1 on the same port. */
export async function http2SecureServer(
  options: http2.SecureServerOptions = {},
  listener?: Listener,
): Promise<http2.Http2SecureServer> {
  const { server } = await makeCertificates()
  return await listening(http2.createSecureServer({ ...server, allowHTTP1: true, ...options }, listener))
}

/** A session that knows the server's settings. */
export async function session(
  server: http2.Http2Server | http2.Http2SecureServer,
  options: http2.SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const secure = 'setTicketKeys' in server
  const { ca } = secure ? await makeCertificates() : { ca: undefined }
  const client = http2.connect(`${secure ? 'https' : 'http'}://localhost:${portOf(server)}`, {
    ca,
    family: 4,
    ...options,
  } as http2.SecureClientSessionOptions)
  client.on('error', () => {})
  const closed = new Promise((resolve) => client.on('close', resolve))
  onTestFinished(async () => {
    client.destroy()
    await closed
  })
  await once(client, 'remoteSettings')
  return client
}

/** Asks for a WebSocket; `headers` replace the usual ones. */
export function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = client.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/',
    'sec-websocket-version': '13',
    ...headers,
  })
  stream.on('error', () => {})
  return stream
}

export interface Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
}

/** The whole answer to a request that is refused. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & IncomingHttpStatusHeader]
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  return { status: headers[':status'], headers, body }
}

/** How a stream ended that got no answer: the code of its reset. */
export async function resetOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  if (!stream.destroyed) await new Promise((resolve) => stream.on('close', resolve))
  return stream.rstCode
}

/** A client's end of a WebSocket, accepted with 200. */
export async function connected(
  client: ClientHttp2Session,
  headers?: OutgoingHttpHeaders,
  options: ConnectionOptions = {},
): Promise<{ socket: Connection; stream: ClientHttp2Stream; response: IncomingHttpHeaders }> {
  const stream = ask(client, headers)
  const [response] = (await once(stream, 'response')) as [IncomingHttpHeaders & IncomingHttpStatusHeader]
  if (response[':status'] !== 200) throw new Error(`expected status 200; got ${response[':status']}`)
  const settings = connectionSettings(options, false)
  const socket = new WebSocketConnection({ transport: openTransport(stream), role: 'client', settings })
  socket.start()
  return { socket, stream, response }
}
