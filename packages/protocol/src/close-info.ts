// What is told of a connection's end (RFC 6455 §7.1.5, §7.1.6).

import { WebSocketError } from './errors.ts'
import type { ClosePayload } from './frame/close-payload.ts'

/** How a connection ended. */
export interface CloseInfo {
  /** The code of the Close that came, 1005 if it had none, 1006 if none came; after a violation the close code of its cause. */
  readonly code: number
  /** The reason that came with it. The peer wrote it: do not show it to end users (RFC 6455 §5.5.1). */
  readonly reason: string
  /** Whether both sides exchanged Close frames. */
  readonly wasClean: boolean
  /** Who ended it: we, the peer by a Close, or the network. */
  readonly initiator: 'local' | 'remote' | 'transport'
  /** Why, when it was not a clean close. */
  readonly cause?: WebSocketError
}

/**
 * The end of a lost connection. Its cause is made when it is asked for: many may be lost at once, and few ask. A class, since an
 * object that is written with a getter costs V8 some microseconds and a hidden class of its own.
 */
export class LostInfo implements CloseInfo {
  readonly code: number
  readonly reason: string
  readonly wasClean = false
  readonly initiator: CloseInfo['initiator']
  readonly #error: unknown
  #cause: WebSocketError | undefined

  /** @param error what the transport said of it */
  constructor({ code, reason }: ClosePayload, initiator: CloseInfo['initiator'], error: unknown) {
    this.code = code
    this.reason = reason
    this.initiator = initiator
    this.#error = error
  }

  get cause(): WebSocketError {
    this.#cause ??= lost(this.#error)
    return this.#cause
  }
}

function lost(error: unknown): WebSocketError {
  const why = error instanceof Error ? `: ${error.message}` : ' without a Close frame'
  return new WebSocketError('CONNECTION_LOST', `the connection was lost${why}`, { cause: error })
}
