// Sending messages: what may be sent, the high-water mark, slow consumers, and order when a message must wait for its bytes, or
// is compressed elsewhere.

import { Buffer } from 'node:buffer'
import process from 'node:process'
import type { CloseInfo } from '../close-info.ts'
import type { BlobLike, MessageData, MessageParts, SendOptions, SendStreamOptions, WaitOptions } from '../connection.ts'
import { Opcode } from '../constants.ts'
import { textOf, WebSocketError } from '../errors.ts'
import type { SharedMessage } from './broadcast.ts'
import type { ConnectionCodec } from './deflate/codec.ts'
import { SENT } from './diagnostics.ts'
import { invoke } from './invoke.ts'
import type { Link } from './link.ts'
import { LEND_FROM } from './outbox.ts'
import { asPayload, checkText, isBlob } from './payload.ts'
import { type SendJob, SendQueue } from './send-queue.ts'
import { StreamedMessage } from './send-stream.ts'
import { isBorrowed } from './window.ts'

/** A message of up to so many bytes is compressed within the turn, if that is once for many. */
const MOST_SHARED: number = 1024 * 1024

const NOT_OPEN = 'not sent: the connection is not open'

interface DrainWaiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class Sender {
  readonly #link: Link
  #queue: SendQueue | undefined
  #drainWaiters: DrainWaiter[] | undefined
  #closing = false
  #sent = 0
  #dropped = 0

  constructor(link: Link) {
    this.#link = link
  }

  get sent(): number {
    return this.#sent + this.#link.outbox.sharedUnasked
  }

  get dropped(): number {
    return this.#dropped
  }

  /** Whether a close waits for what was sent before it. */
  get closing(): boolean {
    return this.#closing
  }

  /** Bytes that wait for their turn, behind a Blob or in it. */
  get queued(): number {
    return this.#queue?.bytes ?? 0
  }

  get bufferedAmount(): number {
    return this.#link.outbox.bufferedAmount + this.queued
  }

  get highWaterMark(): number {
    return this.#link.settings.highWaterMark
  }

  /** Whether no more waits than the high-water mark. */
  get low(): boolean {
    return this.bufferedAmount <= this.highWaterMark
  }

  /** Whether what is sent now has to wait for what was sent before it. */
  get queueing(): boolean {
    return this.#queue?.busy === true
  }

  /** Resolves when all that was sent so far, and is not queued, is with the operating system; false if it never will be. */
  async flushed(): Promise<boolean> {
    const { outbox } = this.#link
    return outbox.settled || new Promise((resolve) => outbox.onFlushed((error) => resolve(error === undefined)))
  }

  send(data: MessageData, options: SendOptions): boolean {
    const payload = asPayload(data)
    if (options.binary === false && payload instanceof Uint8Array) checkText(payload)
    if (this.#closing || !this.#isOpen()) return this.#drop(options, NOT_OPEN)
    if (this.bufferedAmount > this.#link.settings.maxBackpressure) return this.#overflow(options)
    if (this.#queue?.busy === true || isBlob(payload) || this.#takesLonger(payload, options)) {
      this.#enqueue(payload, options)
    } else this.#write(payload, options)
    const low = this.bufferedAmount <= this.#link.settings.highWaterMark
    if (!low) this.#link.awaitDrain()
    return low
  }

  /**
   * Sends a message that many get, as the frame made for all if that will do.
   * @returns whether it was taken
   */
  sendShared(message: SharedMessage, payload: string | Uint8Array, options: SendOptions): boolean {
    const { protocol, outbox, settings } = this.#link
    if (this.#closing || !this.#isOpen()) return this.#drop(options, NOT_OPEN)
    if (this.bufferedAmount > settings.maxBackpressure) return this.#overflow(options)
    const group = this.#groupFor(payload, options)
    if (this.#queue?.busy === true) this.#enqueue(payload, options)
    else if (group !== undefined && protocol.sendElsewhere(payload.length, false)) {
      outbox.writeShared(message.compressed(group, this.#link.codec as ConnectionCodec), false)
      this.#count(payload, options)
    } else if (this.#takesLonger(payload, options)) this.#enqueue(payload, options)
    else if (protocol.sendElsewhere(payload.length, options.compress)) {
      outbox.writeShared(message.plain, !protocol.compresses)
      this.#count(payload, options)
    } else this.#write(payload, options)
    if (this.bufferedAmount > settings.highWaterMark) this.#link.awaitDrain()
    return true
  }

  /** Sends a message in parts, in its turn. */
  sendStream(source: MessageParts, options: SendStreamOptions): Promise<void> {
    const message = new StreamedMessage(this.#link, source, options)
    const count = (): void => {
      this.#sent++
      if (SENT.hasSubscribers) this.#link.report(SENT, message.size, !message.text)
    }
    const countDropped = (): void => void this.#dropped++
    message.done.then(count, countDropped)
    if (this.#closing || !this.#isOpen()) message.cancel(new WebSocketError('NOT_OPEN', NOT_OPEN))
    else this.#push(message)
    return message.done
  }

  /** Whose compressed frame will do here, if the message is to be compressed. One that is compressed for many may be larger. */
  #groupFor({ length }: string | Uint8Array, { compress }: SendOptions): number | undefined {
    const { codec } = this.#link
    if (codec === undefined || compress === false || length < codec.threshold) return undefined
    return length <= MOST_SHARED ? codec.group : undefined
  }

  drained({ signal }: WaitOptions): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (this.#link.gone) return Promise.reject(new WebSocketError('NOT_OPEN', 'the connection is over'))
    if (this.bufferedAmount <= this.#link.settings.highWaterMark) return Promise.resolve()
    this.#link.awaitDrain()
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#drainWaiters = this.#drainWaiters?.filter((other) => other !== waiter)
        reject(signal?.reason)
      }
      const settled = (): void => signal?.removeEventListener('abort', abort)
      const waiter: DrainWaiter = {
        resolve: () => {
          settled()
          resolve()
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      signal?.addEventListener('abort', abort)
      this.#drainWaiters ??= []
      this.#drainWaiters.push(waiter)
    })
  }

  /** The output is low again. */
  drain(): void {
    const waiters = this.#drainWaiters
    if (waiters === undefined) return
    this.#drainWaiters = undefined
    for (const waiter of waiters) waiter.resolve()
  }

  /** @param discard whether messages that still come are forgotten, as for the protocol's `close` */
  close(code?: number, reason?: string, discard = true): void {
    const queue = this.#queue
    if (queue?.busy !== true) {
      this.#link.protocol.close(code, reason, discard)
      return
    }
    this.#link.protocol.closePayload(code, reason) // throws now what it would throw then
    if (this.#closing || this.#link.protocol.state !== 'open') return
    this.#closing = true
    this.#link.onClosing()
    queue.push({ bytes: 0, run: () => void this.#link.protocol.close(code, reason, discard), cancel: () => {} })
  }

  /** Whether what is sent can still leave: once the peer has ended its side of TCP, ours is ended too. */
  #isOpen(): boolean {
    return this.#link.protocol.state === 'open' && !this.#link.outputEnded
  }

  /** The connection is over. */
  end(info: CloseInfo): void {
    if (this.#queue === undefined && this.#drainWaiters === undefined) return
    const why = `the connection ended with code ${info.code}`
    const error = new WebSocketError('NOT_OPEN', why, { cause: info.cause })
    this.#queue?.cancel(error)
    const waiters = this.#drainWaiters ?? []
    this.#drainWaiters = undefined
    for (const waiter of waiters) waiter.reject(error)
  }

  #write(payload: string | Uint8Array, options: SendOptions): void {
    const { protocol } = this.#link
    if (typeof payload === 'string') {
      if (options.binary === true) protocol.sendBinary(Buffer.from(payload), Opcode.Binary, options.compress)
      else protocol.sendText(payload, options.compress)
    } else {
      // A client's frames are copies anyway: they are masked.
      const lent = options.copy !== true || payload.length < LEND_FROM || protocol.role === 'client'
      protocol.sendBinary(lent ? payload : Buffer.from(payload), opcodeOf(payload, options), options.compress)
    }
    this.#wrote(payload, options)
  }

  #wrote(payload: string | Uint8Array, options: SendOptions): void {
    const { onFlushed } = options
    this.#sent++
    if (SENT.hasSubscribers) this.reportSent(payload, options)
    if (onFlushed !== undefined) this.#link.outbox.onFlushed(guarded(onFlushed))
  }

  #count(payload: string | Uint8Array, options: SendOptions): void {
    this.#sent++
    if (SENT.hasSubscribers) this.reportSent(payload, options)
  }

  /** Publishes that a message was sent. */
  reportSent(payload: string | Uint8Array, options: SendOptions): void {
    this.#link.report(SENT, payload, opcodeOf(payload, options) === Opcode.Binary)
  }

  /** Whether a message is to be compressed, and too large for doing so within the turn. */
  #takesLonger(payload: string | Uint8Array, { compress }: SendOptions): boolean {
    const { codec } = this.#link
    if (codec === undefined || compress === false) return false
    return payload.length >= codec.threshold && codec.takesLonger(payload.length)
  }

  #enqueue(data: string | Uint8Array | BlobLike, options: SendOptions): void {
    // What waits behind a Blob is what it was at the call (STANDARDS R10): only a large payload of the caller's may be read later.
    const stays = (view: Uint8Array) => options.copy !== true && view.length >= LEND_FROM && !isBorrowed(view)
    const payload = ArrayBuffer.isView(data) && !stays(data) ? Buffer.from(data) : data
    this.#push({
      bytes: typeof payload === 'string' ? Buffer.byteLength(payload) : isBlob(payload) ? payload.size : payload.length,
      run: () => (isBlob(payload) ? this.#writeBlob(payload, options) : this.#writeInTurn(payload, options)),
      cancel: (error) => this.#drop(options, error),
    })
  }

  #push(job: SendJob): void {
    this.#link.outbox.endSharing() // what comes now queues behind it
    this.#queue ??= new SendQueue(() => {
      if (!this.#link.gone) this.#link.outputProgressed()
    })
    this.#queue.push(job)
  }

  async #writeBlob(blob: BlobLike, options: SendOptions): Promise<void> {
    try {
      const bytes = new Uint8Array(await blob.arrayBuffer())
      if (options.binary === false) checkText(bytes)
      await this.#writeInTurn(bytes, options)
    } catch (cause) {
      const why = new WebSocketError('HANDLER_FAILED', `the Blob could not be sent: ${textOf(cause)}`, { cause })
      this.#drop(options, why)
      this.#link.protocol.failWith('HANDLER_FAILED', 'a Blob could not be sent')
    }
  }

  /** Sends what has waited for its turn; the next has to wait for the promise. */
  #writeInTurn(payload: string | Uint8Array, options: SendOptions): Promise<void> | undefined {
    if (this.#isOpen() && this.#takesLonger(payload, options)) return this.#writeCompressed(payload, options)
    if (this.#isOpen()) this.#write(payload, options)
    else this.#drop(options, NOT_OPEN)
    return undefined
  }

  #writeCompressed(payload: string | Uint8Array, options: SendOptions): Promise<void> {
    const { codec, protocol } = this.#link
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    return new Promise((resolve) => {
      codec?.deflateApart(bytes, (deflated) => {
        if (this.#isOpen()) {
          protocol.sendDeflated(bytes, opcodeOf(payload, options), deflated)
          this.#wrote(payload, options)
        } else this.#drop(options, NOT_OPEN)
        resolve()
      })
    })
  }

  #overflow(options: SendOptions): false {
    const { slowConsumer, maxBackpressure } = this.#link.settings
    const why = `more than ${maxBackpressure} bytes wait for a peer that does not take them`
    if (slowConsumer === 'close') this.#link.abort(new WebSocketError('SLOW_CONSUMER', why))
    else this.#link.awaitDrain()
    return this.#drop(options, new WebSocketError('SLOW_CONSUMER', `not sent: ${why}`))
  }

  #drop({ onFlushed }: SendOptions, why: WebSocketError | typeof NOT_OPEN): false {
    this.#dropped++
    const error = why === NOT_OPEN ? new WebSocketError('NOT_OPEN', NOT_OPEN) : why
    if (onFlushed !== undefined) process.nextTick(onFlushed, error)
    return false
  }
}

/** Strings are text, all else is binary, unless the options say otherwise. */
function opcodeOf(payload: string | Uint8Array, { binary }: SendOptions): typeof Opcode.Text | typeof Opcode.Binary {
  return (binary ?? typeof payload !== 'string') ? Opcode.Binary : Opcode.Text
}

function guarded(callback: (error?: Error) => void): (error?: Error) => void {
  return (error) => invoke(callback, error)
}
