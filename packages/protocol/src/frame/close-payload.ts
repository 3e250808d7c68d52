// The payload of Close frames (RFC 6455 §5.5.1, §7.4): two bytes of code, then a reason in UTF-8.

import { CloseCode, MAX_CLOSE_REASON } from '../constants.ts'
import { type ErrorCode, UsageError, usage } from '../errors.ts'
import { decodeUtf8, encodeUtf8, isUtf8, Utf8Validator } from '../message/utf8.ts'

/** What a Close frame says. `code` is 1005 when it says nothing (§7.1.5). */
export interface ClosePayload {
  readonly code: number
  readonly reason: string
}

/** What is wrong with a Close payload. `index` is that of the byte that decided it. */
export interface ClosePayloadFault {
  readonly error: ErrorCode
  readonly index: number
  readonly detail: string
}

/** 3000–3999 are registered with IANA, 4000–4999 are private (§7.4.2). */
const FIRST_REGISTERED = 3000
const LAST_PRIVATE = 4999

/** Whether a close code may stand in a Close frame (§7.4.1, §7.4.2 and the IANA registry). */
export function isWireCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false
  if (code >= FIRST_REGISTERED) return code <= LAST_PRIVATE
  if (code >= CloseCode.InvalidPayload) return code <= CloseCode.BadGateway
  return code >= CloseCode.Normal && code <= CloseCode.UnsupportedData
}

/** Reads a Close payload; a fault is returned, not thrown. An empty payload gives code 1005 (§7.1.5). */
export function parseClosePayload(payload: Uint8Array): ClosePayload | ClosePayloadFault {
  if (payload.length === 0) return { code: CloseCode.NoStatus, reason: '' }
  if (payload.length === 1) return { error: 'CLOSE_PAYLOAD_SIZE', index: 0, detail: '' }
  const fault = firstCloseFault(payload, payload.length)
  if (fault !== undefined) return fault
  if (!isUtf8(payload, 2, payload.length)) {
    return { error: 'INVALID_UTF8', index: payload.length - 1, detail: 'close reason cut short' }
  }
  return { code: codeOf(payload), reason: decodeUtf8(payload, 2, payload.length) }
}

/** The first byte that is wrong in the first `length` bytes of a Close payload, whatever may still follow them. */
export function firstCloseFault(payload: Uint8Array, length: number): ClosePayloadFault | undefined {
  if (length < 2) return undefined
  const code = codeOf(payload)
  if (!isWireCloseCode(code)) return { error: 'CLOSE_CODE_INVALID', index: 1, detail: String(code) }
  const invalid = new Utf8Validator().push(payload, 2, length)
  return invalid < 0 ? undefined : { error: 'INVALID_UTF8', index: invalid, detail: 'close reason' }
}

function codeOf(payload: Uint8Array): number {
  return (payload[0] << 8) | payload[1]
}

/**
 * Makes the payload of a Close frame; without a code it is empty.
 * @throws UsageError if the code may not be sent, if there is a reason without a code, or if the reason is over 123 bytes of UTF-8
 */
export function makeClosePayload(code?: number, reason = ''): Uint8Array {
  if (typeof reason !== 'string') throw usage('close reason', 'a string', reason)
  if (code === undefined) {
    if (reason !== '') throw new UsageError('a close reason needs a close code: close(1000, reason)')
    return new Uint8Array(0)
  }
  if (!isWireCloseCode(code)) {
    throw usage('close code', 'one of 1000-1003, 1007-1014 or 3000-4999', code)
  }
  const text = encodeUtf8(reason)
  if (text.length > MAX_CLOSE_REASON) {
    throw new UsageError(`close reason must have at most 123 bytes of UTF-8; got ${text.length}`)
  }
  const payload = new Uint8Array(2 + text.length)
  payload[0] = code >>> 8
  payload[1] = code & 0xff
  payload.set(text, 2)
  return payload
}

/** Cuts text to at most `limit` bytes of UTF-8, between code points. */
export function truncateUtf8(text: string, limit: number): string {
  let bytes = 0
  let kept = ''
  for (const character of text) {
    bytes += encodeUtf8(character).length
    if (bytes > limit) return kept
    kept += character
  }
  return kept
}
