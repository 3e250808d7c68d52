// The WebSocket of the standard over one socket after the other. Rules:
// - `close` comes once and last, when there will be no further attempt; the end of a connection before that is `reconnecting`.
// - There is one socket at a time: the next is begun when the last is over, or has had its time to be.
// - A message is handed to one socket at most, in the order of the calls; what waited goes out before the `open` event.
// - What is voided (an attempt that was replaced, a socket that was left) is not heard any more; a callback may void what calls it.

import { LONGEST_DELAY, WebSocketError } from '@ws/protocol'
import { type Backlog, makeBacklog } from './backlog.ts'
import type { Build, CloseEventLike, StandardSocket } from './dial.ts'
import type { TypedEventTarget } from './event-target.ts'
import { failedBy, type Loss, type LossInfo, lossOf } from './loss.ts'
import { type Pulse, startPulse } from './pulse.ts'
import { isIterable, type PerAttempt, type ReconnectSettings } from './reconnect-options.ts'
import { onWake } from './wake.ts'

/** Node's timers keep the process alive, unless they are told not to; those of browsers are numbers. */
interface Holding {
  ref?(): void
  unref?(): void
}

/** There is no connection, or none any more, and another attempt will be made. */
export interface ReconnectingEvent extends Event {
  /** The number of that attempt since the last stable connection, from 1; 0 if `reconnect()` asked for it. */
  readonly attempt: number
  /** In how many ms it is made. */
  readonly delay: number
  /** Why it is needed. */
  readonly info: LossInfo
}

/** No further attempt will be made; `close` follows. */
export interface GaveUpEvent extends Event {
  /** How many attempts in a row came to nothing. */
  readonly attempts: number
  /** How the last one ended. */
  readonly info: LossInfo
}

/** The events of a client that reconnects. */
export interface ReconnectingEventMap {
  open: Event
  message: MessageEvent
  error: Event
  close: CloseEventLike
  reconnecting: ReconnectingEvent
  gaveup: GaveUpEvent
}

/** What became of a message: handed to the connection, kept for the next one, or neither. */
export type SendResult = 'sent' | 'queued' | 'dropped'

/** What each attempt is made with. */
export interface Given<Headers> {
  readonly url: PerAttempt<string | URL>
  readonly protocols: PerAttempt<string | Iterable<string>>
  readonly headers?: PerAttempt<Headers> | undefined
}

/** {@link Given}, as a socket is made with it. */
type Values<Headers> = [url: string | URL, protocols: string | Iterable<string>, headers: Headers | undefined]

type Handler<Type> = ((event: Type) => unknown) | null

const CONNECTING = 0
const OPEN = 1
const CLOSING = 2
const CLOSED = 3

/** How long a socket that was left may take to end before the next is begun, in ms. */
const LEAVE_TIMEOUT = 3_000

const EVENTS: readonly (keyof ReconnectingEventMap)[] = ['open', 'message', 'error', 'close', 'reconnecting', 'gaveup']

const Target: new () => TypedEventTarget<ReconnectingEventMap> = EventTarget

export class ReconnectingSocket<Headers = unknown> extends Target {
  static readonly CONNECTING: 0 = CONNECTING
  static readonly OPEN: 1 = OPEN
  static readonly CLOSING: 2 = CLOSING
  static readonly CLOSED: 3 = CLOSED
  readonly CONNECTING: 0 = CONNECTING
  readonly OPEN: 1 = OPEN
  readonly CLOSING: 2 = CLOSING
  readonly CLOSED: 3 = CLOSED

  // Defined by the constructor: as accessors of the class they would be half of its size.
  declare onopen: Handler<Event>
  declare onmessage: Handler<MessageEvent>
  declare onerror: Handler<Event>
  declare onclose: Handler<CloseEventLike>
  declare onreconnecting: Handler<ReconnectingEvent>
  declare ongaveup: Handler<GaveUpEvent>

  readonly #given: readonly PerAttempt<unknown>[]
  readonly #settings: ReconnectSettings
  readonly #build: Build<Headers>
  readonly #backlog: Backlog
  #readyState: 0 | 1 | 2 | 3 = CONNECTING
  #binaryType: 'blob' | 'arraybuffer' = 'blob'
  #url = ''
  #socket: StandardSocket | undefined
  #pulse: Pulse | undefined
  #failure: unknown
  /** That of the wait before an attempt, of the attempt, or of the end that {@link close} brings. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #waiting = false
  /** What has another number than this is void. */
  #run = 0
  #attempts = 0
  #openedAt = 0
  /** The time of a socket that was left, until it is over; an attempt waits for that, and only that holds the process. */
  #leaving: Holding | undefined
  #due = false
  /** Ends what listens to the world outside. */
  #armed: AbortController | undefined

  constructor({ url, protocols, headers }: Given<Headers>, settings: ReconnectSettings, build: Build<Headers>) {
    super()
    this.#given = [url, protocols, headers].map(listed)
    this.#settings = settings
    this.#build = build
    this.#backlog = makeBacklog(settings.maxQueue)
    for (const type of EVENTS) defineHandler(this, type)
    if (settings.signal?.aborted !== true) {
      if (this.#given.some((value) => typeof value === 'function')) this.#attempt()
      else this.#connect(...(this.#given as Values<Headers>)) // throws what is wrong with them
    }
    this.#arm()
  }

  /** 0 CONNECTING (also while it waits to connect again), 1 OPEN, 2 CLOSING, 3 CLOSED. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState
  }

  /** The URL of the last attempt, `''` before the first. */
  get url(): string {
    return this.#url
  }

  /** The subprotocol of the connection, `''` for none. */
  get protocol(): string {
    return this.#socket?.protocol ?? ''
  }

  /** The extensions of the connection, `''` for none. */
  get extensions(): string {
    return this.#socket?.extensions ?? ''
  }

  /** Bytes of messages that wait for a connection, or have not left on this one. */
  get bufferedAmount(): number {
    return this.#backlog.size() + (this.#socket?.bufferedAmount ?? 0)
  }

  /** What binary messages come as: `'blob'` (default) or `'arraybuffer'`. Other values are ignored. */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType
  }

  set binaryType(value: 'blob' | 'arraybuffer') {
    if (value !== 'blob' && value !== 'arraybuffer') return
    this.#binaryType = value
    if (this.#socket !== undefined) this.#socket.binaryType = value
  }

  /** Why it ended, known when `error` is dispatched; `undefined` where nobody knows. Not in the standard. */
  get failure(): unknown {
    return this.#failure
  }

  /**
   * Sends a message, or keeps it for the next connection: an ArrayBuffer, a view or a Blob as binary, everything else as
   * text; the bytes are those of now. What was `'sent'` is the connection's: if that is lost, nobody knows whether it arrived,
   * and it is not sent again.
   * @returns `'dropped'` if `maxQueue` would be passed, or {@link close} was called
   */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): SendResult {
    if (this.#hand(data)) return 'sent'
    return this.#readyState < CLOSING && this.#backlog.add(data) ? 'queued' : 'dropped'
  }

  /**
   * Closes for good. While there is no connection it ends the attempts: `error` and `close` follow, as the standard has it.
   * @param code 1000 or from 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws DOMException `InvalidAccessError` or `SyntaxError` on arguments that may not be sent, if they would be
   */
  close(code?: number, reason?: string): void {
    if (this.#readyState === CONNECTING)
      this.#halt(new WebSocketError('HANDSHAKE_ABORTED', 'closed before it was open'))
    if (this.#readyState !== OPEN) return
    this.#socket?.close(code, reason)
    this.#readyState = CLOSING
    this.#pulse = this.#pulse?.stop()
  }

  /**
   * Connects anew, at once: closes the connection if there is one (code 1000), ends a wait or an attempt, or begins again after
   * the end. What waits to be sent still waits.
   */
  reconnect(): void {
    const open = this.#readyState === OPEN
    const over = this.#readyState === CLOSED
    this.#leave(open ? 1000 : undefined)
    this.#readyState = CONNECTING
    this.#attempts = 0
    this.#failure = undefined
    this.#attempt()
    if (over) this.#arm()
    this.#tell('reconnecting', { attempt: 0, delay: 0, info: { ...failedBy(undefined), code: 1000, wasClean: true } })
  }

  // --- An attempt

  /** Asks for what the attempt is made with, then connects. */
  #attempt(): void {
    const run = this.#void()
    this.#due = this.#leaving !== undefined
    if (this.#due) return this.#leaving?.ref?.()
    const failed = (cause: unknown, retryable?: boolean): void => {
      if (run === this.#run) this.#lost(failedBy(cause, retryable))
    }
    this.#expire()
    Promise.all(this.#given.map(evaluate))
      .then((values) => {
        if (run === this.#run) this.#connect(...(values as Values<Headers>))
      }, failed)
      .catch((error) => failed(error, false)) // the values are wrong
  }

  /** @throws what the socket's constructor throws */
  #connect(...[url, protocols, headers]: Values<Headers>): void {
    const { dial, failure, timesOut } = this.#build
    const socket = dial({ url, protocols, headers })
    this.#void()
    this.#socket = socket
    this.#url = socket.url
    socket.binaryType = this.#binaryType
    socket.onopen = () => this.#opened()
    socket.onmessage = (event: MessageEvent) => this.#received(event)
    socket.onclose = (event: CloseEventLike) => this.#lost(lossOf(event, failure?.(socket)))
    if (timesOut !== true) this.#expire()
  }

  #expire(): void {
    const { handshakeTimeout } = this.#settings
    this.#timer = setTimeout(
      () => this.#fail(new WebSocketError('HANDSHAKE_TIMEOUT', `no connection within ${handshakeTimeout} ms`)),
      handshakeTimeout,
    )
  }

  #opened(): void {
    clearTimeout(this.#timer)
    this.#readyState = OPEN
    this.#openedAt = Date.now()
    const { pulse } = this.#settings
    if (pulse !== undefined) {
      this.#pulse = startPulse(
        pulse,
        (question) => this.#hand(question),
        (cause) => this.#fail(cause),
      )
    }
    // One of them may be too much for the socket: what comes after it waits again.
    for (const data of this.#backlog.take()) if (!this.#hand(data)) this.#backlog.add(data)
    this.#tell('open')
  }

  /** @returns whether the socket has it */
  #hand(data: string | ArrayBuffer | ArrayBufferView | Blob): boolean {
    if (this.#readyState !== OPEN || this.#socket?.readyState !== OPEN) return false
    this.#socket.send(data as string)
    return true
  }

  #received(event: MessageEvent): void {
    this.#pulse?.beat()
    if (this.#settings.pulse?.isReply?.(event.data) !== true)
      super.dispatchEvent(new MessageEvent('message', event as object))
  }

  // --- Its end

  /** We find that the socket is of no use. */
  #fail(cause: unknown): void {
    this.#leave()
    this.#lost(failedBy(cause))
  }

  #lost(info: Loss): void {
    const run = this.#void()
    this.#detach()
    if (this.#readyState === CLOSING) return this.#finish(info)
    const { stableAfter, maxAttempts, shouldReconnect } = this.#settings
    const stable = this.#readyState === OPEN && Date.now() - this.#openedAt >= stableAfter
    this.#attempts = stable ? 1 : this.#attempts + 1
    this.#readyState = CONNECTING
    let last = info
    let again = false
    try {
      again = this.#attempts <= maxAttempts && shouldReconnect(info)
    } catch (cause) {
      last = { ...info, cause }
    }
    if (run !== this.#run) return // it called close() or reconnect()
    if (again) this.#wait(info)
    else this.#finish(last, this.#attempts)
  }

  /** Full jitter, also after the time that the server asked for: clients that lost it together come back one by one. */
  #wait(info: Loss): void {
    const { baseDelay, maxDelay } = this.#settings
    const attempt = this.#attempts
    const longest = Math.min(maxDelay, baseDelay * 2 ** (attempt - 1)) || 0 // no wait, doubled endlessly, is NaN
    const delay = Math.min((info.wait ?? 0) + Math.random() * longest, LONGEST_DELAY)
    this.#waiting = true
    this.#timer = setTimeout(() => this.#attempt(), delay)
    this.#tell('reconnecting', { attempt, delay, info })
  }

  /** Ends without a connection that could be closed: the events come later, as the standard has it. */
  #halt(cause: WebSocketError): void {
    this.#leave()
    this.#readyState = CLOSING
    this.#void()
    this.#timer = setTimeout(() => this.#finish(failedBy(cause)))
  }

  /** @param attempts how many came to nothing, if that is why */
  #finish(info: LossInfo, attempts?: number): void {
    const run = this.#run // a listener may call reconnect(): then the others hear no more of this end
    this.#readyState = CLOSED
    this.#failure = info.cause
    this.#backlog.take()
    this.#armed?.abort()
    if (attempts !== undefined) this.#tell('gaveup', { attempts, info })
    if (run === this.#run && !info.wasClean) this.#tell('error')
    if (run === this.#run) super.dispatchEvent(new this.#build.CloseEvent('close', info))
  }

  #tell(type: string, what?: object): void {
    super.dispatchEvent(Object.assign(new Event(type), what))
  }

  // --- What is left behind, and what is heard from outside

  /** Voids what is under way. */
  #void(): number {
    clearTimeout(this.#timer)
    this.#leaving?.unref?.()
    this.#waiting = false
    this.#due = false
    return ++this.#run
  }

  #detach(): StandardSocket | undefined {
    const socket = this.#socket
    this.#socket = undefined
    this.#pulse = this.#pulse?.stop()
    if (socket !== undefined) socket.onopen = socket.onmessage = socket.onclose = null
    return socket
  }

  /** Turns away from a socket, by a Close if there is a code; what comes next waits for its end. */
  #leave(code?: number): void {
    const socket = this.#detach()
    if (socket === undefined) return
    const { terminate } = this.#build
    const left = (): void => {
      clearTimeout(timer)
      socket.onclose = null
      this.#leaving = undefined
      if (this.#due) this.#attempt()
    }
    const timer = setTimeout(() => {
      terminate(socket)
      left()
    }, LEAVE_TIMEOUT)
    this.#leaving = timer as Holding
    socket.onclose = left
    if (code === undefined) terminate(socket)
    else socket.close(code)
  }

  #arm(): void {
    const { signal } = this.#settings
    this.#armed = new AbortController()
    const { signal: armed } = this.#armed
    onWake(() => (this.#waiting ? this.#attempt() : this.#pulse?.probe()), armed)
    const abort = (): void =>
      this.#halt(new WebSocketError('ABORTED', 'the signal was aborted', { cause: signal?.reason }))
    ;(signal as AbortSignal | undefined)?.addEventListener('abort', abort, { signal: armed })
    if (signal?.aborted === true) abort()
  }
}

/** An event handler attribute: a listener whose place is that of its first assignment. */
function defineHandler(target: EventTarget, type: string): void {
  let handler: ((event: Event) => unknown) | null | undefined
  Object.defineProperty(target, `on${type}`, {
    get: () => handler ?? null,
    set: (value) => {
      if (handler === undefined) target.addEventListener(type, (event) => handler?.call(target, event))
      handler = typeof value === 'function' ? value : null
    },
  })
}

/** What can be gone through only once would give the second attempt nothing. */
function listed<Value>(given: Value): Value {
  return isIterable(given) ? ([...given] as Value) : given
}

/** What a function throws is a rejection. */
async function evaluate<Value>(given: PerAttempt<Value>): Promise<Value> {
  return typeof given === 'function' ? await (given as () => Value | PromiseLike<Value>)() : given
}
