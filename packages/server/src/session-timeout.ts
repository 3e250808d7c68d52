// The timeout of a session (`server.setTimeout`, `session.setTimeout`) ends one on which nothing moves, and with it WebSockets that are
// merely silent. So it is off while a session has one, and back when the last has closed: an open session costs a socket. Refused
// requests change nothing.

import type { Http2Session, ServerHttp2Stream } from 'node:http2'

interface Suspended {
  /** How many WebSockets the session has. */
  count: number
  /** What the timeout was, in ms. */
  readonly timeout: number
}

/** Shared by all copies of this package. */
const SUSPENDED: unique symbol = Symbol.for('@ws/server.timeout') as typeof SUSPENDED

/** Node keeps `timeout` here as it does on sockets. */
type Session = Http2Session & { readonly timeout?: number; [SUSPENDED]?: Suspended | undefined }

/** Takes the timeout off the session of a stream that has become a WebSocket, until it closes. */
export function suspendTimeout(stream: ServerHttp2Stream): void {
  const session = stream.session as Session | undefined
  if (session === undefined) return
  const suspended = session[SUSPENDED] ?? { count: 0, timeout: session.timeout ?? 0 }
  session[SUSPENDED] = suspended
  suspended.count++
  session.setTimeout(0)
  stream.once('close', () => {
    suspended.count--
    if (suspended.count > 0) return
    session[SUSPENDED] = undefined
    if (!session.destroyed) session.setTimeout(suspended.timeout)
  })
}
