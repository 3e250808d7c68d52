// A transport over one stream of an HTTP/2 session (RFC 8441 §5): DATA frames are the bytes, END_STREAM is what FIN is to TCP, and
// RST_STREAM with CANCEL what RST is. Rules:
// - HTTP/2's flow control is the backpressure. A stream that is paused opens its own window no further; the session's it does, so
//   that one that is slow does not stop the others.
// - Node tells of a reset with CANCEL, of a session's end and of a lost socket alike, without an error: here each is a cause.
// - Nothing of `node:http2` is loaded here: who has a stream has loaded it.

import type { Http2Session, Http2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { holdTogether } from './http2-held.ts'
import { StreamTransport } from './stream.ts'

/** RFC 9113 §7, by code. */
const ERROR_NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]
const NO_ERROR = 0
const CANCEL = 8

/** The name of an error code of HTTP/2; the number of one that has none. */
export function nameOfHttp2Error(code: number): string {
  return ERROR_NAMES[code] ?? String(code)
}

/** What Node calls the end of a stream that either end has reset. */
const RESET = 'ERR_HTTP2_STREAM_ERROR'

/** Whether a stream is one of an HTTP/2 session. Node does not export the class. */
export function isHttp2Stream(stream: Duplex): stream is Http2Stream {
  return 'rstCode' in stream && 'session' in stream
}

export class Http2Transport extends StreamTransport {
  readonly canReuse = false
  /** Kept, since the stream forgets it when it ends. */
  readonly #session: Http2Session | undefined
  /** Whether it was us who ended it. */
  #aborted = false

  constructor(stream: Http2Stream, head?: Uint8Array) {
    super(stream, head, addressOf(stream.session))
    this.#session = stream.session
    holdTogether(stream)
  }

  /** A proxy may lie between here and the peer, as with a socket. */
  override get isSocket(): boolean {
    return true
  }

  /** Resets this stream and no other. */
  override abort(): void {
    this.#aborted = true
    ;(this.stream as Http2Stream).close(CANCEL)
    super.abort()
  }

  override fail(error: Error): void {
    super.fail((error as NodeJS.ErrnoException).code === RESET ? this.#reset(error) : error)
  }

  override finish(): void {
    if (!this.#aborted && this.#session?.destroyed === true) this.fail(new Error('the HTTP/2 session has ended'))
    else if (!this.#aborted && (this.stream as Http2Stream).rstCode !== NO_ERROR) this.fail(this.#reset())
    super.finish()
  }

  #reset(cause?: Error): Error {
    const { rstCode = NO_ERROR } = this.stream as Http2Stream
    return new Error(`the HTTP/2 stream was reset with code ${nameOfHttp2Error(rstCode)}`, { cause })
  }

  /** Each chunk is a part of memory that was read for this session, and its only one for these bytes. */
  protected own(chunk: Uint8Array): Uint8Array {
    return chunk
  }
}

/** A session that has ended throws when it is asked for its socket. */
function addressOf(session: Http2Session | undefined): string | undefined {
  return session === undefined || session.destroyed ? undefined : session.socket.remoteAddress
}
