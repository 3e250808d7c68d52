// Opening connections over HTTP/2 (RFC 8441): so many streams on each session. Rule: a session asks for no stream before the server
// has said that it may.

import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import type { Peer, Target } from './dial.ts'

/** Flow control must not be what limits the load; a stream has as much. */
const SESSION_WINDOW = 16 * 1024 * 1024
const STREAM_WINDOW = 1024 * 1024

/** Opens as many streams as there are peers, on as many sessions as they take. */
export async function dialSessions(target: Target, peers: readonly Peer[]): Promise<void> {
  for (let at = 0; at < peers.length; at += target.streams) {
    const session = await openSession(target)
    await Promise.all(peers.slice(at, at + target.streams).map((peer) => openStream(session, target, peer)))
  }
}

async function openSession({ port, ca, onFailure }: Target): Promise<ClientHttp2Session> {
  const authority = `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const settings = { initialWindowSize: STREAM_WINDOW }
  const session = connect(authority, ca === undefined ? { settings } : { settings, ca, servername: 'localhost' })
  session.on('error', onFailure)
  await once(session, 'remoteSettings')
  if (session.remoteSettings.enableConnectProtocol !== true) throw new Error('expected extended CONNECT to be offered')
  session.setLocalWindowSize(SESSION_WINDOW)
  return session
}

function openStream(session: ClientHttp2Session, { onFailure }: Target, peer: Peer): Promise<void> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      'sec-websocket-version': '13',
    })
    peer.socket = stream
    stream.on('response', ({ ':status': status }) => {
      if (status === 200) resolve()
      else onFailure(new Error(`expected status 200; got ${status}`))
    })
    stream.on('data', (chunk: Buffer) => {
      try {
        peer.take(chunk, 0, chunk.length)
      } catch (error) {
        onFailure(error as Error)
      }
    })
    stream.on('error', onFailure)
    stream.on('close', () => {
      if (!peer.ended) onFailure(new Error('the server closed a stream'))
    })
  })
}
