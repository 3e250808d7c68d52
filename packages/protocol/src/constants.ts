// Names and numbers of RFC 6455. Plain `as const` objects, so that they are values and types at once and cost nothing.

/** Frame opcodes (RFC 6455 §5.2). 3–7 and 11–15 are reserved and fail the connection. */
export const Opcode = {
  Continuation: 0x0,
  Text: 0x1,
  Binary: 0x2,
  Close: 0x8,
  Ping: 0x9,
  Pong: 0xa,
} as const
export type Opcode = (typeof Opcode)[keyof typeof Opcode]

/** Close codes (RFC 6455 §7.4.1 and the IANA registry). 1005, 1006 and 1015 are only reported, never on the wire. */
export const CloseCode = {
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
} as const
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode]

/** The public state of a connection, as in the WHATWG interface. */
export const ReadyState = { Connecting: 0, Open: 1, Closing: 2, Closed: 3 } as const
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState]

/** Which end we are. Masking, the expected mask and who closes TCP first follow from it (RFC 6455 §5.1, §7.1.1). */
export type Role = 'client' | 'server'

/** Bits of the first two bytes of a frame (RFC 6455 §5.2). */
export const FIN = 0x80
export const RSV1 = 0x40
export const RSV2 = 0x20
export const RSV3 = 0x10
export const OPCODE_BITS = 0x0f
export const MASK = 0x80
export const LENGTH_BITS = 0x7f

/** The 7-bit length values that announce a 16-bit and a 64-bit length (§5.2). */
export const LENGTH_16 = 126
export const LENGTH_64 = 127

/** The largest payload of a control frame, in bytes (§5.5). */
export const MAX_CONTROL_PAYLOAD = 125
/** The longest reason of a Close frame, in UTF-8 bytes: 125 less the two of the code (§5.5.1). */
export const MAX_CLOSE_REASON = 123
/** The masking key follows the length and has four bytes (§5.3). */
export const MASKING_KEY_SIZE = 4
/** 2 + 8 (length) + 4 (masking key): no header is longer (§5.2). */
export const MAX_FRAME_HEADER = 14

/** The only protocol version there is (§4.1). */
export const PROTOCOL_VERSION = '13'

/** Default limit of one message, of the sum of its fragments and of its inflated size, in bytes: 16 MiB. (A product would stay in the bundles that do not use it.) */
export const DEFAULT_MAX_PAYLOAD: number = 16_777_216
/** Default limit of the frames of one message, empty ones counted. */
export const DEFAULT_MAX_FRAGMENTS = 131_072
