// The asynchronous iterator over a connection's messages. Backpressure is the inbox's: what is not asked for waits there,
// and past `maxReadAhead` in the peer. The end of a loop, whatever brings it about,
// frees the place of the consumer; leaving it early leaves the connection open.

import type { Inbox, Message } from './inbox.ts'

/** Iterates over the messages of an inbox, which it claims. @throws UsageError if there is another consumer */
export class MessageIterator implements AsyncIterableIterator<Message> {
  readonly #inbox: Inbox
  #returned = false

  constructor(inbox: Inbox) {
    inbox.claim('iterator')
    this.#inbox = inbox
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Message, undefined>> {
    const value = this.#returned ? undefined : await this.#inbox.next()
    if (value !== undefined) return { value, done: false }
    this.#detach()
    return { value, done: true }
  }

  /** Detaches: later messages wait for the next consumer. */
  async return(): Promise<IteratorResult<Message, undefined>> {
    this.#detach()
    return { value: undefined, done: true }
  }

  #detach(): void {
    if (this.#returned) return
    this.#returned = true
    this.#inbox.release()
  }
}
