// Every error that the packages report, in one table. Rules: what the peer did wrong is a *value* (a cause in the close
// info, or the rejection of a handshake) and never thrown at the caller; what the caller did wrong is thrown at once as a
// UsageError. Copies of this module may coexist (ESM beside CJS), so errors are told apart by `code`, never by class.

import { CloseCode } from './constants.ts'

/** What is known of an error code: the close code that it leads to, if any. docs/errors.md says what to do about each. */
interface ErrorKind {
  readonly close?: CloseCode
}

/** The code table. A key is the `code` of the error; docs/errors.md holds one row a key (a test compares the two). */
export const ERROR_CODES = {
  // Violations of RFC 6455 by the peer: the connection is failed with the close code.
  RESERVED_BITS: { close: 1002 },
  RESERVED_OPCODE: { close: 1002 },
  UNEXPECTED_CONTINUATION: { close: 1002 },
  INTERLEAVED_MESSAGE: { close: 1002 },
  FRAGMENTED_CONTROL: { close: 1002 },
  CONTROL_TOO_LONG: { close: 1002 },
  MASK_MISSING: { close: 1002 },
  MASK_UNEXPECTED: { close: 1002 },
  LENGTH_NOT_MINIMAL: { close: 1002 },
  LENGTH_TOP_BIT: { close: 1002 },
  CLOSE_PAYLOAD_SIZE: { close: 1002 },
  CLOSE_CODE_INVALID: { close: 1002 },
  INVALID_UTF8: { close: 1007 },
  INVALID_DEFLATE: { close: 1007 },
  // Limits of ours that the peer went past.
  MESSAGE_TOO_BIG: { close: 1009 },
  TOO_MANY_FRAGMENTS: { close: 1008 },
  MESSAGE_TIMEOUT: { close: 1008 },
  // The connection ended without a closing handshake.
  SLOW_CONSUMER: {},
  HEARTBEAT_TIMEOUT: {},
  CLOSE_TIMEOUT: {},
  CONNECTION_LOST: {},
  TERMINATED: {},
  HANDLER_FAILED: { close: 1011 },
  SOURCE_FAILED: { close: 1011 },
  NOT_OPEN: {},
  ABORTED: {},
  CLOSED_WITH_ERROR: {},
  // The opening handshake, seen from the client.
  HANDSHAKE_STATUS: {},
  HANDSHAKE_UPGRADE: {},
  HANDSHAKE_CONNECTION: {},
  HANDSHAKE_ACCEPT: {},
  HANDSHAKE_EXTENSION: {},
  HANDSHAKE_SUBPROTOCOL: {},
  HANDSHAKE_MALFORMED: {},
  HANDSHAKE_REDIRECT: {},
  HANDSHAKE_PROXY: {},
  HANDSHAKE_HTTP2: {},
  HANDSHAKE_TIMEOUT: {},
  HANDSHAKE_ABORTED: {},
  CONNECT_FAILED: {},
  TLS_FAILED: {},
  // The opening handshake, seen from the server: why an upgrade was refused.
  REFUSED_METHOD: {},
  REFUSED_PSEUDO_HEADER: {},
  REFUSED_HTTP_VERSION: {},
  REFUSED_HOST: {},
  REFUSED_BODY: {},
  REFUSED_UPGRADE: {},
  REFUSED_CONNECTION: {},
  REFUSED_VERSION: {},
  REFUSED_KEY: {},
  REFUSED_SUBPROTOCOL: {},
  REFUSED_EXTENSION: {},
  REFUSED_ORIGIN: {},
  REFUSED_HOST_UNKNOWN: {},
  REFUSED_PATH: {},
  REFUSED_FULL: {},
  REFUSED_ADDRESS_FULL: {},
  REFUSED_TIMEOUT: {},
  REFUSED_CLOSING: {},
  REFUSED_BY_HOOK: {},
  REFUSED_HOOK_FAILED: {},
  REFUSED_CLIENT_LEFT: {},
  // The caller's own fault, or the runtime's.
  USAGE: {},
  NO_RANDOMNESS: {},
} as const

/** The code of an error: compare with this, not with classes. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Why a server refused an upgrade: all reasons that there are. */
export type RefusalCode = Extract<ErrorCode, `REFUSED_${string}`>

/** Base of all errors of these packages. `code` says what happened; docs/errors.md says what to do. */
export class WebSocketError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }

  override get name(): string {
    return 'WebSocketError'
  }
}

/** The peer broke the protocol or a limit. It is found as `cause` in the close info, never thrown. */
export class ProtocolError extends WebSocketError {
  /** The close code that answers it (RFC 6455 §7.4.1). */
  readonly closeCode: CloseCode
  /** How many bytes of the peer's stream had been judged when the fault was certain: the first impossible byte is the last of them. */
  readonly offset: number

  constructor(code: ErrorCode, message: string, offset: number) {
    super(code, message)
    const kind: ErrorKind = ERROR_CODES[code]
    this.closeCode = kind.close ?? CloseCode.ProtocolError
    this.offset = offset
  }

  override get name(): string {
    return 'ProtocolError'
  }
}

/** The caller passed something that cannot be meant: thrown synchronously, nothing has happened yet. */
export class UsageError extends WebSocketError {
  constructor(message: string) {
    super('USAGE', message)
  }

  override get name(): string {
    return 'UsageError'
  }
}

/** What a failed opening handshake knows of the server's answer. */
export interface HandshakeFailure {
  /** The status of the server's answer; absent when none came. */
  readonly status?: number | undefined
  /** The answer's headers, names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
  /** The first 64 KiB at most of the answer's body. */
  readonly body?: Uint8Array | undefined
  /** What lies beneath, for example the error of the TCP or TLS socket. */
  readonly cause?: unknown
}

/** The opening handshake failed: no connection came to be (RFC 6455 §4.1). */
export class HandshakeError extends WebSocketError {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
  readonly body: Uint8Array | undefined
  /** The versions that the server named in `Sec-WebSocket-Version` when it refused ours (§4.4). */
  readonly supportedVersions: readonly string[] | undefined

  constructor(code: ErrorCode, message: string, failure: HandshakeFailure = {}) {
    super(code, message, failure.cause === undefined ? undefined : { cause: failure.cause })
    this.status = failure.status
    this.headers = failure.headers
    this.body = failure.body
    const versions = failure.headers?.['sec-websocket-version']
    this.supportedVersions = versions === undefined ? undefined : splitVersions(versions)
  }

  override get name(): string {
    return 'HandshakeError'
  }
}

function splitVersions(value: string | readonly string[]): string[] {
  const lines = typeof value === 'string' ? [value] : value
  return lines.flatMap((line) => line.split(',')).flatMap((version) => version.trim() || [])
}

/** Says in words what was given, for the message of a UsageError: `"abc"`, `NaN`, `null`, `an instance of Array`, `a function`. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an instance of ${name}` : 'an object'
}

/** The text of what was thrown, whatever that is: not everything can be turned into a string. */
export function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return describe(thrown)
  }
}

/** The one way to say that an argument is wrong: what it is, what was expected, what came. */
export function usage(what: string, expected: string, given: unknown): UsageError {
  return new UsageError(`${what} must be ${expected}; got ${describe(given)}`)
}
