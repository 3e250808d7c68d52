// A transport over one stream of an HTTP/2 session (RFC 8441 §5): DATA frames are the bytes, END_STREAM is what FIN is to TCP, and
// RST_STREAM with CANCEL what RST is. Rules:
// - HTTP/2's flow control is the backpressure. A stream that is paused opens its own window no further; the session's it does, so
//   that one that is slow does not stop the others.
// - A large write goes in parts: Node tells of a write when all of it has left, and a peer that is slow, but takes it, is not to be
//   taken for one that does not.
// - Node tells of a reset with CANCEL, of a session's end and of a lost socket alike, without an error: here each is a cause.
// - Nothing of `node:http2` is loaded here: who has a stream has loaded it.

import type { Http2Session, Http2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { Fifo } from '../fifo.ts'
import { holdTogether } from './http2-held.ts'
import { StreamTransport } from './stream.ts'
import type { Writer, Written } from './transport.ts'

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

/** How much of a large write the stream has at a time, in bytes. */
const PART = 64 * 1024

/** A write that the stream does not have all of. */
interface Partial {
  readonly bytes: Uint8Array
  readonly writer: Writer
  /** How much of it has left. */
  left: number
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
  /** A large write, and those behind it. */
  #partial: Fifo<Partial> | undefined
  /** Bytes of these that have not left, and how many of them the stream has. */
  #queued = 0
  #part = 0
  #ended = false

  constructor(stream: Http2Stream, head?: Uint8Array) {
    super(stream, head, addressOf(stream.session))
    this.#session = stream.session
    holdTogether(stream)
  }

  /** A proxy may lie between here and the peer, as with a socket. */
  override get isSocket(): boolean {
    return true
  }

  override get buffered(): number {
    return super.buffered + this.#queued - this.#part
  }

  override get queued(): number {
    return this.#queued
  }

  override write(bytes: Uint8Array, writer: Writer): Written {
    if (this.#ended || this.stream.writableEnded || this.destroyed) return this.refuse(writer)
    if (this.#queued === 0 && bytes.length <= PART) return super.write(bytes, writer)
    this.#partial ??= new Fifo()
    this.#partial.push({ bytes, writer, left: 0 })
    const first = this.#queued === 0
    this.#queued += bytes.length
    if (first) this.#writePart()
    return 'waits'
  }

  override end(): void {
    this.#ended = true
    if (this.#queued === 0) super.end()
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

  #writePart(): void {
    const next = this.#partial?.first
    if (next === undefined) return
    const part = next.bytes.subarray(next.left, next.left + PART)
    this.#part = part.length
    const wrote = (error?: Error | null): void => {
      if (error === undefined || error === null) this.#partLeft(next, part.length)
      else next.writer.wrote(error) // the end of the stream follows
    }
    super.write(part, { wrote })
  }

  #partLeft(partial: Partial, size: number): void {
    partial.left += size
    this.#queued -= size
    this.#part = 0
    const whole = partial.left === partial.bytes.length
    if (whole) this.#partial?.shift()
    if (this.#queued > 0) this.#writePart()
    else if (this.#ended) super.end()
    if (whole) partial.writer.wrote()
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
