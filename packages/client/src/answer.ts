// The server's answer: the verdict on it and, if it opens no connection, what the caller gets to see of it, the beginning of
// the body included.

import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import {
  checkUpgradeResponse,
  type ErrorCode,
  type Established,
  HandshakeError,
  type NotEstablished,
  type SentOffer,
  type SentUpgrade,
} from '@ws/protocol'

/** What an answer is measured by. */
export interface Expected {
  readonly upgrade: SentUpgrade
  readonly requireProtocol: boolean
}

/** Judges an answer: by RFC 6455 §4.1, as an answer in HTTP/1.1, and by what the caller requires. */
export function judge(response: IncomingMessage, expected: Expected, body?: Uint8Array): Established | NotEstablished {
  const { upgrade, requireProtocol } = expected
  const { statusCode: status = 0, httpVersion, rawHeaders, headers } = response
  // §4.1 asks for HTTP/1.1 or higher, and no higher one has this form.
  if (status === 101 && httpVersion !== '1.1') {
    return refuse({ status, headers }, 'HANDSHAKE_MALFORMED', `expected an answer in HTTP/1.1; got HTTP/${httpVersion}`)
  }
  const verdict = checkUpgradeResponse({ status, rawHeaders, body }, upgrade)
  return requireProtocol ? withProtocol(verdict, upgrade, { status, headers }) : verdict
}

/** What an answer says before its body. */
export interface AnswerHead {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** The same verdict if the server chose a subprotocol, or if there was none to choose. */
export function withProtocol(
  verdict: Established | NotEstablished,
  { protocols }: SentOffer,
  answer: AnswerHead,
): Established | NotEstablished {
  if (!verdict.established || verdict.protocol !== '' || protocols.length === 0) return verdict
  const names = protocols.join(', ')
  return refuse(answer, 'HANDSHAKE_SUBPROTOCOL', `expected subprotocol: one of ${names}; the server chose none`)
}

function refuse(answer: AnswerHead, code: ErrorCode, message: string): NotEstablished {
  return { established: false, error: new HandshakeError(code, message, answer) }
}

const REDIRECTS: readonly unknown[] = [301, 302, 303, 307, 308]

/** Whether a status says to go elsewhere (RFC 9110 §15.4). */
export function isRedirect(status: number | undefined): boolean {
  return REDIRECTS.includes(status)
}

/** How much of the body is kept, in bytes. */
export const MAX_BODY: number = 64 * 1024

/** An answer that opens no connection, with its body. */
export class Answer<Response extends Readable> {
  readonly response: Response
  readonly #ended: () => void
  readonly #chunks: Buffer[] = []
  #size = 0

  /** @param ended called when the body is complete, long enough, or lost; more than once perhaps */
  constructor(response: Response, ended: () => void) {
    this.response = response
    this.#ended = ended
    response.on('data', (chunk: Buffer) => this.#take(chunk))
    response.on('end', ended)
    response.on('error', ended)
    response.on('close', ended)
  }

  /** What has come so far of the body, {@link MAX_BODY} bytes at most. */
  get body(): Uint8Array {
    return Buffer.concat(this.#chunks, Math.min(this.#size, MAX_BODY))
  }

  #take(chunk: Buffer): void {
    if (this.#size >= MAX_BODY) return
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size >= MAX_BODY) this.#ended()
  }
}
