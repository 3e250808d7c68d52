// Why a connection, or an attempt, came to nothing, and whether another attempt may do better. Rules: what only a change at one
// of the ends can repair is final; everything that time can repair is not; what is the application's own is left to it.

import { CloseCode } from '@ws/protocol'
import type { CloseEventLike } from './dial.ts'

/** Why there is no connection, or none any more. */
export interface LossInfo {
  /** The close code, 1006 if no Close came or there was no connection. */
  readonly code: number
  /** The reason that came with it. The peer wrote it: do not show it to end users (RFC 6455 §5.5.1). */
  readonly reason: string
  /** Whether both sides exchanged Close frames. */
  readonly wasClean: boolean
  /** The status of the answer that refused the handshake; browsers do not tell it. */
  readonly status: number | undefined
  /** What went wrong, where that is known: browsers do not tell it. */
  readonly cause: unknown
  /** Whether another attempt may succeed, by the rules of docs/reconnecting.md: what decides without `shouldReconnect`. */
  readonly retryable: boolean
}

/** The end was wanted, or the next attempt would end in the same way. */
const FINAL: readonly number[] = [
  CloseCode.Normal,
  CloseCode.ProtocolError,
  CloseCode.UnsupportedData,
  CloseCode.InvalidPayload,
  CloseCode.PolicyViolation,
  CloseCode.MessageTooBig,
  CloseCode.MissingExtension,
  3000, // Unauthorized (IANA registry)
  3003, // Forbidden (IANA registry)
]

/** Request Timeout, Too Early, Too Many Requests: of the 4xx, those that say "again, but later". */
const LATER: readonly number[] = [408, 425, 429]

/** What is looked at in errors of this package. */
interface Failure {
  readonly closeCode?: number
  readonly status?: number
  readonly headers?: { readonly 'retry-after'?: unknown }
}

/** The end of a socket. */
export function lossOf(
  { code, reason, wasClean }: Pick<CloseEventLike, 'code' | 'reason' | 'wasClean'>,
  cause: unknown,
): LossInfo {
  const { closeCode = code, status } = (cause ?? {}) as Failure
  const refused = status !== undefined && status >= 400 && status < 500 && !LATER.includes(status)
  return { code, reason, wasClean, status, cause, retryable: !refused && !FINAL.includes(closeCode) }
}

/** An attempt that failed before there was a socket, or by our own decision. */
export function failedBy(cause: unknown, retryable = true): LossInfo {
  return { code: CloseCode.Abnormal, reason: '', wasClean: false, status: undefined, cause, retryable }
}

/** How long the server asked us to wait (RFC 9110 §10.2.3), in ms; dates are not looked at. */
export function retryAfter({ cause }: LossInfo): number {
  return Number((cause as Failure | undefined)?.headers?.['retry-after']) * 1000 || 0
}
