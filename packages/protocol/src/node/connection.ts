// The connection as applications of Node use it: events, handlers, promises, iteration. What happens on the wire is the
// protocol's, and what ties it to a transport is the link's; here is only the application's view of both.

import { Buffer } from 'node:buffer'
import type { Channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import process from 'node:process'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import type { CloseInfo } from '../close-info.ts'
import type {
  Connection,
  MessageData,
  MessageParts,
  SendOptions,
  SendStreamOptions,
  WaitOptions,
} from '../connection.ts'
import type { Role } from '../constants.ts'
import type { DeflateParameters } from '../deflate/parameters.ts'
import { textOf, UsageError, usage, WebSocketError } from '../errors.ts'
import { CLOSED, type MessageDiagnostics } from './diagnostics.ts'
import { IdleTimeout } from './idle.ts'
import type { Message } from './inbox.ts'
import { invoke, isPromiseLike, rethrowLater } from './invoke.ts'
import { MessageIterator } from './iterate.ts'
import { Link, type LinkOwner } from './link.ts'
import type { Outbox } from './outbox.ts'
import { Pings } from './pings.ts'
import { Sender } from './sender.ts'
import type { ConnectionSettings } from './settings.ts'
import type { Topics } from './topics.ts'
import type { Transport } from './transport/transport.ts'
import { readableOf, writableOf } from './web-streams.ts'

/** Functions for every connection: the fast path. With `message` they are the consumer; listeners are then refused. */
export interface Handlers<Data = unknown> {
  /** The connection is open. Messages wait for a promise that it returns. */
  open?(socket: WebSocketConnection<Data>): void | Promise<void>
  /** A message; while a promise that it returns is pending, the next one waits (see the option `concurrency`). */
  message?(socket: WebSocketConnection<Data>, data: string | Buffer): void | Promise<void>
  /** `bufferedAmount` is low again after a `send` that returned false. */
  drain?(socket: WebSocketConnection<Data>): void
  /** The connection is over; the last call of all. */
  close?(socket: WebSocketConnection<Data>, info: CloseInfo): void
}

/** The events of a connection and the arguments of their listeners. */
export interface ConnectionEvents {
  message: [data: string | Buffer]
  drain: []
  ping: [data: Buffer]
  pong: [data: Buffer]
  /** Only emitted if there is a listener: what went wrong is also the `cause` of the close info. */
  error: [error: WebSocketError]
  close: [info: CloseInfo]
}

/** What a connection has done so far. */
export interface ConnectionStats {
  readonly messagesIn: number
  readonly messagesOut: number
  readonly framesIn: number
  readonly framesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Messages that were not sent: after the close, or dropped as `slowConsumer: 'drop'` says. */
  readonly dropped: number
}

/** What an opening handshake hands over. */
export interface ConnectionInit<Data> {
  readonly transport: Transport
  readonly role: Role
  readonly settings: ConnectionSettings
  readonly protocol?: string | undefined
  readonly extensions?: string | undefined
  /** permessage-deflate, if it was negotiated. */
  readonly deflate?: DeflateParameters | undefined
  readonly handlers?: Handlers<Data> | undefined
  readonly data?: Data | undefined
  /** What the connection may subscribe to; without it there is nothing. */
  readonly topics?: Topics<Data> | undefined
}

/**
 * The link's view of a connection. Its calls are nobody else's, so they are no public methods: the class below lends its
 * private ones. (A class that names itself in its own body would be renamed by the bundler.)
 */
let ownerOf: (socket: WebSocketConnection) => LinkOwner
/** What a broadcast needs of a connection. */
export let senderOf: (socket: WebSocketConnection) => Sender
export let outboxOf: (socket: WebSocketConnection) => Outbox

const NO_OPTIONS: SendOptions = Object.freeze({})

type Listener<Arguments extends unknown[]> = (...parameters: Arguments) => void

/**
 * An open WebSocket connection, of either end (RFC 6455). Text messages are strings; binary ones are Buffers that are
 * yours: their bytes never change. Messages wait, within `maxReadAhead`, until handlers, `'message'` listeners or an
 * iterator take them; a connection has one kind of consumer.
 */
export class WebSocketConnection<Data = unknown>
  extends EventEmitter<ConnectionEvents>
  implements Connection<Data>, AsyncDisposable
{
  readonly protocol: string
  readonly extensions: string
  data: Data
  readonly #link: Link
  readonly #outbox: Outbox
  readonly #sender: Sender
  readonly #handlers: Handlers<Data> | undefined
  readonly #topics: Topics | undefined
  #pings: Pings | undefined
  #idle: IdleTimeout | undefined
  #closeInfo: CloseInfo | undefined
  #closeEmitted = false
  #started = false
  #closed: Promise<CloseInfo> | undefined
  #settleClosed: ((info: CloseInfo) => void) | undefined

  /** For those who do the opening handshake themselves; call {@link start} once listeners may be attached. */
  constructor(init: ConnectionInit<Data>) {
    super()
    dropListenerTable(this as object)
    this.protocol = init.protocol ?? ''
    this.extensions = init.extensions ?? ''
    this.data = init.data as Data
    this.#handlers = init.handlers
    this.#topics = init.topics as Topics | undefined
    const owner = ownerOf(this as WebSocketConnection)
    this.#link = new Link(init.transport, init.role, init.settings, init.deflate, owner)
    this.#outbox = this.#link.outbox
    this.#sender = new Sender(this.#link)
    if (init.handlers?.message !== undefined) this.#link.inbox.claim('handlers')
  }

  /** Calls the `open` handler and starts reading. Called by what made the connection. @throws UsageError the second time */
  start(): void {
    if (this.#started) throw new UsageError('start() was called before: whoever makes a connection calls it once')
    this.#started = true
    const { idleTimeout } = this.#link.settings
    if (idleTimeout > 0) this.#idle = new IdleTimeout(this.#link, this.#sender, idleTimeout)
    if (this.#handlers?.open !== undefined) this.#open(this.#handlers)
    this.#link.start()
  }

  get readyState(): 1 | 2 | 3 {
    const state = this.#link.protocol.readyState
    return state === 1 && this.#sender.closing ? 2 : state
  }

  get bufferedAmount(): number {
    return this.#sender.bufferedAmount
  }

  /** The peer's address, where the transport has one; also after the end. */
  get remoteAddress(): string | undefined {
    return this.#link.transport.remoteAddress
  }

  get closed(): Promise<CloseInfo> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#closeInfo === undefined) this.#settleClosed = resolve
      else resolve(this.#closeInfo)
    })
    return this.#closed
  }

  /**
   * Sends one message: strings as text, all else as binary.
   * @returns false if more than `highWaterMark` bytes wait (hold back until `'drain'`), or if nothing was sent since the
   * connection is not open or the message was dropped
   * @throws UsageError if `data` is none of string, ArrayBuffer, view and Blob
   */
  send(data: MessageData, options: SendOptions = NO_OPTIONS): boolean {
    return this.#sender.send(data, options)
  }

  /**
   * Sends one message in parts (RFC 6455 §5.4): each is on its way before the next is asked for, so that a message may be
   * larger than memory, or have no end. Messages sent meanwhile wait behind it, within `maxBackpressure`; pings and pongs
   * come through. Parts are not compressed, and the peer's own limit of a message holds for their sum.
   * @param source strings or bytes: an async iterable, a Readable of Node or a ReadableStream
   * @returns when the last part has been handed to the operating system. Rejects with `SOURCE_FAILED` if the source fails,
   * with the reason of `signal`, or with `NOT_OPEN` if the connection ends first; the source is let go. After the first part
   * there is no way back: a failing source, or `signal`, then fails the connection with code 1011. (Ignoring that is no fault.)
   * @throws UsageError if `source` is none of these
   */
  sendStream(source: MessageParts, options: SendStreamOptions = {}): Promise<void> {
    return handled(this.#sender.sendStream(source, options))
  }

  drained(options: WaitOptions = {}): Promise<void> {
    return handled(this.#sender.drained(options))
  }

  /**
   * Subscribes to a topic: from now on what the server publishes there is sent to this connection too. It ends with
   * {@link unsubscribe} or with the connection. Nothing is told to the peer. See docs/topics.md.
   * @param topic any string that is not empty
   * @returns whether that is new; false as well if the connection is not open, and nothing is kept then
   * @throws UsageError on another topic, and on a connection that is none of a server's
   */
  subscribe(topic: string): boolean {
    return this.#hub('subscribe').subscribe(this as WebSocketConnection, topic)
  }

  /**
   * Ends a subscription. What was published before is still sent.
   * @returns whether there was one
   * @throws UsageError as {@link subscribe}
   */
  unsubscribe(topic: string): boolean {
    return this.#hub('unsubscribe').unsubscribe(this as WebSocketConnection, topic)
  }

  /** What this connection subscribes to now: a copy. In the handler and the event `close`: what it did until its end. */
  get topics(): ReadonlySet<string> {
    return this.#topics?.of(this as WebSocketConnection) ?? new Set()
  }

  /**
   * Sends a ping (RFC 6455 §5.5.2).
   * @returns the round trip in ms; rejects if the connection ends first or `signal` aborts (ignoring that is no fault)
   * @throws UsageError if `data` has over 125 bytes, or is neither a string nor a view
   */
  ping(data?: string | Uint8Array, options: WaitOptions = {}): Promise<number> {
    this.#pings ??= new Pings()
    const payload = data === undefined ? this.#pings.nextPayload() : pingPayload(data)
    if (options.signal?.aborted === true) return handled(Promise.reject(options.signal.reason))
    if (this.#link.protocol.ping(payload)) return handled(this.#pings.wait(payload, options))
    return handled(Promise.reject(new WebSocketError('NOT_OPEN', 'cannot ping: the connection is not open')))
  }

  /**
   * Begins the closing handshake. Messages sent before leave first; what has not been delivered yet is discarded. Past
   * `closeTimeout` the connection is destroyed.
   * @param code 1000–1003, 1007–1014 or 3000–4999; none by default, which the peer sees as 1005
   * @param reason at most 123 bytes of UTF-8
   * @returns how it ended, when it has; never rejects
   * @throws UsageError on a code or reason that may not be sent
   */
  close(code?: number, reason?: string): Promise<CloseInfo> {
    this.#sender.close(code, reason)
    this.#link.discardInput()
    return this.closed
  }

  /**
   * Destroys the connection at once, without a closing handshake.
   * @param cause why; the close info then has the code `ABORTED` and this as the cause of its cause
   */
  terminate(cause?: unknown): void {
    if (cause === undefined) this.#link.abort(new WebSocketError('TERMINATED', 'terminate() was called'))
    else this.#link.abort(new WebSocketError('ABORTED', `the connection was aborted: ${textOf(cause)}`, { cause }))
  }

  /** Stops the delivery of messages. They are read ahead up to `maxReadAhead`; then the peer has to wait. */
  pause(): void {
    this.#link.inbox.pause()
  }

  /** Goes on after {@link pause}. Without a consumer it discards what comes, as Node's streams do. */
  resume(): void {
    const { inbox } = this.#link
    if (inbox.consumer === 'none') inbox.claim('discard')
    inbox.resume()
  }

  stats(): ConnectionStats {
    const { protocol, outbox, bytesIn, messagesIn } = this.#link
    return {
      messagesIn,
      messagesOut: this.#sender.sent,
      framesIn: protocol.framesIn,
      framesOut: protocol.framesOut + outbox.sharedUnasked,
      bytesIn,
      bytesOut: outbox.flushed,
      dropped: this.#sender.dropped,
    }
  }

  /**
   * The messages as a stream of the web; asking for it makes it their one consumer. It closes if the peer closes with code
   * 1000 or none, and errors otherwise. Cancelling it closes the connection. See docs/streams.md.
   * @throws UsageError if there is another consumer
   */
  get readable(): ReadableStream<string | Buffer> {
    return readableOf(this as WebSocketConnection)
  }

  /**
   * A stream of the web that sends each chunk as a message. Closing it closes the connection with code 1000, aborting it
   * with 1011. See docs/streams.md.
   */
  get writable(): WritableStream<MessageData> {
    return writableOf(this as WebSocketConnection, this.#sender)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<string | Buffer> {
    return new MessageIterator(this.#link.inbox) as AsyncIterableIterator<string | Buffer>
  }

  /** Closes with code 1000 and waits for the end: `await using socket = await connect(url)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(1000)
  }

  #hub(method: string): Topics {
    if (this.#topics !== undefined) return this.#topics
    throw new UsageError(`${method}() needs a connection of a server: nobody else publishes`)
  }

  // --- Listeners: 'message' makes them the consumer

  override on<Name extends keyof ConnectionEvents>(name: Name, listener: Listener<ConnectionEvents[Name]>): this {
    this.#listening(name)
    try {
      return super.on(name as 'message', listener as Listener<ConnectionEvents['message']>)
    } finally {
      this.#unlistening() // one that Node has refused is no consumer
    }
  }

  override once<Name extends keyof ConnectionEvents>(name: Name, listener: Listener<ConnectionEvents[Name]>): this {
    return super.once(name as 'message', listener as Listener<ConnectionEvents['message']>)
  }

  override addListener<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: Listener<ConnectionEvents[Name]>,
  ): this {
    return this.on(name, listener)
  }

  override prependListener<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: Listener<ConnectionEvents[Name]>,
  ): this {
    this.#listening(name)
    try {
      return super.prependListener(name as 'message', listener as Listener<ConnectionEvents['message']>)
    } finally {
      this.#unlistening()
    }
  }

  override removeListener<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: Listener<ConnectionEvents[Name]>,
  ): this {
    super.removeListener(name as 'message', listener as Listener<ConnectionEvents['message']>)
    this.#unlistening()
    return this
  }

  override off<Name extends keyof ConnectionEvents>(name: Name, listener: Listener<ConnectionEvents[Name]>): this {
    return this.removeListener(name, listener)
  }

  override removeAllListeners(name?: keyof ConnectionEvents): this {
    if (name === undefined)
      super.removeAllListeners() // Node counts the arguments
    else super.removeAllListeners(name as 'message')
    this.#unlistening()
    return this
  }

  #listening(name: string): void {
    const { inbox } = this.#link
    if (name !== 'message' || inbox.consumer === 'listeners') return
    inbox.claim('listeners')
    // Listeners that are attached in the same turn all get the messages that waited.
    process.nextTick(() => inbox.deliver())
  }

  #unlistening(): void {
    const { inbox } = this.#link
    if (inbox.consumer === 'listeners' && this.listenerCount('message') === 0) inbox.release()
  }

  // --- What the link reports

  static {
    class Owner implements LinkOwner {
      readonly #socket: WebSocketConnection

      constructor(socket: WebSocketConnection) {
        this.#socket = socket
      }

      deliver(message: Message, consumer: 'handlers' | 'listeners'): unknown {
        return this.#socket.#deliver(message as string | Buffer, consumer)
      }

      deliveryFailed(error: unknown): void {
        rethrowLater(error)
        const { protocol, inbox } = this.#socket.#link
        protocol.failWith('HANDLER_FAILED')
        inbox.clear() // a handler that has failed is given nothing more
      }

      inboxIdle(): void {
        const info = this.#socket.#closeInfo
        if (info !== undefined) this.#socket.#emitClose(info)
      }

      onPing(payload: Uint8Array): void {
        const socket = this.#socket
        if (socket.listenerCount('ping') > 0) invoke(() => socket.emit('ping', payload as Buffer))
      }

      onPong(payload: Uint8Array): void {
        const socket = this.#socket
        socket.#pings?.answer(payload)
        if (socket.listenerCount('pong') > 0) invoke(() => socket.emit('pong', payload as Buffer))
      }

      get queued(): number {
        return this.#socket.#sender.queued
      }

      onDrain(): void {
        this.#socket.#drain()
      }

      report(channel: Channel, size: number, binary: boolean): void {
        const socket = this.#socket
        channel.publish({ socket, role: socket.#link.protocol.role, size, binary } satisfies MessageDiagnostics)
      }

      onClosed(info: CloseInfo): void {
        this.#socket.#end(info)
      }
    }
    ownerOf = (socket) => new Owner(socket)
    senderOf = (socket) => socket.#sender
    outboxOf = (socket) => socket.#outbox
  }

  #deliver(message: string | Buffer, consumer: 'handlers' | 'listeners'): unknown {
    try {
      if (consumer === 'handlers') return this.#handlers?.message?.(this, message)
      this.emit('message', message)
    } catch (error) {
      rethrowLater(error)
    }
    return undefined
  }

  #drain(): void {
    const handlers = this.#handlers
    this.#sender.drain()
    if (handlers?.drain !== undefined) invoke(() => handlers.drain?.(this))
    invoke(() => this.emit('drain'))
  }

  #end(info: CloseInfo): void {
    this.#closeInfo = info
    this.#idle?.clear()
    this.#pings?.cancel(`the connection ended with code ${info.code}`)
    this.#sender.end(info)
    this.#topics?.leave(this as WebSocketConnection)
    this.#settleClosed?.(info)
    if (!this.#link.inbox.busy) this.#emitClose(info)
  }

  /** After the last message has been dealt with, once. */
  #emitClose(info: CloseInfo): void {
    if (this.#closeEmitted) return
    this.#closeEmitted = true
    if (CLOSED.hasSubscribers) CLOSED.publish({ socket: this, role: this.#link.protocol.role, info })
    if (this.listenerCount('error') > 0 && info.cause !== undefined) this.#emitError(info.cause)
    if (this.#handlers?.close !== undefined) invoke(() => this.#handlers?.close?.(this, info))
    invoke(() => this.emit('close', info))
    this.#topics?.forget(this as WebSocketConnection)
  }

  #emitError(cause: WebSocketError): void {
    invoke(() => this.emit('error', cause))
  }

  #open(handlers: Handlers<Data>): void {
    const result = invoke(() => handlers.open?.(this))
    if (isPromiseLike(result)) this.#link.inbox.holdUntil(result)
  }
}

/**
 * Node makes each emitter a table of listeners at once, a dictionary of 240 bytes. Connections with handlers never use theirs; the
 * first listener makes one again, as for an emitter whose constructor was never called.
 */
function dropListenerTable(emitter: { _events?: object | undefined }): void {
  emitter._events = undefined
}

/** Of a view the bytes that it shows, exactly: their number need not be its `length` (STANDARDS L22). */
function pingPayload(data: string | Uint8Array): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  throw usage('payload of a ping', 'a string or a Uint8Array', data)
}

/** An ignored rejection of this promise is no unhandled one: the caller may not care. */
function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {})
  return promise
}
