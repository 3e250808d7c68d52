// The WHATWG WebSocket interface over a connection of ours. Rules:
// - The state that scripts see moves with the events, not with the wire: a message is an event only while OPEN, `close`
//   comes once and last, `error` comes before it exactly when the connection failed.
// - Every event is a task of its own: promises that one has settled run before the next (tasks.ts).
// - Scripts cannot tell failures apart, as the standard wants; `failure` tells those who know this class.

import {
  type AbortSignalLike,
  CloseCode,
  checkProtocols,
  HandshakeError,
  ReadyState,
  WebSocketError,
} from '@ws/protocol'
import { type CloseInfo, type Handlers, usage, type WebSocketConnection } from '@ws/protocol/node'
import { establish } from './establish.ts'
import { CloseEvent, type CloseEventInit, WebSocketEventTarget } from './events.ts'
import { type ConnectOptions, makePlan, type Plan } from './plan.ts'
import { toCloseArguments, toProtocols, toText } from './portable/arguments.ts'
import { EventHandlers } from './portable/event-handlers.ts'
import { afterMicrotasks, nextTask } from './tasks.ts'
import { parseTarget } from './url.ts'
import { defineInterface, orSyntaxError, toPayload } from './web-idl.ts'

/** The options of {@link connect} that have a meaning here; the others are fixed by the standard. */
export type WebSocketOptions = Omit<
  ConnectOptions,
  'concurrency' | 'data' | 'incoming' | 'requireProtocol' | 'serialize' | 'slowConsumer'
>

/** One handshake at a time (RFC 6455 §4.1), a subprotocol if any was asked for, messages in order and none dropped. */
const FIXED: ConnectOptions = {
  concurrency: 1,
  incoming: 'deliver',
  requireProtocol: true,
  serialize: true,
  slowConsumer: 'close',
}

const FAILED: CloseEventInit = { wasClean: false, code: CloseCode.Abnormal, reason: '' }

/** The type of an event handler attribute. */
export type WebSocketEventHandler<Type> = ((this: WebSocket, event: Type) => unknown) | null

/**
 * The WebSocket of browsers (WHATWG WebSockets Standard). In place of the subprotocols it takes the options of
 * `connect`, and {@link failure} says why a connection failed.
 *
 * ```ts
 * const socket = new WebSocket('ws://127.0.0.1:12010/updates')
 * socket.onmessage = (event) => console.log(event.data)
 * ```
 */
export class WebSocket extends WebSocketEventTarget {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSING: 2
  declare static readonly CLOSED: 3
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSING: 2
  declare readonly CLOSED: 3
  declare readonly [Symbol.toStringTag]: string

  readonly #url: string
  readonly #origin: string
  readonly #attempt = new AbortController()
  readonly #handlers = new EventHandlers(this)
  readonly #atEnd: (() => void)[] = []
  #readyState: ReadyState = ReadyState.Connecting
  #binaryType: 'blob' | 'arraybuffer' = 'blob'
  #connection: WebSocketConnection | undefined
  #failure: WebSocketError | undefined
  #received = 0
  #bufferedAmount = 0
  #flushed = 0

  /**
   * Begins to connect.
   * @param url ws:, wss:, http: or https:
   * @param protocols the subprotocols to offer, or options
   * @throws DOMException `SyntaxError` on an invalid URL or subprotocol; UsageError on another wrong option
   */
  constructor(url: string | URL, protocols: string | Iterable<string> | WebSocketOptions = []) {
    super()
    // biome-ignore lint/complexity/noArguments: Web IDL tells an argument that is not there from `undefined`
    if (arguments.length === 0) throw new TypeError('the constructor of WebSocket needs a URL')
    const text = toText(url)
    const options = toOptions(protocols)
    const target = orSyntaxError(() => parseTarget(text))
    orSyntaxError(() => checkProtocols(options.protocols))
    this.#url = target.url
    this.#origin = target.origin
    this.#begin(makePlan(target, { ...options, ...FIXED }))
  }

  /** The URL as the URL standard writes it. */
  get url(): string {
    return this.#url
  }

  /** 0 CONNECTING, 1 OPEN, 2 CLOSING, 3 CLOSED. */
  get readyState(): ReadyState {
    return this.#readyState === ReadyState.Open && this.#peerCloses() ? ReadyState.Closing : this.#readyState
  }

  /** Bytes of messages given to {@link send} that have not left yet, framing not counted; those that never will included. */
  get bufferedAmount(): number {
    return this.#bufferedAmount
  }

  /** The negotiated extensions, `''` for none. */
  get extensions(): string {
    return this.#connection?.extensions ?? ''
  }

  /** The subprotocol that the server chose, `''` for none. */
  get protocol(): string {
    return this.#connection?.protocol ?? ''
  }

  /** What binary messages come as: `'blob'` (default) or `'arraybuffer'`. Other values are ignored. */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType
  }

  set binaryType(value: 'blob' | 'arraybuffer') {
    void this.#url // of another object: a TypeError, before the value is looked at
    const type = toText(value)
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type
  }

  get onopen(): WebSocketEventHandler<Event> {
    return this.#handlers.get('open')
  }

  set onopen(handler: WebSocketEventHandler<Event>) {
    this.#handlers.set('open', handler)
  }

  get onmessage(): WebSocketEventHandler<MessageEvent> {
    return this.#handlers.get('message')
  }

  set onmessage(handler: WebSocketEventHandler<MessageEvent>) {
    this.#handlers.set('message', handler)
  }

  get onerror(): WebSocketEventHandler<Event> {
    return this.#handlers.get('error')
  }

  set onerror(handler: WebSocketEventHandler<Event>) {
    this.#handlers.set('error', handler)
  }

  get onclose(): WebSocketEventHandler<CloseEvent> {
    return this.#handlers.get('close')
  }

  set onclose(handler: WebSocketEventHandler<CloseEvent>) {
    this.#handlers.set('close', handler)
  }

  /** Why the connection failed, known when `error` is dispatched; `undefined` if it did not. Not in the standard. */
  get failure(): WebSocketError | undefined {
    return this.#failure
  }

  /**
   * Sends a message: an ArrayBuffer, a view or a Blob as binary, everything else as text. Bytes are those of now: what is
   * written to the memory later is not sent.
   * @throws DOMException `InvalidStateError` while CONNECTING
   */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    void this.#url // of another object: a TypeError, before the arguments are looked at
    // biome-ignore lint/complexity/noArguments: Web IDL tells an argument that is not there from `undefined`
    if (arguments.length === 0) throw new TypeError('send() needs a message')
    const payload = toPayload(data)
    if (this.#readyState === ReadyState.Connecting) throw new DOMException('not open yet', 'InvalidStateError')
    this.#bufferedAmount += payload.size
    if (this.#readyState !== ReadyState.Open) return
    const onFlushed = (error?: Error): void => {
      if (error === undefined) this.#unbuffer(payload.size)
    }
    this.#connection?.send(payload.data, { copy: true, onFlushed })
  }

  /**
   * Begins to close; without a code the Close frame is empty.
   * @param given a code, 1000 or from 3000 to 4999, and a reason of at most 123 bytes of UTF-8
   * @throws DOMException `InvalidAccessError` or `SyntaxError` on arguments that may not be sent
   */
  close(...[code, reason]: [code?: number | undefined, reason?: string | undefined]): void {
    void this.#url // of another object: a TypeError, before the arguments are looked at
    const given = toCloseArguments(code, reason)
    const before = this.#readyState
    if (before >= ReadyState.Closing) return
    this.#readyState = ReadyState.Closing
    if (before === ReadyState.Open) void this.#connection?.close(given.code, given.reason)
    else this.#attempt.abort(aborted('close() was called before the connection was open', false))
  }

  /** Closes with code 1000 and waits for the end: `await using socket = new WebSocket(url)`. Not in the standard. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#readyState === ReadyState.Closed) return
    await new Promise<void>((resolve) => {
      this.#atEnd.push(resolve)
      this.close(CloseCode.Normal)
    })
  }

  // --- From the attempt to the end

  #begin(plan: Plan): void {
    if (plan.signal !== undefined) this.#obey(plan.signal)
    const handlers: Handlers = {
      open: (connection) => this.#opened(connection),
      message: (_, data) => this.#receive(data),
      close: (_, info) => this.#closed(info),
    }
    establish({ ...plan, signal: this.#attempt.signal }, undefined, handlers).catch((error: WebSocketError) => {
      this.#failure ??= error
      setImmediate(() => this.#end(FAILED))
    })
  }

  /** The caller's signal ends the attempt, and the connection that came of it. */
  #obey(signal: AbortSignalLike): void {
    const onAbort = (): void => {
      this.#failure ??= aborted('the signal was aborted', this.#connection !== undefined, signal.reason)
      this.#attempt.abort(this.#failure)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    this.#atEnd.push(() => signal.removeEventListener('abort', onAbort))
  }

  #opened(connection: WebSocketConnection): Promise<void> {
    this.#connection = connection
    this.#readyState = ReadyState.Open
    super.dispatchEvent(new Event('open'))
    return nextTask
  }

  #receive(data: string | Buffer): Promise<void> {
    if (this.#readyState === ReadyState.Open) {
      super.dispatchEvent(new MessageEvent('message', { data: this.#wrap(data), origin: this.#origin }))
    }
    this.#received++
    return nextTask
  }

  #closed({ wasClean, code, reason, cause }: CloseInfo): void {
    if (!wasClean) this.#failure ??= cause
    this.#end(wasClean ? { wasClean, code, reason } : FAILED)
  }

  #end(how: CloseEventInit): void {
    this.#subtractFlushed()
    this.#readyState = ReadyState.Closed
    if (how !== FAILED) return this.#ended(how)
    super.dispatchEvent(new Event('error'))
    afterMicrotasks(() => this.#ended(how))
  }

  #ended(how: CloseEventInit): void {
    super.dispatchEvent(new CloseEvent('close', how))
    for (const done of this.#atEnd.splice(0)) done()
  }

  /** Whether the peer's Close has come and every message before it has been an event. */
  #peerCloses(): boolean {
    const connection = this.#connection
    if (connection === undefined || connection.readyState === ReadyState.Open) return false
    return connection.stats().messagesIn === this.#received
  }

  /** `bufferedAmount` does not fall while the task that reads it runs, nor after the end. */
  #unbuffer(size: number): void {
    if (this.#flushed === 0) setImmediate(() => this.#subtractFlushed())
    this.#flushed += size
  }

  #subtractFlushed(): void {
    this.#bufferedAmount -= this.#flushed
    this.#flushed = 0
  }

  #wrap(data: string | Buffer): string | Blob | ArrayBuffer {
    if (typeof data === 'string') return data
    if (this.#binaryType === 'blob') return new Blob([data])
    const { buffer, byteOffset, byteLength } = data
    const whole = buffer.byteLength === byteLength
    return (whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer
  }
}

const CONSTANTS = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }
for (const [name, value] of Object.entries(CONSTANTS)) {
  Object.defineProperty(WebSocket, name, { value, enumerable: true })
  Object.defineProperty(WebSocket.prototype, name, { value, enumerable: true })
}
const ATTRIBUTES = ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol', 'binaryType']
const HANDLERS = ['onopen', 'onmessage', 'onerror', 'onclose']
defineInterface(WebSocket.prototype, 'WebSocket', [...ATTRIBUTES, ...HANDLERS, 'send', 'close'])

/** The constructor's second argument as options; the subprotocols in them as Web IDL takes them. */
function toOptions(given: string | Iterable<string> | WebSocketOptions): WebSocketOptions & { protocols: string[] } {
  const protocols = toProtocols(given)
  if (protocols !== undefined) return { protocols }
  const options = given as WebSocketOptions
  const named = toProtocols(options.protocols ?? [])
  if (named === undefined) throw usage('option protocols', 'a string or a list of strings', options.protocols)
  return { ...options, protocols: named }
}

function aborted(message: string, wasOpen: boolean, cause?: unknown): WebSocketError {
  if (wasOpen) return new WebSocketError('ABORTED', message, { cause })
  return new HandshakeError('HANDSHAKE_ABORTED', message, { cause })
}
