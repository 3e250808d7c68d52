// The bytes of a job: what a client sends for one message and what a server must answer. Written here once more, apart from
// the library: a fault of the library's framing must not be on both sides of the comparison.

import { createHash } from 'node:crypto'
import { deflated } from './deflate.ts'
import type { Job } from './job.ts'
import { jsonOf } from './json.ts'

const BINARY = 2
const TEXT = 1
const FIN = 0x80
const RSV1 = 0x40
const MASK = 0x80
/** Any key does, as long as it changes every byte. */
const MASKING_KEY = Buffer.from([0x12, 0x34, 0xab, 0xcd])
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The key of the prepared handshake, the example of RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const ACCEPT: string = acceptOf(KEY)

/** What asks a server to broadcast once: a frame of one byte. */
export const GO: Buffer = frame(FIN | BINARY, Buffer.from('!'), true)

/** The first byte of a ping, which is whole. */
export const PING: number = FIN | 9
const PONG = 10

/** A client's answer to a ping. */
export function pongOf(payload: Buffer): Buffer {
  return frame(FIN | PONG, payload, true)
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'
const SEVERAL_WIDTHS = Buffer.from('naïve 漢字 — 🙂, plain ASCII between. ')

/** The payload of a job's messages: exactly `size` bytes, valid UTF-8 if it is text. */
export function payloadOf({ size, payload }: Job): Buffer {
  if (payload === 'binary')
    return Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 167 + (at >> 8)) & 0xff))
  if (payload === 'ascii') return Buffer.alloc(size, ALPHABET)
  if (payload === 'json') return Buffer.from(jsonOf(size))
  const bytes = Buffer.alloc(size, ' ')
  const whole = size - (size % SEVERAL_WIDTHS.length)
  if (whole > 0) bytes.fill(SEVERAL_WIDTHS, 0, whole)
  return bytes
}

/** The payload as an application has it. */
export function messageOf(job: Job): string | Buffer {
  return job.payload === 'binary' ? payloadOf(job) : payloadOf(job).toString()
}

/** One message as a client sends it: masked, in as many frames as the job says. */
export function requestOf(job: Job): Buffer {
  const payload = bodyOf(job)
  const step = Math.ceil(payload.length / job.fragments)
  const frames = Array.from({ length: job.fragments }, (_, index) => {
    const last = index === job.fragments - 1
    const first = (last ? FIN : 0) | (index === 0 ? openingOf(job) : 0)
    return frame(first, payload.subarray(index * step, last ? undefined : (index + 1) * step), true)
  })
  return Buffer.concat(frames)
}

/** One message as a server sends it: one frame, not masked. Of a compressed one only the first byte is the same with every server. */
export function replyOf(job: Job): Buffer {
  return frame(FIN | openingOf(job), bodyOf(job), false)
}

/** The opening handshake of a client. */
export function handshakeOf(port: number, extension?: string): string {
  return [
    'GET / HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...(extension === undefined ? [] : [`Sec-WebSocket-Extensions: ${extension}`]),
    '\r\n',
  ].join('\r\n')
}

/** A server's answer to the opening handshake. */
export function answerTo(key: string): string {
  const accept = key === KEY ? ACCEPT : acceptOf(key)
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}

/** `bytes`, again and again, in one buffer. */
export function repeat(bytes: Buffer, times: number): Buffer {
  return Buffer.alloc(bytes.length * times, bytes)
}

/** The payload on the wire. */
function bodyOf(job: Job): Buffer {
  return job.deflate === 'none' ? payloadOf(job) : deflated(payloadOf(job))
}

/** The first byte of a message's first frame, but for FIN. */
function openingOf({ payload, deflate }: Job): number {
  return (deflate === 'none' ? 0 : RSV1) | (payload === 'binary' ? BINARY : TEXT)
}

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

function frame(first: number, payload: Buffer, masked: boolean): Buffer {
  const mask = masked ? MASK : 0
  const head = Buffer.from([first, mask | lengthCode(payload.length), ...extendedLength(payload.length)])
  if (!masked) return Buffer.concat([head, payload])
  return Buffer.concat([head, MASKING_KEY, payload.map((byte, at) => byte ^ (MASKING_KEY[at & 3] as number))])
}

function lengthCode(length: number): number {
  return length < 126 ? length : length < 65_536 ? 126 : 127
}

function extendedLength(length: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(length))
  return length < 126 ? bytes.subarray(8) : length < 65_536 ? bytes.subarray(6) : bytes
}
