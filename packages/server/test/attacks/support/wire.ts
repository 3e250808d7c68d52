// What attackers write: frames, right or wrong, towards either end. A server gets them with the masking key 00000000
// (STANDARDS H8), so that what is sent is what is read here.

/** The end that is attacked. */
export type Target = 'server' | 'client'

export const TEXT = 0x81
export const BINARY = 0x82
export const CLOSE = 0x88
export const PING = 0x89
export const PONG = 0x8a
/** The first and the next fragments of a binary message, without an end. */
export const BEGIN = 0x02
export const MORE = 0x00
/** What a compressed message adds to its first byte. */
export const RSV1 = 0x40

const NO_MASK = Buffer.alloc(0)
const ZERO_KEY = Buffer.alloc(4)

/** A frame with this first byte; its header may lie about the length. */
export function frame(target: Target, first: number, payload: string | Uint8Array = '', declared?: bigint): Buffer {
  const body = Buffer.from(payload as string)
  const mask = target === 'server' ? 0x80 : 0
  const length = declared ?? BigInt(body.length)
  return Buffer.concat([Buffer.of(first), lengthField(length, mask), mask === 0 ? NO_MASK : ZERO_KEY, body])
}

/** A frame that gives the 64-bit length in hexadecimal digits, and then nothing. */
export function longHeader(target: Target, first: number, digits: string): Buffer {
  return Buffer.concat([Buffer.of(first, target === 'server' ? 0xff : 0x7f), Buffer.from(digits, 'hex')])
}

export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  return Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason as string)])
}

/** The same frame many times, for one write. */
export function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.alloc(bytes.length * times, bytes)
}

function lengthField(length: bigint, mask: number): Buffer {
  if (length <= 125n) return Buffer.of(mask | Number(length))
  const field = Buffer.alloc(9)
  field.writeBigUInt64BE(length, 1)
  if (length <= 0xffffn) return Buffer.concat([Buffer.of(mask | 126), field.subarray(7)])
  field[0] = mask | 127
  return field
}
