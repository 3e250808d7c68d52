// WebSocket servers on an HTTP/2 server (RFC 8441); `registry.ts` has the same for HTTP/1.1, which may come to the same port. Rules:
// - What they share lives on the HTTP/2 server itself, under a global symbol; see there. Its shape is a contract between versions.
// - Sessions announce extended CONNECT from the first registration on, and never take it back (RFC 8441 §3). So the listeners stay
//   too, when the last server has closed: extended CONNECTs still come.
// - Only extended CONNECTs are looked at. The first server that claims one gets it.
// - Other listeners are left in peace: what nobody here claims is theirs, as is another protocol. Only if there are none is it
//   refused (404, 501, 503), since nobody else would ever answer it.
// - Where there may be others it is offered when all have had the event: who answers it by mistake gets no exception for that, and
//   by then it is known whether Node's own listener was among them.
// - Nor would anybody look after it: a stream without an 'error' listener ends the process when its client resets it. So whatever
//   comes where nobody else listens is guarded and answered, requests that have nothing to do with WebSocket too (404, 405).

import type {
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2'
import { guardErrors } from '@ws/protocol/node'
import { HTTP2 } from './http2-answer.ts'
import type { Refusal } from './refuse.ts'

/** A WebSocket server, as streams see it. Neither method throws. */
export interface StreamClaimer {
  /** Whether a request is for it: `false`, or what {@link takeStream} is to get. */
  claimStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): unknown
  /** Takes a request over, with what {@link claimStream} returned for it. */
  takeStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    claim: unknown,
  ): void
}

type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void
type OnConnect = (request: Http2ServerRequest, response: Http2ServerResponse) => void

interface Streams {
  /** In the order of registration. */
  readonly claimers: StreamClaimer[]
}

const STREAMS: unique symbol = Symbol.for('@ws/server.streams') as typeof STREAMS

const NO_PAGE: Refusal = { status: 404, body: 'expected an extended CONNECT for WebSocket (RFC 8441)\n' }
const NO_TUNNEL: Refusal = { ...NO_PAGE, status: 405 }
const CLOSED: Refusal = { status: 503, body: 'the server is closing\n' }

type Shared = Http2Server & { [STREAMS]?: Streams }

/** Registers a claimer with an HTTP/2 server, over TLS or not. @returns what undoes it, once */
export function registerStreams(server: Http2Server, claimer: StreamClaimer): () => void {
  const shared: Shared = server
  const { claimers } = shared[STREAMS] ?? install(shared)
  claimers.push(claimer)
  return () => {
    claimers.splice(claimers.indexOf(claimer), 1)
  }
}

function install(server: Shared): Streams {
  const claimers: StreamClaimer[] = []
  /** What Node's own listener for 'stream' has shown. */
  const shown = new WeakSet<ServerHttp2Stream>()
  const onStream: OnStream = (stream, headers, _flags, rawHeaders) => {
    const decide = (others: boolean): void => offer({ claimers, others }, stream, headers, rawHeaders)
    if (headers[':protocol'] === undefined) {
      if (isOnlyOurs(server, stream)) refuse(stream, headers[':method'] === 'CONNECT' ? NO_TUNNEL : NO_PAGE)
    } else if (!hasOthers(server, stream, server.listenerCount('request') > 0)) {
      decide(false)
    } else {
      stream.on('error', ignore)
      queueMicrotask(() => {
        stream.off('error', ignore)
        decide(hasOthers(server, stream, shown.has(stream)))
      })
    }
  }
  const onConnect: OnConnect = ({ stream, headers }, response) => {
    shown.add(stream)
    const unanswered = headers[':protocol'] === undefined && server.listenerCount('connect') === 1
    if (unanswered && !response.headersSent) response.writeHead(405).end() // as Node does if nobody listens
  }
  const streams: Streams = { claimers }
  server[STREAMS] = streams
  server.updateSettings({ enableConnectProtocol: true })
  server.on('stream', onStream).on('connect', onConnect)
  return streams
}

function ignore(): void {}

function offer(
  { claimers, others }: Streams & { readonly others: boolean },
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): void {
  if (others && String(headers[':protocol']).toLowerCase() !== 'websocket') return
  for (const claimer of claimers) {
    const claim = claimer.claimStream(stream, headers, rawHeaders)
    if (claim !== false) return claimer.takeStream(stream, headers, rawHeaders, claim)
  }
  if (others) return
  const [first] = claimers
  if (first === undefined) refuse(stream, CLOSED)
  else first.takeStream(stream, headers, rawHeaders, false)
}

/**
 * Whether somebody else may answer a CONNECT.
 * @param ofNode whether Node's own listener is among those for 'stream'. It comes with the first for 'request', stays for good, and
 * makes 'connect' of a CONNECT
 */
function hasOthers(server: Shared, stream: ServerHttp2Stream, ofNode: boolean): boolean {
  const ours = ofNode ? 2 : 1
  return server.listenerCount('connect') > 1 || server.listenerCount('stream') > ours || isSessionWatched(stream)
}

/** Whether nobody but us gets to know of a stream, not even Node's own listener, which guards what it gets. */
function isOnlyOurs(server: Shared, stream: ServerHttp2Stream): boolean {
  return server.listenerCount('stream') === 1 && !isSessionWatched(stream)
}

/** Streams are events of their session first: there the server itself listens. */
function isSessionWatched({ session }: ServerHttp2Stream): boolean {
  return session !== undefined && session.listenerCount('stream') > 1
}

function refuse(stream: ServerHttp2Stream, refusal: Refusal): void {
  guardErrors(stream)
  HTTP2.refuse(stream, refusal, false, new Set())
}
