// Messages between the parser and their one consumer. Rules:
// - A connection has at most one kind of consumer: handlers, listeners, or an iterator; a second kind is the caller's fault.
// - Nothing is lost: what comes before the consumer, or while it is busy or paused, waits here, within `maxReadAhead`.
// - Who gets a message later gets one of its own, also where messages are borrowed.
// - Order is kept, and a handler that returns a promise holds the next message back (`concurrency` at most are with it).

import { Buffer } from 'node:buffer'
import { UsageError } from '../errors.ts'
import { Fifo } from './fifo.ts'
import { isPromiseLike } from './invoke.ts'
import type { ConnectionSettings } from './settings.ts'

export type Message = string | Uint8Array

/** Who takes the messages. */
export type Consumer = 'none' | 'handlers' | 'listeners' | 'iterator' | 'discard'

/** What a waiting message costs besides its bytes: empty ones must not be free (their number is the peer's choice). */
const MESSAGE_COST = 64

export interface InboxOwner {
  /** Hands a message to the handlers or listeners; what it returns is waited for if it is a promise. */
  deliver(message: Message, consumer: 'handlers' | 'listeners'): unknown
  /** An asynchronous handler rejected. */
  deliveryFailed(error: unknown): void
  /** There is room again after {@link Inbox.full}. */
  inboxHasRoom(): void
  /** No message is with the consumer, or on its way to it. */
  inboxIdle(): void
}

export type InboxSettings = Pick<ConnectionSettings, 'maxReadAhead' | 'concurrency' | 'binary'>

interface Waiter {
  readonly resolve: (message: Message | undefined) => void
}

export class Inbox {
  readonly #owner: InboxOwner
  readonly #limit: number
  readonly #concurrency: number
  readonly #borrowed: boolean
  readonly #messages = new Fifo<Message>()
  #consumer: Consumer = 'none'
  #bytes = 0
  #pending = 0
  #paused = false
  #delivering = false
  #ended = false
  #waiters: Fifo<Waiter> | undefined

  constructor(owner: InboxOwner, settings: InboxSettings) {
    this.#owner = owner
    this.#limit = settings.maxReadAhead
    this.#concurrency = settings.concurrency
    this.#borrowed = settings.binary === 'borrowed'
  }

  get consumer(): Consumer {
    return this.#consumer
  }

  /** Whether reading should stop until there is room. */
  get full(): boolean {
    return this.#bytes >= this.#limit
  }

  /** Whether an active consumer still has messages to take or to finish. */
  get busy(): boolean {
    const active = this.#consumer === 'handlers' || this.#consumer === 'listeners'
    return active && !this.#paused && (this.#messages.length > 0 || this.#pending > 0)
  }

  /** Whether messages wait for the consumer or are with it, or it wants none. An iterator that asks for none works on one. */
  get waits(): boolean {
    const works = this.#consumer === 'iterator' && (this.#waiters?.length ?? 0) === 0
    return works || this.#paused || this.#messages.length > 0 || this.#pending > 0
  }

  /** Names the consumer. @throws UsageError if there is one of another kind */
  claim(consumer: Exclude<Consumer, 'none'>): void {
    const current = this.#consumer
    if (current !== 'none' && current !== 'discard' && current !== consumer) {
      throw new UsageError(
        `a connection has one consumer of messages: ${current} are in use, so ${consumer} cannot be added`,
      )
    }
    if (consumer === 'iterator' && current === 'iterator') {
      throw new UsageError('a connection has one consumer of messages: an iterator is in use already')
    }
    this.#consumer = consumer
    if (consumer === 'discard') this.clear()
  }

  /** The consumer is gone: what comes from now on waits for the next. */
  release(): void {
    this.#consumer = 'none'
    this.#settleWaiters()
  }

  /** Takes a message from the parser. */
  push(message: Message): void {
    if (this.#consumer === 'discard') return
    if (this.#messages.length === 0 && !this.#delivering && this.#free()) return this.#handNow(message)
    const kept = this.#borrowed && typeof message !== 'string' ? Buffer.from(message) : message
    const waiter = this.#waiters?.shift()
    if (waiter !== undefined) return waiter.resolve(kept)
    this.#messages.push(kept)
    this.#bytes += cost(kept)
    if (!this.#delivering) this.deliver()
  }

  /** Delivers as long as the consumer is ready. */
  deliver(): void {
    if (this.#delivering) return
    let wasFull = this.full
    this.#delivering = true
    while (this.#ready()) {
      wasFull ||= this.full // a stream that delivers from within a write may have filled it meanwhile
      this.#hand(this.#shift())
    }
    this.#delivering = false
    if (wasFull && !this.full) this.#owner.inboxHasRoom()
    if (!this.busy) this.#owner.inboxIdle()
  }

  /** The iterator's next message; `undefined` at the end. */
  next(): Promise<Message | undefined> {
    if (this.#messages.length > 0) {
      const wasFull = this.full
      const message = this.#shift()
      if (wasFull && !this.full) this.#owner.inboxHasRoom()
      return Promise.resolve(message)
    }
    if (this.#ended || this.#consumer !== 'iterator') return Promise.resolve(undefined)
    this.#waiters ??= new Fifo()
    return new Promise((resolve) => {
      this.#waiters?.push({ resolve })
    })
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.deliver()
  }

  /** Keeps deliveries back until `promise` settles, as if a handler had returned it. */
  holdUntil(promise: PromiseLike<unknown>): void {
    this.#pending += this.#concurrency
    this.#settle(promise, this.#concurrency)
  }

  /** No message will come any more. */
  end(): void {
    this.#ended = true
    if (this.#messages.length === 0) this.#settleWaiters()
  }

  /** Forgets what waits. */
  clear(): void {
    const wasFull = this.full
    this.#messages.clear()
    this.#bytes = 0
    if (wasFull) this.#owner.inboxHasRoom()
  }

  #ready(): boolean {
    return this.#messages.length > 0 && this.#free()
  }

  /** Whether the consumer would take a message. */
  #free(): boolean {
    const active = this.#consumer === 'handlers' || this.#consumer === 'listeners'
    return active && !this.#paused && this.#pending < this.#concurrency
  }

  /** What {@link deliver} does with the one message that there is, without a queue. */
  #handNow(message: Message): void {
    this.#delivering = true
    this.#hand(message)
    this.#delivering = false
    if (this.#messages.length > 0) this.deliver()
    else if (!this.busy) this.#owner.inboxIdle()
  }

  #shift(): Message {
    const message = this.#messages.shift() as Message
    this.#bytes -= cost(message)
    return message
  }

  #hand(message: Message): void {
    const result = this.#owner.deliver(message, this.#consumer as 'handlers' | 'listeners')
    if (!isPromiseLike(result)) return
    this.#pending++
    this.#settle(result, 1)
  }

  #settle(promise: PromiseLike<unknown>, count: number): void {
    const settled = (): void => {
      this.#pending -= count
      this.deliver()
    }
    const failed = (error: unknown): void => {
      this.#owner.deliveryFailed(error)
      settled()
    }
    try {
      promise.then(settled, failed)
    } catch (error) {
      failed(error) // it only looks like a promise
    }
  }

  #settleWaiters(): void {
    const waiters = this.#waiters
    this.#waiters = undefined
    for (let waiter = waiters?.shift(); waiter !== undefined; waiter = waiters?.shift()) waiter.resolve(undefined)
  }
}

function cost(message: Message): number {
  return message.length + MESSAGE_COST
}
