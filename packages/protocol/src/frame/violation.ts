// The one place that turns a broken rule into the error that the application finds in the close info.

import { type ErrorCode, ProtocolError } from '../errors.ts'

/** What went wrong, in words; the same text travels in the Close frame, so each stays well under 123 bytes. */
const TEXT: Partial<Record<ErrorCode, string>> = {
  RESERVED_BITS: 'a reserved bit is set that no negotiated extension uses',
  RESERVED_OPCODE: 'reserved opcode',
  UNEXPECTED_CONTINUATION: 'continuation frame, but no message has begun',
  INTERLEAVED_MESSAGE: 'new data frame before the last fragment of the message in progress',
  FRAGMENTED_CONTROL: 'control frame without FIN',
  CONTROL_TOO_LONG: 'control frame with more than 125 bytes of payload',
  MASK_MISSING: 'a client must mask its frames',
  MASK_UNEXPECTED: 'a server must not mask its frames',
  LENGTH_NOT_MINIMAL: 'payload length is not in its shortest form',
  LENGTH_TOP_BIT: 'the top bit of a 64-bit payload length is set',
  CLOSE_PAYLOAD_SIZE: 'a Close payload of one byte',
  CLOSE_CODE_INVALID: 'a close code that must not be on the wire',
  INVALID_UTF8: 'invalid UTF-8',
  INVALID_DEFLATE: 'invalid compressed data',
  MESSAGE_TOO_BIG: 'message larger than the limit',
  TOO_MANY_FRAGMENTS: 'message of more fragments than the limit',
  MESSAGE_TIMEOUT: 'message makes too little progress',
  HANDLER_FAILED: 'internal error',
  SOURCE_FAILED: 'a message could not be finished',
}

/**
 * Builds the error of a broken rule.
 * @param offset how many bytes of the stream had been judged when it was certain, the deciding one included
 * @param detail what came and what was allowed, appended to the rule's text
 */
export function violation(code: ErrorCode, offset: number, detail = ''): ProtocolError {
  const text = TEXT[code] ?? code
  return new ProtocolError(code, detail === '' ? text : `${text}: ${detail}`, offset)
}
