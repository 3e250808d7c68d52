// The one way to say no to an upgrade (RFC 6455 §4.2.2): a whole HTTP/1.1 answer, then the end of the connection. Rules:
// - Only strings that were checked become headers: nothing that a hook returns can start a line of its own.
// - What the client still sends is read and dropped, since unread bytes would make the kernel reset the connection and
//   take the answer away with it; but not for long.

import { Buffer } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Header } from '@ws/protocol'

/** What a client is told. */
export interface Refusal {
  readonly status: number
  readonly headers?: readonly Header[]
  /** Text by default; another type needs its `Content-Type` among the headers. */
  readonly body: string | Uint8Array
}

/** How long a refused client may take to leave, in ms: a round trip or two, and a retransmission. */
const LINGER = 2_000

const TEXT: Header = ['Content-Type', 'text/plain; charset=utf-8']

/**
 * Answers and ends `stream`.
 * @param bodiless whether the request was one that gets no body (HEAD, RFC 9110 §9.3.2)
 * @param lingering holds the stream until it is closed
 */
export function refuse(stream: Duplex, refusal: Refusal, bodiless: boolean, lingering: Set<Duplex>): void {
  const body = typeof refusal.body === 'string' ? Buffer.from(refusal.body) : refusal.body
  const head = Buffer.from(answerHead(refusal.status, refusalHeaders(refusal.headers ?? [], body.length)), 'latin1')
  linger(stream, lingering)
  stream.resume()
  stream.end(bodiless ? head : Buffer.concat([head, body]))
}

/** Gives a refused client its time to leave. */
export function linger(stream: Duplex, lingering: Set<Duplex>): void {
  lingering.add(stream)
  const timer = setTimeout(() => stream.destroy(), LINGER).unref()
  stream.once('close', () => {
    clearTimeout(timer)
    lingering.delete(stream)
  })
}

/** The head of an HTTP/1.1 answer, up to and with the empty line. */
export function answerHead(status: number, headers: readonly Header[]): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n`
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`
  return `${head}\r\n`
}

/** What a refusal says of itself, and the headers given for it. */
export function refusalHeaders(given: readonly Header[], length: number): Header[] {
  const names = new Set(given.map(([name]) => name.toLowerCase()))
  // Who sends Upgrade names it in Connection too, so that it goes no further than one hop (RFC 9110 §7.8).
  const connection: Header = ['Connection', names.has('upgrade') ? 'close, Upgrade' : 'close']
  const type = names.has('content-type') ? [] : [TEXT]
  return [connection, ...type, ['Content-Length', String(length)], ...given]
}
