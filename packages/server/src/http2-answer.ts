// Answers on a stream of HTTP/2 (RFC 8441 §5, RFC 9113 §8.1). Rules: headers that are about one hop of HTTP/1.1 are left out, as a
// proxy would; after a refusal the client is asked to send no more, and nobody else on the session notices.

import { Buffer } from 'node:buffer'
import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Header } from '@ws/protocol'
import { openTransport } from '@ws/protocol/node'
import type { Answer } from './answer.ts'
import { linger, type Refusal, refusalHeaders } from './refuse.ts'
import { suspendTimeout } from './session-timeout.ts'

/** RFC 9113 §7. */
const NO_ERROR = 0
const INTERNAL_ERROR = 2

/** RFC 9113 §8.2.2, and RFC 7540 §3.2.1. Node throws for them. */
const CONNECTION_HEADERS = [
  'connection',
  'upgrade',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
]

export const HTTP2: Answer = {
  accept(stream, { status, headers }, head) {
    respond(stream as ServerHttp2Stream, status, headers)
    suspendTimeout(stream as ServerHttp2Stream)
    return openTransport(stream, head)
  },

  refuse(stream, refusal, _bodiless, lingering) {
    linger(stream, lingering)
    stream.resume()
    answer(stream as ServerHttp2Stream, refusal)
  },
}

function answer(stream: ServerHttp2Stream, { status, headers = [], body }: Refusal): void {
  try {
    respond(stream, status, refusalHeaders(headers, Buffer.byteLength(body)))
    // Not before the answer has left: a reset may overtake it.
    stream.once('finish', () => setImmediate(() => stream.close(NO_ERROR)))
    if (!stream.writableEnded) stream.end(body) // a status without a body has ended it
  } catch {
    stream.close(INTERNAL_ERROR)
  }
}

/** @throws Node's error about a header */
function respond(stream: ServerHttp2Stream, status: number, headers: readonly Header[]): void {
  const fields: OutgoingHttpHeaders & Record<string, string[]> = Object.create(null)
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (CONNECTION_HEADERS.includes(lower)) continue
    const lines = fields[lower]
    if (lines === undefined) fields[lower] = [value]
    else lines.push(value)
  }
  stream.respond({ ':status': status, ...fields }, { sendDate: false } as object)
}
