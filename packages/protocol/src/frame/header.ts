// Writing frame headers (RFC 6455 §5.2). Lengths always take their shortest form.

import { LENGTH_16, LENGTH_64, MASK, MASKING_KEY_SIZE, MAX_CONTROL_PAYLOAD } from '../constants.ts'

/** The largest payload length that fits the 16-bit form. */
const MAX_LENGTH_16 = 0xffff
const TWO_TO_THE_32 = 0x1_0000_0000

/** The size in bytes of the header of a frame with `length` bytes of payload, its masking key included: 2 to 14. */
export function frameHeaderSize(length: number, masked: boolean): number {
  const key = masked ? MASKING_KEY_SIZE : 0
  if (length <= MAX_CONTROL_PAYLOAD) return 2 + key
  return length <= MAX_LENGTH_16 ? 4 + key : 10 + key
}

/**
 * Writes a frame header into `target` at `offset` and returns the offset of the payload.
 * @param first the first byte: FIN, RSV1–3 and the opcode
 * @param length the payload's length in bytes, an integer up to 2^53 − 1
 * @param key the masking key as a 32-bit integer; `undefined` writes an unmasked frame (a server's, §5.1)
 */
export function writeFrameHeader(
  target: Uint8Array,
  offset: number,
  first: number,
  length: number,
  key: number | undefined,
): number {
  const mask = key === undefined ? 0 : MASK
  let at = offset
  target[at++] = first
  if (length <= MAX_CONTROL_PAYLOAD) {
    target[at++] = mask | length
  } else if (length <= MAX_LENGTH_16) {
    target[at++] = mask | LENGTH_16
    target[at++] = length >>> 8
    target[at++] = length & 0xff
  } else {
    target[at++] = mask | LENGTH_64
    at = writeUint32(target, at, Math.floor(length / TWO_TO_THE_32))
    at = writeUint32(target, at, length % TWO_TO_THE_32)
  }
  return key === undefined ? at : writeUint32(target, at, key)
}

function writeUint32(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 24
  target[offset + 1] = (value >>> 16) & 0xff
  target[offset + 2] = (value >>> 8) & 0xff
  target[offset + 3] = value & 0xff
  return offset + 4
}
