// The error of a WebSocketStream: `WebSocketError` of its specification. The name of the class is another here, since the base of
// all errors of these packages is called so; what scripts see of it (`name`, `closeCode`, `reason`) is the specification's.

import { toCloseArguments } from './arguments.ts'

/** What such an error says, or what a stream is to be closed with. */
export interface WebSocketCloseInfo {
  readonly closeCode?: number | null | undefined
  readonly reason?: string | undefined
}

export class WebSocketStreamError extends DOMException {
  readonly closeCode: number | null
  readonly reason: string

  /** @throws DOMException `InvalidAccessError` or `SyntaxError` on a code or reason that may not be sent */
  constructor(message = '', { closeCode, reason }: WebSocketCloseInfo = {}) {
    super(message, 'WebSocketError')
    const given = toCloseArguments(closeCode ?? undefined, reason)
    this.closeCode = given.code ?? null
    this.reason = given.reason
  }
}

/** An error with a code that is only reported, and what lies beneath. */
export function streamError(message: string, closeCode: number, reason: string, cause?: unknown): WebSocketStreamError {
  const error = new WebSocketStreamError(message)
  for (const [name, value] of Object.entries({ closeCode, reason, cause })) {
    Object.defineProperty(error, name, { value, configurable: true })
  }
  return error
}

/** What to close with after a stream was given up for `reason`: an error of this kind says it, all else says nothing. */
export function closeInfoOf(reason: unknown): WebSocketCloseInfo {
  // By name, since a browser has a class of its own.
  return reason instanceof DOMException && reason.name === 'WebSocketError' ? (reason as WebSocketCloseInfo) : {}
}
