// Watches a client's connection from outside, at its socket: what it shows is what the operating system was given and gave,
// not what the client says about itself. Rules: it looks and changes nothing; the frames are counted by the codec of
// @ws/protocol on its own; it knows plain TCP only.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { acceptKey, FrameParser, type FrameSink, type Role } from '@ws/protocol'
import type { Counts } from './messages.ts'

/** The opening handshake as it stood on the wire (RFC 6455 §4). */
export interface Handshake {
  readonly requestLine: string
  readonly key: string
  /** What the server has to answer to that key. */
  readonly expectedAccept: string
  readonly statusLine: string
  /** What the server answered. */
  readonly accept: string
}

/** What was seen so far. */
export interface Wire {
  handshake(): Handshake
  traffic(): Pick<Counts, 'framesIn' | 'framesOut' | 'bytesIn' | 'bytesOut'>
}

/** Node announces each TCP connection that this process opens. */
const CHANNEL = 'net.client.socket'

const END_OF_HEAD = '\r\n\r\n'

/** Watches the next TCP connection that this process opens. */
export function watchNextConnection(): Wire {
  // What goes out is masked as a server expects it, what comes in is not.
  const sent = new Stream('server')
  const received = new Stream('client')
  const onSocket = (message: unknown): void => {
    unsubscribe(CHANNEL, onSocket)
    tap((message as { socket: Socket }).socket, sent, received)
  }
  subscribe(CHANNEL, onSocket)
  return {
    handshake: () => readHandshake(sent.head, received.head),
    traffic: () => ({
      framesIn: received.frames,
      framesOut: sent.frames,
      bytesIn: received.bytes,
      bytesOut: sent.bytes,
    }),
  }
}

/** What a socket writes passes `_write` or `_writev`, what it has read `push`. (`write` is set anew when it connects.) */
function tap(socket: Socket, sent: Stream, received: Stream): void {
  const { _write, _writev, push } = socket
  socket._write = (chunk, encoding, done) => {
    sent.see(bytesOf(chunk, encoding))
    _write.call(socket, chunk, encoding, done)
  }
  socket._writev = (chunks, done) => {
    for (const { chunk, encoding } of chunks) sent.see(bytesOf(chunk, encoding))
    _writev?.call(socket, chunks, done)
  }
  socket.push = (chunk, encoding) => {
    if (chunk !== null) received.see(bytesOf(chunk, encoding))
    return push.call(socket, chunk, encoding)
  }
}

/** A copy: the parser unmasks in place. */
function bytesOf(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)
}

/** One direction: the head of an HTTP message, then frames. */
class Stream {
  head = ''
  bytes = 0
  frames = 0
  #inHead = true
  readonly #parser: FrameParser

  /** @param role of whom the frames are for */
  constructor(role: Role) {
    const sink: FrameSink = {
      onHeader: () => {},
      onPayload: () => {},
      onFrameEnd: () => {
        this.frames++
      },
      onViolation: () => {},
    }
    const limit = Number.MAX_SAFE_INTEGER
    this.#parser = new FrameParser({ role, maxPayload: limit, maxFragments: limit, allowRsv1: false }, sink)
  }

  see(chunk: Buffer): void {
    if (this.#inHead) this.#seeHead(chunk)
    else this.#seeFrames(chunk)
  }

  #seeHead(chunk: Buffer): void {
    const seen = this.head + chunk.toString('latin1')
    const end = seen.indexOf(END_OF_HEAD)
    this.#inHead = end < 0
    this.head = this.#inHead ? seen : seen.slice(0, end)
    if (!this.#inHead) this.#seeFrames(Buffer.from(seen.slice(end + END_OF_HEAD.length), 'latin1'))
  }

  #seeFrames(chunk: Buffer): void {
    this.bytes += chunk.length
    this.#parser.push(chunk, 0, chunk.length)
  }
}

function readHandshake(request: string, response: string): Handshake {
  const key = header(request, 'Sec-WebSocket-Key')
  return {
    requestLine: firstLine(request),
    key,
    expectedAccept: acceptKey(key),
    statusLine: firstLine(response),
    accept: header(response, 'Sec-WebSocket-Accept'),
  }
}

function firstLine(head: string): string {
  return head.split('\r\n', 1).join()
}

function header(head: string, name: string): string {
  const start = `${name.toLowerCase()}:`
  const line = head.split('\r\n').find((each) => each.toLowerCase().startsWith(start))
  return line?.slice(start.length).trim() ?? ''
}
