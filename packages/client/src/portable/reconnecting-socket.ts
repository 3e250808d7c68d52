// The WebSocket of the standard over one socket after the other. Rules:
// - `close` comes once and last, when there will be no further attempt; the end of a connection before that is `reconnecting`.
// - There is one socket at a time: the next is begun when the last is over, or has had its time to be.
// - A message is handed to one socket at most, in the order of the calls; what waited goes out before the `open` event.
// - What is voided (an attempt that was replaced, a socket that was left) is not heard any more.

import { LONGEST_DELAY, usage, WebSocketError } from '@ws/protocol'
import { toCloseArguments, toProtocols, toText } from './arguments.ts'
import { Backlog } from './backlog.ts'
import type { Build, CloseEventLike, Dialled } from './dial.ts'
import { EventHandlers } from './event-handlers.ts'
import type { TypedEventTarget } from './event-target.ts'
import { failedBy, type LossInfo, lossOf, retryAfter } from './loss.ts'
import { Pulse } from './pulse.ts'
import type { PerAttempt, ReconnectSettings } from './reconnect-options.ts'
import { onWake } from './wake.ts'

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

type Handler<Type> = ((event: Type) => unknown) | null

const CONNECTING = 0
const OPEN = 1
const CLOSING = 2
const CLOSED = 3

/** How long a socket that was left may take to end before the next is begun, in ms. */
const LEAVE_TIMEOUT = 3_000
/** The doubling of waits ends here: 2^31 ms is more than {@link LONGEST_DELAY}. */
const MOST_DOUBLINGS = 31

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

  readonly #given: Given<Headers>
  readonly #settings: ReconnectSettings
  readonly #build: Build<Headers>
  readonly #handlers = new EventHandlers(this)
  readonly #backlog: Backlog
  #readyState: 0 | 1 | 2 | 3 = CONNECTING
  #binaryType: 'blob' | 'arraybuffer' = 'blob'
  #url = ''
  #dialled: Dialled | undefined
  #pulse: Pulse | undefined
  #failure: unknown
  /** That of the wait before an attempt, or of the attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #waiting = false
  /** What has another number than this is void. */
  #run = 0
  #attempts = 0
  #openedAt = 0
  /** A socket that was left is not over yet, and what is to be done then. */
  #leaving = false
  #afterLeaving: (() => void) | undefined
  #disarm: () => void = () => {}

  constructor(given: Given<Headers>, settings: ReconnectSettings, build: Build<Headers>) {
    super()
    this.#given = given
    this.#settings = settings
    this.#build = build
    this.#backlog = new Backlog(settings.maxQueue)
    const { url, protocols, headers } = given
    if (isFunction(url) || isFunction(protocols) || isFunction(headers)) this.#attempt()
    else this.#connect(url as string, protocols as string, headers as Headers | undefined) // what is wrong is thrown here
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
    return this.#dialled?.socket.protocol ?? ''
  }

  /** The extensions of the connection, `''` for none. */
  get extensions(): string {
    return this.#dialled?.socket.extensions ?? ''
  }

  /** Bytes of messages that wait for a connection, or have not left on this one. */
  get bufferedAmount(): number {
    return this.#backlog.size + (this.#dialled?.socket.bufferedAmount ?? 0)
  }

  /** What binary messages come as: `'blob'` (default) or `'arraybuffer'`. Other values are ignored. */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType
  }

  set binaryType(value: 'blob' | 'arraybuffer') {
    if (value !== 'blob' && value !== 'arraybuffer') return
    this.#binaryType = value
    if (this.#dialled !== undefined) this.#dialled.socket.binaryType = value
  }

  /** Why it ended, known when `error` is dispatched; `undefined` where nobody knows. Not in the standard. */
  get failure(): unknown {
    return this.#failure
  }

  get onopen(): Handler<Event> {
    return this.#handlers.get('open')
  }

  set onopen(handler: Handler<Event>) {
    this.#handlers.set('open', handler)
  }

  get onmessage(): Handler<MessageEvent> {
    return this.#handlers.get('message')
  }

  set onmessage(handler: Handler<MessageEvent>) {
    this.#handlers.set('message', handler)
  }

  get onerror(): Handler<Event> {
    return this.#handlers.get('error')
  }

  set onerror(handler: Handler<Event>) {
    this.#handlers.set('error', handler)
  }

  get onclose(): Handler<CloseEventLike> {
    return this.#handlers.get('close')
  }

  set onclose(handler: Handler<CloseEventLike>) {
    this.#handlers.set('close', handler)
  }

  get onreconnecting(): Handler<ReconnectingEvent> {
    return this.#handlers.get('reconnecting')
  }

  set onreconnecting(handler: Handler<ReconnectingEvent>) {
    this.#handlers.set('reconnecting', handler)
  }

  get ongaveup(): Handler<GaveUpEvent> {
    return this.#handlers.get('gaveup')
  }

  set ongaveup(handler: Handler<GaveUpEvent>) {
    this.#handlers.set('gaveup', handler)
  }

  /**
   * Sends a message, or keeps it for the next connection: an ArrayBuffer, a view or a Blob as binary, everything else as
   * text; the bytes are those of now. What was `'sent'` is the connection's: if that is lost, nobody knows whether it arrived,
   * and it is not sent again.
   * @returns `'dropped'` if `maxQueue` would be passed, or {@link close} was called
   */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): SendResult {
    const socket = this.#dialled?.socket
    if (this.#readyState === OPEN && socket?.readyState === OPEN) {
      socket.send(data as string)
      return 'sent'
    }
    return this.#readyState < CLOSING && this.#backlog.add(data) ? 'queued' : 'dropped'
  }

  /**
   * Closes for good. While there is no connection it ends the attempts: `error` and `close` follow, as the standard has it.
   * @param code 1000 or from 3000 to 4999 @param reason at most 123 bytes of UTF-8
   * @throws DOMException `InvalidAccessError` or `SyntaxError` on arguments that may not be sent
   */
  close(code?: number, reason?: string): void {
    const given = toCloseArguments(code, reason)
    if (this.#readyState === CONNECTING)
      this.#halt(new WebSocketError('HANDSHAKE_ABORTED', 'close() was called before the connection was open'))
    if (this.#readyState !== OPEN) return
    this.#readyState = CLOSING
    this.#dialled?.socket.close(given.code, given.reason)
  }

  /**
   * Connects anew, at once: closes the connection if there is one (code 1000), ends a wait or an attempt, or begins again after
   * the end. What waits to be sent still waits.
   */
  reconnect(): void {
    const open = this.#readyState === OPEN
    const over = this.#readyState === CLOSED
    this.#leave(({ socket, terminate }) => (open ? socket.close(1000) : terminate()))
    this.#readyState = CONNECTING
    this.#attempts = 0
    this.#failure = undefined
    this.#attempt()
    if (over) this.#arm()
    const info = { code: 1000, reason: '', wasClean: true, status: undefined, cause: undefined, retryable: true }
    this.#tell('reconnecting', { attempt: 0, delay: 0, info })
  }

  // --- An attempt

  /** Asks for what the attempt is made with, then connects. */
  #attempt(): void {
    const run = this.#void()
    if (this.#leaving) {
      this.#afterLeaving = () => this.#attempt()
      return
    }
    const { url, protocols, headers } = this.#given
    const failed = (cause: unknown, retryable?: boolean): void => {
      if (run === this.#run) this.#lost(failedBy(cause, retryable))
    }
    this.#expire('url, protocols and headers were not there', failed)
    Promise.all([evaluate(url), evaluate(protocols), evaluate(headers)]).then((values) => {
      if (run !== this.#run) return
      try {
        this.#connect(...values)
      } catch (error) {
        failed(error, false) // of the values
      }
    }, failed)
  }

  /** @throws what the socket's constructor throws */
  #connect(url: string | URL, protocols: string | Iterable<string>, headers: Headers | undefined): void {
    const list = toProtocols(protocols)
    if (list === undefined) throw usage('protocols', 'a string or a list of strings', protocols)
    const dialled = this.#build.dial({ url: toText(url), protocols: list, headers })
    const { socket } = dialled
    this.#void()
    this.#dialled = dialled
    this.#url = socket.url
    socket.binaryType = this.#binaryType
    socket.onopen = () => this.#opened(dialled)
    socket.onmessage = (event: MessageEvent) => this.#received(event)
    socket.onclose = (event: CloseEventLike) => this.#lost(lossOf(event, socket.failure))
    if (!dialled.timesOut) this.#expire('there was no connection', (error) => this.#fail(error))
  }

  #expire(what: string, then: (error: WebSocketError) => void): void {
    const { handshakeTimeout } = this.#settings
    const error = (): WebSocketError => new WebSocketError('HANDSHAKE_TIMEOUT', `${what} within ${handshakeTimeout} ms`)
    this.#timer = setTimeout(() => then(error()), handshakeTimeout)
  }

  #opened({ socket }: Dialled): void {
    clearTimeout(this.#timer)
    this.#readyState = OPEN
    this.#openedAt = Date.now()
    const { pulse } = this.#settings
    if (pulse !== undefined) {
      const dead = (): void =>
        this.#fail(
          new WebSocketError('HEARTBEAT_TIMEOUT', `nothing came within ${pulse.timeout} ms after the heartbeat`),
        )
      this.#pulse = new Pulse(pulse, (question) => this.send(question), dead)
    }
    this.#backlog.flush((data) => {
      if (socket.readyState !== OPEN) return false
      socket.send(data)
      return true
    })
    super.dispatchEvent(new Event('open'))
  }

  #received({ data, origin }: MessageEvent): void {
    this.#pulse?.beat()
    if (this.#pulse !== undefined && this.#settings.pulse?.isReply(data) === true) return
    super.dispatchEvent(new MessageEvent('message', { data, origin }))
  }

  // --- Its end

  /** We find that the socket is of no use. */
  #fail(cause: WebSocketError): void {
    this.#leave(({ terminate }) => terminate())
    this.#lost(failedBy(cause))
  }

  #lost(info: LossInfo): void {
    this.#void()
    this.#detach()
    if (this.#readyState === CLOSING) return this.#finish(info)
    const { stableAfter, maxAttempts, shouldReconnect } = this.#settings
    const stable = this.#readyState === OPEN && Date.now() - this.#openedAt >= stableAfter
    this.#attempts = stable ? 1 : this.#attempts + 1
    this.#readyState = CONNECTING
    try {
      if (this.#attempts <= maxAttempts && shouldReconnect(info)) return this.#wait(info)
    } catch (error) {
      return this.#giveUp({ ...info, cause: error })
    }
    this.#giveUp(info)
  }

  /** Full jitter: a thousand clients that lost the same server come back spread over the whole wait. */
  #wait(info: LossInfo): void {
    const { baseDelay, maxDelay } = this.#settings
    const attempt = this.#attempts
    const longest = Math.min(maxDelay, baseDelay * 2 ** Math.min(attempt - 1, MOST_DOUBLINGS))
    const delay = Math.min(Math.max(Math.random() * longest, retryAfter(info)), LONGEST_DELAY)
    this.#waiting = true
    this.#timer = setTimeout(() => this.#attempt(), delay)
    this.#tell('reconnecting', { attempt, delay, info })
  }

  #giveUp(info: LossInfo): void {
    const run = this.#run
    this.#over(info)
    this.#tell('gaveup', { attempts: this.#attempts, info })
    if (run === this.#run) this.#finish(info) // a listener may have called reconnect()
  }

  /** Ends without a connection that could be closed: the events come later, as the standard has it. */
  #halt(cause: WebSocketError): void {
    this.#leave(({ terminate }) => terminate())
    this.#readyState = CLOSING
    const run = this.#void()
    setTimeout(() => {
      if (run === this.#run) this.#finish(failedBy(cause))
    })
  }

  #finish(info: LossInfo): void {
    const run = this.#run
    const { code, reason, wasClean } = info
    this.#over(info)
    if (!wasClean) super.dispatchEvent(new Event('error'))
    if (run === this.#run) super.dispatchEvent(new this.#build.CloseEvent('close', { code, reason, wasClean }))
  }

  #over({ cause }: LossInfo): void {
    this.#readyState = CLOSED
    this.#failure = cause
    this.#backlog.clear()
    this.#disarm()
  }

  #tell(type: string, what: object): void {
    super.dispatchEvent(Object.assign(new Event(type), what))
  }

  // --- What is left behind, and what is heard from outside

  /** Voids what is under way. */
  #void(): number {
    clearTimeout(this.#timer)
    this.#waiting = false
    this.#afterLeaving = undefined
    return ++this.#run
  }

  #detach(): Dialled | undefined {
    const dialled = this.#dialled
    this.#dialled = undefined
    this.#pulse?.stop()
    this.#pulse = undefined
    if (dialled !== undefined) {
      const { socket } = dialled
      socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null
    }
    return dialled
  }

  /** Turns away from a socket; what comes next waits for its end. */
  #leave(end: (dialled: Dialled) => void): void {
    const dialled = this.#detach()
    if (dialled === undefined) return
    const { socket, terminate } = dialled
    this.#leaving = true
    const left = (): void => {
      clearTimeout(timer)
      socket.onclose = null
      this.#leaving = false
      this.#afterLeaving?.()
    }
    const timer = setTimeout(() => {
      terminate()
      left()
    }, LEAVE_TIMEOUT)
    socket.onclose = left
    end(dialled)
  }

  #arm(): void {
    const { signal } = this.#settings
    const sleeping = onWake(() => (this.#waiting ? this.#attempt() : this.#pulse?.probe()))
    const abort = (): void => {
      const code = this.#readyState === OPEN ? 'ABORTED' : 'HANDSHAKE_ABORTED'
      this.#halt(new WebSocketError(code, 'the signal was aborted', { cause: signal?.reason }))
    }
    signal?.addEventListener('abort', abort)
    this.#disarm = () => {
      sleeping()
      signal?.removeEventListener('abort', abort)
    }
    if (signal?.aborted === true) abort()
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** What a function throws is a rejection. */
async function evaluate<Value>(given: PerAttempt<Value>): Promise<Value> {
  return typeof given === 'function' ? await (given as () => Value | PromiseLike<Value>)() : given
}
