// When a stream over a connection is whole, and what is wrong otherwise. A Close says whether the peer had said all it
// wanted to (1000, or no code at all); every other end leaves the reader with a part, and is reported as an error.

import type { CloseInfo } from '../close-info.ts'
import { CloseCode } from '../constants.ts'
import { WebSocketError } from '../errors.ts'

const failures = new WeakMap<CloseInfo, WebSocketError>()

/** Why a stream over a connection that ended so is not whole, the same error each time; `undefined` if it is. */
export function failureOf(info: CloseInfo): WebSocketError | undefined {
  if (info.cause !== undefined) return info.cause
  if (info.code === CloseCode.Normal || info.code === CloseCode.NoStatus) return undefined
  const known = failures.get(info)
  if (known !== undefined) return known
  const said = info.reason === '' ? '' : `: ${info.reason}`
  const failure = new WebSocketError('CLOSED_WITH_ERROR', `the connection was closed with code ${info.code}${said}`, {
    cause: info,
  })
  failures.set(info, failure)
  return failure
}

/** Why something can no longer be sent on a connection that ended so. */
export function writeFailureOf(info: CloseInfo): WebSocketError {
  return failureOf(info) ?? new WebSocketError('NOT_OPEN', 'not sent: the connection was closed', { cause: info })
}
