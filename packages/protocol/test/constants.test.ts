import { describe, expect, test } from 'vitest'
import * as constants from '../src/constants.ts'
import { frameHeaderSize } from '../src/frame/header.ts'
import { mayBeOnTheWire } from './support/reference.ts'

describe('constants', () => {
  test('opcodes are those of RFC 6455 §5.2', () => {
    expect(constants.Opcode).toEqual({ Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 })
  })

  test('close codes are those of RFC 6455 §7.4.1 and the IANA registry [L23]', () => {
    expect(constants.CloseCode).toEqual({
      Normal: 1000,
      GoingAway: 1001,
      ProtocolError: 1002,
      UnsupportedData: 1003,
      NoStatus: 1005,
      Abnormal: 1006,
      InvalidPayload: 1007,
      PolicyViolation: 1008,
      MessageTooBig: 1009,
      MissingExtension: 1010,
      InternalError: 1011,
      ServiceRestart: 1012,
      TryAgainLater: 1013,
      BadGateway: 1014,
      TlsHandshake: 1015,
    })
  })

  test('the close codes that are only reported are 1005, 1006 and 1015 [L3]', () => {
    const reported = Object.values(constants.CloseCode).filter((code) => !mayBeOnTheWire(code))
    expect(reported).toEqual([1005, 1006, 1015])
  })

  test('ready states are those of the WHATWG interface [R2]', () => {
    expect(constants.ReadyState).toEqual({ Connecting: 0, Open: 1, Closing: 2, Closed: 3 })
  })

  test('the bits of the first byte cover it without overlap', () => {
    const { FIN, RSV1, RSV2, RSV3, OPCODE_BITS } = constants
    expect(FIN + RSV1 + RSV2 + RSV3 + OPCODE_BITS).toBe(0xff)
    expect(constants.MASK + constants.LENGTH_BITS).toBe(0xff)
  })

  test('sizes agree with each other', () => {
    expect(constants.MAX_CLOSE_REASON).toBe(constants.MAX_CONTROL_PAYLOAD - 2)
    expect(constants.MAX_FRAME_HEADER).toBe(frameHeaderSize(Number.MAX_SAFE_INTEGER, true))
  })

  test('default limits are those of docs/limits.md', () => {
    expect(constants.DEFAULT_MAX_PAYLOAD).toBe(16_777_216)
    expect(constants.DEFAULT_MAX_FRAGMENTS).toBe(131_072)
  })
})
