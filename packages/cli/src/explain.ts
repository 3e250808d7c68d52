// Errors in words for a terminal: the code, what happened, and which option of this program may help.

import type { HandshakeError } from '@ws/client'
import { Failure } from './exit.ts'
import type { Status } from './terminal.ts'

/** How much of the body of a refusal is shown. */
const MOST_BODY = 300

/** What helps here, where the library names options of its own or none. */
const HINTS: Readonly<Record<string, string>> = {
  TLS_FAILED: '--ca FILE trusts a further certificate (PEM)',
  HANDSHAKE_SUBPROTOCOL: '--protocol NAME offers a subprotocol; compare it with those of the server',
  EADDRINUSE: 'another program listens there; choose another port, or 0 for any that is free',
  EADDRNOTAVAIL: '--host must be an address of this machine',
  EACCES: 'ports below 1024 need rights that this user has not',
  HANDSHAKE_TIMEOUT: 'is a firewall in between, or the server too busy?',
}
const STATUS_HINTS: Readonly<Record<number, string>> = {
  401: "credentials go into a header: -H 'Authorization: Bearer …', or into the URL: ws://user:password@host",
  403: "the server may want credentials (-H 'Authorization: …') or the origin of its page (-H 'Origin: https://…')",
  404: 'is the path of the URL right?',
}

/** Tells of an error, whatever was thrown. Only a fault of this program shows its stack: it has to be reported. */
export function tellError(status: Status, error: unknown): void {
  const { code, message, stack } = error as Partial<NodeJS.ErrnoException>
  if (error instanceof Failure || error instanceof DOMException || code === 'USAGE') return status.error(`${message}`)
  if (typeof code !== 'string') return status.error(stack ?? String(error))
  status.error(`${code}: ${message}`)
  const { status: answered = 0, body } = error as Partial<HandshakeError>
  const text = Buffer.from(body ?? '')
    .toString()
    .trim()
  if (text !== '') status.detail(`the answer: ${text.slice(0, MOST_BODY)}${text.length > MOST_BODY ? ' …' : ''}`)
  const hint = STATUS_HINTS[answered] ?? HINTS[code]
  if (hint !== undefined) status.detail(`hint: ${hint}`)
}
