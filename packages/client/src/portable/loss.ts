// Why a connection, or an attempt, came to nothing, and whether another attempt may do better. Rules: what only a change at one
// of the ends can repair is final; everything that time can repair is not; what is the application's own is left to it.

import type { CloseEventLike, Failure } from './dial.ts'

/** Why there is no connection, or none any more. */
export interface LossInfo {
  /** The close code, 1006 if no Close came or there was no connection. */
  readonly code: number
  /** The reason that came with it. The peer wrote it: do not show it to end users (RFC 6455 §5.5.1). */
  readonly reason: string
  /** Whether both sides exchanged Close frames. */
  readonly wasClean: boolean
  /** The status of the answer that refused the handshake; browsers do not tell it. */
  readonly status?: number | undefined
  /** What went wrong, where that is known: of a handshake and of a loss browsers do not tell it. */
  readonly cause?: unknown
  /** Whether another attempt may succeed, by the rules of docs/reconnecting.md: what decides without `shouldReconnect`. */
  readonly retryable: boolean
}

/** {@link LossInfo}, and how long the server asked us to wait. */
export type Loss = LossInfo & Pick<Failure, 'wait'>

/**
 * The end was wanted (1000), one side does not understand the other (1002, 1003, 1007, 1009, 1010) or does not let it in (1008,
 * and in IANA's registry 3000 Unauthorized and 3003 Forbidden): the next attempt would end in the same way.
 */
const FINAL: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003]

/** Whether a connection that ended with this code need not be tried again. */
export function isFinal(code: number): boolean {
  return FINAL.includes(code)
}

/** The end of a socket. */
export function lossOf({ code, reason, wasClean }: CloseEventLike, failure: Failure | undefined): Loss {
  return { code, reason, wasClean, retryable: !isFinal(code), ...failure }
}

/** An attempt that failed before there was a socket, or an end by our own decision. */
export function failedBy(cause: unknown, retryable = true): Loss {
  return { code: 1006, reason: '', wasClean: false, cause, retryable }
}
