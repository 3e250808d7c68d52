// The asynchronous iterator over a connection's messages. Backpressure is the inbox's: what is not asked for waits there,
// and past `maxReadAhead` in the peer. Ending the loop detaches the iterator and leaves the connection open.

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
    return value === undefined ? { value, done: true } : { value, done: false }
  }

  /** Detaches: later messages wait for the next consumer. */
  async return(): Promise<IteratorResult<Message, undefined>> {
    if (!this.#returned) {
      this.#returned = true
      this.#inbox.release()
    }
    return { value: undefined, done: true }
  }
}
