import { describe, expect, test } from 'vitest'
import {
  describe as describeValue,
  ERROR_CODES,
  type ErrorCode,
  HandshakeError,
  ProtocolError,
  textOf,
  UsageError,
  usage,
  WebSocketError,
} from '../src/errors.ts'
import { mayBeOnTheWire } from './support/reference.ts'

describe('ERROR_CODES', () => {
  test('every close code of the table may be sent [L15]', () => {
    const closes = Object.values(ERROR_CODES).flatMap((kind) => ('close' in kind ? [kind.close] : []))
    expect([...new Set(closes)].sort()).toEqual([1002, 1007, 1008, 1009, 1011])
    expect(closes.filter((code) => !mayBeOnTheWire(code))).toEqual([])
  })

  test.each<[ErrorCode, number]>([
    ['RESERVED_BITS', 1002],
    ['RESERVED_OPCODE', 1002],
    ['UNEXPECTED_CONTINUATION', 1002],
    ['INTERLEAVED_MESSAGE', 1002],
    ['FRAGMENTED_CONTROL', 1002],
    ['CONTROL_TOO_LONG', 1002],
    ['MASK_MISSING', 1002],
    ['MASK_UNEXPECTED', 1002],
    ['LENGTH_NOT_MINIMAL', 1002],
    ['LENGTH_TOP_BIT', 1002],
    ['CLOSE_PAYLOAD_SIZE', 1002],
    ['CLOSE_CODE_INVALID', 1002],
    ['INVALID_UTF8', 1007],
    ['MESSAGE_TOO_BIG', 1009],
    ['TOO_MANY_FRAGMENTS', 1008],
    ['MESSAGE_TIMEOUT', 1008],
    ['HANDLER_FAILED', 1011],
    // Without a close code of its own, the general one.
    ['CONNECTION_LOST', 1002],
  ])('a ProtocolError of %s closes with %i [L15]', (code, closeCode) => {
    expect(new ProtocolError(code, 'why', 7).closeCode).toBe(closeCode)
  })
})

describe('errors', () => {
  test('WebSocketError carries code, message and cause', () => {
    const cause = new Error('below')
    const error = new WebSocketError('CONNECT_FAILED', 'no way', { cause })
    expect(error).toBeInstanceOf(Error)
    expect({ ...error }).toEqual({ code: 'CONNECT_FAILED' })
    expect(error.cause).toBe(cause)
    expect(String(error)).toBe('WebSocketError: no way')
  })

  test('ProtocolError carries the offset', () => {
    const error = new ProtocolError('MASK_MISSING', 'no mask', 2)
    expect({ ...error }).toEqual({ code: 'MASK_MISSING', closeCode: 1002, offset: 2 })
    expect(String(error)).toBe('ProtocolError: no mask')
    expect(error).toBeInstanceOf(WebSocketError)
  })

  test('UsageError has the code USAGE', () => {
    const error = new UsageError('wrong')
    expect({ ...error }).toEqual({ code: 'USAGE' })
    expect(String(error)).toBe('UsageError: wrong')
    expect(error).toBeInstanceOf(WebSocketError)
  })

  test('HandshakeError carries what is known of the answer', () => {
    const cause = new Error('below')
    const headers = { 'retry-after': '5' }
    const body = Uint8Array.of(1)
    const error = new HandshakeError('HANDSHAKE_STATUS', 'refused', { status: 429, headers, body, cause })
    expect({ ...error }).toEqual({ code: 'HANDSHAKE_STATUS', status: 429, headers, body, supportedVersions: undefined })
    expect(error.cause).toBe(cause)
    expect(String(error)).toBe('HandshakeError: refused')
    expect(error).toBeInstanceOf(WebSocketError)
  })

  test('HandshakeError without an answer', () => {
    const error = new HandshakeError('HANDSHAKE_TIMEOUT', 'silence')
    expect({ ...error }).toEqual({
      code: 'HANDSHAKE_TIMEOUT',
      status: undefined,
      headers: undefined,
      body: undefined,
      supportedVersions: undefined,
    })
    expect('cause' in error).toBe(false)
  })

  test.each([
    ['8', ['8']],
    ['13, 8,7', ['13', '8', '7']],
    [
      ['13, 8', '7'],
      ['13', '8', '7'],
    ],
    [', 13,,', ['13']],
    ['', []],
  ])('the versions that a server named: %j [C14]', (value, versions) => {
    const error = new HandshakeError('HANDSHAKE_STATUS', '', {
      status: 426,
      headers: { 'sec-websocket-version': value },
    })
    expect(error.supportedVersions).toEqual(versions)
  })
})

describe('usage', () => {
  test('says what is wrong, what was expected and what came', () => {
    const error = usage('close code', 'one of 1000-1003', 'abc')
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toBe('close code must be one of 1000-1003; got "abc"')
  })

  class Socket {}
  test.each<[unknown, string]>([
    ['abc', '"abc"'],
    ['a"b\n', '"a\\"b\\n"'],
    ['x'.repeat(60), `"${'x'.repeat(60)}"`],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
    [Number.NaN, 'NaN'],
    [-0.5, '-0.5'],
    [10n, '10n'],
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    [() => 1, 'a function'],
    [Socket, 'a function'],
    [Symbol('s'), 'a symbol'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [{ constructor: 'x' }, 'an object'],
    [new (class {})(), 'an object'],
    [[], 'an instance of Array'],
    [new Socket(), 'an instance of Socket'],
    [new Uint8Array(2), 'an instance of Uint8Array'],
  ])('describes %o', (value, text) => {
    expect(describeValue(value)).toBe(text)
  })
})

test.each<[unknown, string]>([
  [new TypeError('no'), 'TypeError: no'],
  [undefined, 'undefined'],
  [Object.create(null), 'an object'],
])('the text of whatever was thrown', (thrown, text) => {
  expect(textOf(thrown)).toBe(text)
})
