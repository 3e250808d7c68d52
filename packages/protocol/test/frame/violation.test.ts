import { describe, expect, test } from 'vitest'
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts'
import { violation } from '../../src/frame/violation.ts'

const CLOSING = Object.entries(ERROR_CODES).flatMap(([code, kind]) => ('close' in kind ? [code as ErrorCode] : []))

describe('violation', () => {
  test.each(CLOSING)('%s is said in words that fit a Close frame [L5, L15]', (code) => {
    const { message } = violation(code, 0)
    expect(message).not.toBe(code)
    // Room is left for a detail: a Close frame takes 123 bytes of reason.
    expect([message, Buffer.byteLength(message) <= 90]).toEqual([message, true])
  })

  test('carries code, close code, offset and what came', () => {
    const error = violation('RESERVED_OPCODE', 12, 'first byte 0x83')
    expect({ ...error, message: error.message }).toEqual({
      code: 'RESERVED_OPCODE',
      closeCode: 1002,
      offset: 12,
      message: 'reserved opcode: first byte 0x83',
    })
  })

  test('without a detail the rule stands alone', () => {
    expect(violation('MASK_MISSING', 2).message).toBe('a client must mask its frames')
  })

  test('a code without words stands for itself', () => {
    expect(violation('SLOW_CONSUMER', 0).message).toBe('SLOW_CONSUMER')
  })
})
