// One message that is sent in parts (RFC 6455 §5.4), as its source brings them. Rules:
// - A part is a fragment, a large one several, and there is a turn of the event loop between: control frames come through.
// - The next part is asked for when the last is out of the source's memory and output is low: a slow peer holds the source
//   back, and a source may use its memory again.
// - What has left cannot be taken back: a source that fails in the middle of the message fails the connection. Before its
//   first fragment nothing has happened, and the caller alone hears of it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MessageParts, SendStreamOptions } from '../connection.ts'
import { Opcode } from '../constants.ts'
import { textOf, WebSocketError } from '../errors.ts'
import type { Link } from './link.ts'
import { PartEncoder, type PartReader, readerOf } from './message-parts.ts'
import { LEND_FROM } from './outbox.ts'
import type { SendJob } from './send-queue.ts'

/** The largest fragment, in bytes, and how much is sent in a turn. */
const FRAGMENT_SIZE: number = 64 * 1024
/** What a part counts besides its bytes, so that empty ones end a turn as well. */
const PART_COST = 64

/** A message in parts, to be put into the queue of what is sent. */
export class StreamedMessage implements SendJob {
  readonly bytes = 0
  /** Resolves when the last part has been handed to the operating system. */
  readonly done: Promise<void>
  readonly #link: Link
  readonly #parts: PartReader
  readonly #encoder: PartEncoder
  readonly #signal: SendStreamOptions['signal']
  #resolve!: () => void
  #reject!: (error: unknown) => void
  /** Lets the queue go on. */
  #release = (): void => {}
  #begun = false
  #over = false
  #inTurn = 0
  #size = 0

  /** @throws UsageError if `source` is none */
  constructor(link: Link, source: MessageParts, { binary, signal }: SendStreamOptions) {
    this.#link = link
    this.#parts = readerOf(source)
    this.#encoder = new PartEncoder(binary)
    this.#signal = signal
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (signal?.aborted === true) this.#abort()
    else signal?.addEventListener('abort', this.#abort)
  }

  /** Bytes of what has been sent of it. */
  get size(): number {
    return this.#size
  }

  /** Whether it is text. Known once it has begun. */
  get text(): boolean {
    return this.#encoder.text
  }

  run(): Promise<void> {
    if (this.#over) return Promise.resolve()
    return new Promise((resolve) => {
      this.#release = resolve
      void this.#sendAll()
    })
  }

  cancel(error: WebSocketError): void {
    this.#end(error)
  }

  stop(error: WebSocketError): void {
    this.#end(error)
  }

  readonly #abort = (): void => {
    this.#failConnection()
    this.#end(this.#signal?.reason)
  }

  async #sendAll(): Promise<void> {
    try {
      for (let part = await this.#parts.next(); !this.#over; part = await this.#parts.next()) {
        if (part.done === true) return this.#finish()
        await this.#send(this.#encoder.encode(part.value))
      }
    } catch (cause) {
      this.#sourceFailed(cause)
    }
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#over; at += FRAGMENT_SIZE) {
      const fragment = bytes.subarray(at, at + FRAGMENT_SIZE)
      if (this.#write(fragment, false)) await this.#taken(fragment.length)
    }
    this.#inTurn += PART_COST
    if (this.#inTurn < FRAGMENT_SIZE) return
    this.#inTurn = 0
    await nextTurn()
  }

  /** Resolves when a fragment's memory is free and output is low. */
  async #taken(size: number): Promise<void> {
    const { protocol, outbox, settings } = this.#link
    this.#inTurn += size
    const lent = protocol.role === 'server' && size >= LEND_FROM
    if (lent ? outbox.settled : outbox.bufferedAmount <= settings.highWaterMark) return
    await new Promise<void>((resolve) => outbox.onFlushed(() => resolve()))
  }

  /** @returns false if the connection does not take it: then all is over */
  #write(bytes: Uint8Array, last: boolean): boolean {
    const { protocol, outputEnded } = this.#link
    const opcode = this.#encoder.text ? Opcode.Text : Opcode.Binary
    if (!outputEnded && protocol.sendFragment(opcode, bytes, last)) {
      this.#begun = true
      this.#size += bytes.length
    } else this.#end(new WebSocketError('NOT_OPEN', 'not sent to its end: the connection is not open'))
    return !this.#over
  }

  #finish(): void {
    if (!this.#write(this.#encoder.end(), true)) return
    this.#settle()
    this.#link.outbox.onFlushed((error) => (error === undefined ? this.#resolve() : this.#reject(error)))
  }

  #sourceFailed(cause: unknown): void {
    if (this.#over) return
    this.#failConnection()
    this.#end(new WebSocketError('SOURCE_FAILED', `the source of a message failed: ${textOf(cause)}`, { cause }))
  }

  /** A message that has begun cannot be left unfinished (§5.4). */
  #failConnection(): void {
    if (this.#begun && !this.#over) this.#link.protocol.failWith('SOURCE_FAILED')
  }

  #end(error: unknown): void {
    if (this.#over) return
    this.#settle()
    this.#parts.stop(error)
    this.#reject(error)
  }

  #settle(): void {
    this.#over = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#release()
  }
}
