// What goes wrong where a WebSocket is a stream of HTTP/2. Rule: as in ../failure.ts, every failure is one HandshakeError that says
// who and why.

import type { ClientHttp2Stream } from 'node:http2'
import { type ErrorCode, HandshakeError } from '@ws/protocol'
import { nameOfHttp2Error } from '@ws/protocol/node'
import { connectFailure, type Whereabouts } from '../failure.ts'

/** RFC 9113 §7. */
const PROTOCOL_ERROR = 0x1
export const REFUSED_STREAM = 0x7
export const CANCEL = 0x8
export const ENHANCE_YOUR_CALM = 0xb
const HTTP_1_1_REQUIRED = 0xd

/** The server speaks no HTTP/2. */
export function notSpoken(words: string, { address }: Whereabouts, cause?: unknown): HandshakeError {
  return new HandshakeError('HANDSHAKE_HTTP2', `${address} does not speak HTTP/2: ${words}`, { cause })
}

/** The server speaks HTTP/2, but not for WebSockets. */
export function notOffered(words: string, { address }: Whereabouts): HandshakeError {
  return new HandshakeError('HANDSHAKE_HTTP2', `${address} offers no WebSocket over HTTP/2: ${words}`)
}

/** The session is not what the URL asks for. */
export function withoutTls({ address }: Whereabouts): HandshakeError {
  const message = `no request to ${address}: a wss: URL asks for TLS, and the session given as option http2 has none`
  return new HandshakeError('HANDSHAKE_HTTP2', message)
}

/** A session ended before the server's SETTINGS had come. @param error what it ended with, if with anything */
export function sessionFailure(error: unknown, where: Whereabouts): HandshakeError {
  if (error === undefined) return noAnswer('the server closed the connection before it answered the handshake', where)
  const { code } = error as { code?: unknown }
  return code === NOT_HTTP2 ? notSpoken('what it sent is something else', where, error) : connectFailure(error, where)
}

/** What Node calls bytes that break the rules of HTTP/2, and a stream that was reset. */
const NOT_HTTP2 = 'ERR_HTTP2_ERROR'
const RESET = 'ERR_HTTP2_STREAM_ERROR'

/** A stream ended before the server had answered. @param error what it ended with, if with anything */
export function streamFailure(
  { rstCode = 0 }: ClientHttp2Stream,
  sessionEnded: boolean,
  error: Error | undefined,
  where: Whereabouts,
): HandshakeError {
  const { code } = (error ?? {}) as { code?: unknown }
  if (code === NOT_HTTP2)
    return failure('HANDSHAKE_MALFORMED', `the answer of ${where.address} is not valid HTTP/2`, error)
  if (error !== undefined && code !== RESET) return connectFailure(error, where)
  if (sessionEnded && error === undefined) return sessionFailure(undefined, where)
  if (rstCode === HTTP_1_1_REQUIRED) return notOffered('it requires HTTP/1.1 (HTTP_1_1_REQUIRED)', where)
  if (rstCode === PROTOCOL_ERROR) {
    const words = `the answer of ${where.address} is not valid HTTP/2, or it found our request so (PROTOCOL_ERROR)`
    return failure('HANDSHAKE_MALFORMED', words, error)
  }
  return noAnswer(`the server reset the stream (${nameOfHttp2Error(rstCode)})`, where, error)
}

/** The server was to answer, and cannot. */
export function noAnswer(words: string, { address }: Whereabouts, cause?: unknown): HandshakeError {
  return failure('CONNECT_FAILED', `no answer from ${address}: ${words}`, cause)
}

function failure(code: ErrorCode, message: string, cause: unknown): HandshakeError {
  return new HandshakeError(code, message, { cause })
}
