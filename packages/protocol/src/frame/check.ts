// The rules of RFC 6455 §5 for the first two bytes of a frame, as pure functions: bytes and the state of the message in,
// the code of the broken rule out. A rule is checked on the byte that decides it, so that nothing waits for a frame's end.

import {
  FIN,
  LENGTH_BITS,
  MASK,
  MAX_CONTROL_PAYLOAD,
  OPCODE_BITS,
  Opcode,
  type Role,
  RSV1,
  RSV2,
  RSV3,
} from '../constants.ts'
import type { ErrorCode } from '../errors.ts'

/** Close, Ping, Pong and the reserved 11–15 have the top bit of the opcode set (§5.5). */
const CONTROL_BIT = 0x8

/** Whether this first byte begins a control frame. */
export function isControl(first: number): boolean {
  return (first & CONTROL_BIT) !== 0
}

/**
 * Checks FIN, the reserved bits and the opcode.
 * @param fragmented whether a message has begun and its last fragment has not been seen
 * @param allowRsv1 whether an extension that owns RSV1 was negotiated (RFC 7692 §6)
 */
export function checkFirstByte(first: number, fragmented: boolean, allowRsv1: boolean): ErrorCode | undefined {
  const opcode = first & OPCODE_BITS
  if ((first & (RSV2 | RSV3)) !== 0) return 'RESERVED_BITS' // §5.2
  if ((first & RSV1) !== 0 && !(allowRsv1 && startsMessage(opcode))) return 'RESERVED_BITS' // RFC 7692 §6, §6.1
  if (opcode > Opcode.Pong || (opcode > Opcode.Binary && opcode < Opcode.Close)) return 'RESERVED_OPCODE' // §5.2
  if (isControl(first)) return (first & FIN) === 0 ? 'FRAGMENTED_CONTROL' : undefined // §5.5
  if (opcode === Opcode.Continuation) return fragmented ? undefined : 'UNEXPECTED_CONTINUATION' // §5.4
  return fragmented ? 'INTERLEAVED_MESSAGE' : undefined // §5.4
}

/** Checks the mask bit and, for control frames, the length. */
export function checkSecondByte(second: number, first: number, role: Role): ErrorCode | undefined {
  const masked = (second & MASK) !== 0
  if (masked !== (role === 'server')) return masked ? 'MASK_UNEXPECTED' : 'MASK_MISSING' // §5.1
  const length = second & LENGTH_BITS
  if (isControl(first) && length > MAX_CONTROL_PAYLOAD) return 'CONTROL_TOO_LONG' // §5.5
  return length === 1 && (first & OPCODE_BITS) === Opcode.Close ? 'CLOSE_PAYLOAD_SIZE' : undefined // §5.5.1
}

function startsMessage(opcode: number): boolean {
  return opcode === Opcode.Text || opcode === Opcode.Binary
}
