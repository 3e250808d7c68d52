// The answer of a proxy that was asked for a tunnel. Rules: any 2xx opens it (RFC 9110 §9.3.6), and nothing may follow before we
// have spoken; any other is told with the beginning of its body. Node's parser takes every answer to CONNECT for a tunnel, so the body is
// read here.

import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { HandshakeError } from '@ws/protocol'
import { MAX_BODY } from './answer.ts'

/** Whether the proxy has opened the tunnel. */
export function isOpened({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
}

/** Bytes behind the answer that opened the tunnel: a server speaks second, so nobody knows whose they are. */
export function unexpectedBytes({ statusCode: status, headers }: IncomingMessage, head: Buffer): HandshakeError {
  const message = `expected nothing behind its status ${status}; got ${head.length} bytes`
  return new HandshakeError('HANDSHAKE_PROXY', message, { status, headers, body: head.subarray(0, MAX_BODY) })
}

/** What ends a chunked body (RFC 9112 §7.1), if there are no trailers. */
const LAST_CHUNK = '0\r\n\r\n'

/** A refusal, as far as it has come. */
export class TunnelRefusal {
  readonly #response: IncomingMessage
  readonly #chunks: Buffer[] = []
  readonly #chunked: boolean
  /** How much is waited for, in bytes. */
  readonly #wanted: number
  #size = 0
  #tail = ''

  constructor(response: IncomingMessage) {
    const { 'transfer-encoding': coding = '', 'content-length': length = MAX_BODY } = response.headers
    this.#response = response
    this.#chunked = /\bchunked\s*$/i.test(coding)
    this.#wanted = this.#chunked ? MAX_BODY : Math.min(Number(length), MAX_BODY)
  }

  /**
   * Reads the body.
   * @param head what came of it with the answer
   * @param complete called when it is complete, long enough, or lost; at once perhaps, and more than once
   */
  read(socket: Duplex, head: Buffer, complete: () => void): void {
    socket.on('data', (chunk: Buffer) => this.#take(chunk, complete))
    socket.on('end', complete)
    socket.on('close', complete)
    this.#take(head, complete)
  }

  get error(): HandshakeError {
    const { statusCode: status, headers } = this.#response
    const bytes = Buffer.concat(this.#chunks, Math.min(this.#size, this.#wanted))
    const body = this.#chunked ? unchunk(bytes) : bytes
    return new HandshakeError('HANDSHAKE_PROXY', `expected status 2xx; got ${status}`, { status, headers, body })
  }

  #take(chunk: Buffer, complete: () => void): void {
    if (this.#size > 0 && this.#size >= this.#wanted) return
    this.#chunks.push(chunk)
    this.#size += chunk.length
    this.#tail = (this.#tail + chunk.toString('latin1')).slice(-LAST_CHUNK.length)
    if (this.#size >= this.#wanted || (this.#chunked && this.#tail === LAST_CHUNK)) complete()
  }
}

/** Takes the chunked coding away (RFC 9112 §7.1), as far as it goes. */
function unchunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = lineEnd < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) return Buffer.concat(chunks)
    const start = lineEnd + 2
    chunks.push(bytes.subarray(start, start + size))
    at = start + size + 2
  }
}
