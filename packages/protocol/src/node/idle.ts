// Closes a connection on which nothing is said (docs/limits.md). Rules: what counts is messages, in either direction, not bytes: pings
// and pongs keep a connection alive, not in use. One that is on its way counts, and while messages wait for our own application,
// or it has paused, the clock stands still. Counters are compared at the alarm, so that messages themselves cost nothing.

import { CloseCode } from '../constants.ts'
import { Wakeable } from './alarm.ts'
import type { Link } from './link.ts'
import type { Sender } from './sender.ts'

/** How often is looked within the time: it ends at most so much of it too late. */
const LOOKS = 4

export class IdleTimeout extends Wakeable {
  readonly #link: Link
  readonly #sender: Sender
  readonly #timeout: number
  #received = 0
  #sent = 0
  #silent = 0

  /** @param timeout in ms */
  constructor(link: Link, sender: Sender, timeout: number) {
    super()
    this.#link = link
    this.#sender = sender
    this.#timeout = timeout
    this.#goOn()
  }

  #goOn(): void {
    this.set(Math.ceil(this.#timeout / LOOKS))
  }

  protected rang(slept: boolean): void {
    if (this.#link.protocol.state !== 'open') return
    if (slept || this.#used()) this.#silent = 0
    else this.#silent++
    if (this.#silent < LOOKS) this.#goOn()
    else this.#sender.close(CloseCode.GoingAway, `no message for ${this.#timeout} ms`, false)
  }

  /** Whether there was a message since the last look, or is one. */
  #used(): boolean {
    const { protocol, inbox, messagesIn, readingStopped, outbox } = this.#link
    const { sent, queueing } = this.#sender
    const counted = messagesIn !== this.#received || sent !== this.#sent
    this.#received = messagesIn
    this.#sent = sent
    return counted || protocol.midMessage || outbox.bufferedAmount > 0 || queueing || inbox.waits || readingStopped
  }
}
