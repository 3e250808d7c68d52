// Short names for the frames and steps of the catalogue. Each yields plain data.

import type { ExpectedFrame, Payload, SentFrame, SentMessage, Step } from './case.ts'

type Extra = Omit<SentFrame, 'opcode' | 'payload'>

export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Bytes of a text, or those written in hexadecimal digits after `hex:`. */
export function bytes(text: string): Uint8Array {
  return text.startsWith('hex:') ? Buffer.from(text.slice(4).replaceAll(' ', ''), 'hex') : Buffer.from(text)
}

export function joined(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? bytes(part) : part)))
}

function payloadOf(payload: string | Payload): Payload {
  return typeof payload === 'string' ? bytes(payload) : payload
}

export function frame(opcode: number, payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return { opcode, payload: payloadOf(payload), ...extra }
}

export function text(payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return frame(TEXT, payload, extra)
}

export function binary(payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return frame(BINARY, payload, extra)
}

export function more(payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return frame(CONTINUATION, payload, { fin: false, ...extra })
}

export function last(payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return frame(CONTINUATION, payload, extra)
}

/** The first fragment of a message of text. */
export function begin(payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return frame(TEXT, payload, { fin: false, ...extra })
}

export function ping(payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return frame(PING, payload, extra)
}

export function pong(payload: string | Payload = NO_BYTES, extra: Extra = {}): SentFrame {
  return frame(PONG, payload, extra)
}

/** A Close with a code and a reason, or an empty one. */
export function close(code?: number, reason: string | Uint8Array = NO_BYTES, extra: Extra = {}): SentFrame {
  if (code === undefined) return frame(CLOSE, NO_BYTES, extra)
  return frame(CLOSE, joined(Uint8Array.of(code >> 8, code & 0xff), reason), extra)
}

export function send(...frames: readonly SentFrame[]): Step {
  return { send: frames }
}

/** Messages that the peer compresses. */
export function compress(...messages: readonly SentMessage[]): Step {
  return { compress: messages }
}

export function expect(...frames: readonly ExpectedFrame[]): Step {
  return { expect: frames }
}

/** What the target must send: a message of text. */
export function texted(payload: string | Payload = NO_BYTES): ExpectedFrame {
  return { opcode: TEXT, payload: payloadOf(payload) }
}

export function binaried(payload: string | Payload = NO_BYTES): ExpectedFrame {
  return { opcode: BINARY, payload: payloadOf(payload) }
}

export function ponged(payload: string | Payload = NO_BYTES): ExpectedFrame {
  return { opcode: PONG, payload: payloadOf(payload) }
}

export function closed(code?: number): ExpectedFrame {
  return { opcode: CLOSE, code }
}

/** The end of TCP, from the peer's side. */
export const END: Step = { end: true }
/** TCP is reset, or the stream. */
export const RESET: Step = { reset: true }
/** What has come so far is in order: the connection still answers. */
export const STILL_OPEN: readonly Step[] = [send(ping('still?')), expect(ponged('still?'))]
/** What must not be looked at any more: were it, an echo or a pong would come. */
export const IGNORED: readonly SentFrame[] = [text('ignored'), ping('ignored')]

/** A number in hexadecimal digits. */
export function hex(value: number, digits = 2): string {
  return value.toString(16).padStart(digits, '0')
}

/** Bytes of bits in the order of DEFLATE, the first being the lowest of its byte (RFC 1951 §3.1.1); spaces are for the reader. */
export function bits(stream: string): Uint8Array {
  const digits = stream.replaceAll(' ', '')
  return Uint8Array.from({ length: Math.ceil(digits.length / 8) }, (_, at) =>
    Number.parseInt([...digits.slice(8 * at, 8 * at + 8).padEnd(8, '0')].reverse().join(''), 2),
  )
}
