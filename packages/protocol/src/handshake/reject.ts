// How the server's side of the opening handshake says no, and what it says no to in every version of HTTP.

import type { RefusalCode } from '../errors.ts'
import { type Header, type HeaderFields, headerLines } from './headers.ts'

/** A request that is no upgrade to WebSocket, and the answer it deserves. */
export interface Rejected {
  readonly valid: false
  readonly status: number
  readonly headers: readonly Header[]
  /** One line that says what was expected and what came. */
  readonly message: string
  readonly code: RefusalCode
}

export function reject(status: number, code: RefusalCode, message: string, headers: readonly Header[] = []): Rejected {
  return { valid: false, status, headers, message, code }
}

/** A body would be read as frames by us and as a request by a proxy: refuse it (RFC 9112 §6). */
export function checkBody(fields: HeaderFields): Rejected | undefined {
  const declaresBody = headerLines(fields, 'content-length').some((length) => length !== '0')
  if (!declaresBody && headerLines(fields, 'transfer-encoding').length === 0) return undefined
  return reject(400, 'REFUSED_BODY', 'expected no body: no Transfer-Encoding and no Content-Length but 0')
}
