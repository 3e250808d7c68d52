// How a server answers an upgrade, in either version of HTTP. Rule: what opens a connection throws for headers that may not be
// sent, before anything is written; what refuses one does not throw.

import type { Duplex } from 'node:stream'
import type { Accepted } from '@ws/protocol'
import { answerHead, type Refusal, refuse } from './refuse.ts'

/** One version of HTTP. */
export interface Answer {
  /** Opens the connection: what follows on the stream are frames. */
  accept(stream: Duplex, accepted: Accepted): void
  /**
   * Answers and ends `stream`.
   * @param bodiless whether the request was one that gets no body (HEAD, RFC 9110 §9.3.2)
   * @param lingering holds the stream until it is closed
   */
  refuse(stream: Duplex, refusal: Refusal, bodiless: boolean, lingering: Set<Duplex>): void
}

/** RFC 6455 §4.2.2. */
export const HTTP1: Answer = {
  accept(stream, { status, headers }) {
    stream.write(answerHead(status, headers), 'latin1')
  },
  refuse,
}
