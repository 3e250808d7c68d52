// How a server answers an upgrade, in either version of HTTP. Rule: what opens a connection throws for headers that may not be
// sent, before anything is written; what refuses one does not throw.

import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Accepted } from '@ws/protocol'
import { openTransport, type Transport, transportOf, type Writer } from '@ws/protocol/node'
import { answerHead, type Refusal, refuse } from './refuse.ts'

/** One version of HTTP. */
export interface Answer {
  /**
   * Opens the connection: what follows on the stream are frames.
   * @param head bytes that follow and have been read already
   */
  accept(stream: Duplex, accepted: Accepted, head: Uint8Array): Transport
  /**
   * Answers and ends `stream`.
   * @param bodiless whether the request was one that gets no body (HEAD, RFC 9110 §9.3.2)
   * @param lingering holds the stream until it is closed
   */
  refuse(stream: Duplex, refusal: Refusal, bodiless: boolean, lingering: Set<Duplex>): void
}

/** What fails is an `'error'` of the stream. */
const NOBODY: Writer = { wrote() {} }

/** RFC 6455 §4.2.2. Who has read the request from a transport goes on with that one. */
export const HTTP1: Answer = {
  accept(stream, { status, headers }, head) {
    const answer = answerHead(status, headers)
    const transport = transportOf(stream)
    if (transport === undefined) {
      stream.write(answer, 'latin1')
      return openTransport(stream, head)
    }
    ;(stream as Socket).setTimeout(0) // set by whoever saw it before, for the handshake
    transport.write(Buffer.from(answer, 'latin1'), NOBODY)
    transport.keep(head)
    return transport
  },
  refuse,
}
