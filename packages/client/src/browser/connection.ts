// A connection over a WebSocket of the standard. Rules:
// - It is what `Connection` says, as far as such a socket lets it: it cannot ping, and it cannot make the peer wait, so what
//   waits for its consumer is bounded by ending the connection.
// - Nobody tells when output has left: as long as somebody waits for that, `bufferedAmount` is looked at again and again.
// - A message in parts is put together first, for it cannot be sent in fragments; what is sent meanwhile waits behind it.

import {
  type AbortSignalLike,
  type CloseInfo,
  type Connection,
  type ConnectionEventMap,
  type ErrorCode,
  integerOption,
  type MessageData,
  type MessageParts,
  type SendOptions,
  type SendStreamOptions,
  usage,
  type WaitOptions,
  WebSocketError,
} from '@ws/protocol'
import { toCloseArguments } from '../portable/arguments.ts'
import type { CloseEventLike, StandardSocket } from '../portable/dial.ts'
import { Incoming } from './incoming.ts'
import { Listeners } from './listeners.ts'
import { collect } from './parts.ts'
import { type Payload, toPayload } from './payload.ts'

/** How much may wait, in bytes. */
export interface ConnectionLimits {
  /** `send` returns false when more than this has not left: 64 KiB by default. */
  readonly highWaterMark?: number | undefined
  /** A `send` when more than this has not left ends the connection; a message in parts has at most as many. 16 MiB by default. */
  readonly maxBackpressure?: number | undefined
  /** The connection is ended when messages of more than this wait for your code: 16 MiB by default. */
  readonly maxReadAhead?: number | undefined
}

/** {@link ConnectionLimits}, checked. */
export interface Limits {
  readonly highWaterMark: number
  readonly maxBackpressure: number
  readonly maxReadAhead: number
}

const MIB = 1_048_576
/** How often output is looked at while somebody waits for it, in ms. */
const LOOK = 10

/** @throws UsageError */
export function connectionLimits({ highWaterMark, maxBackpressure, maxReadAhead }: ConnectionLimits): Limits {
  return {
    highWaterMark: integerOption('highWaterMark', highWaterMark, MIB / 16),
    maxBackpressure: integerOption('maxBackpressure', maxBackpressure, 16 * MIB),
    maxReadAhead: integerOption('maxReadAhead', maxReadAhead, 16 * MIB, 1),
  }
}

/** Somebody who waits until output has come so far, or the connection has ended. */
interface Waiting {
  readonly arrived: () => boolean
  readonly settle: (error?: WebSocketError) => void
}

export class SocketConnection<Data> implements Connection<Data> {
  readonly protocol: string
  readonly extensions: string
  readonly closed: Promise<CloseInfo>
  data: Data
  readonly #socket: StandardSocket
  readonly #limits: Limits
  readonly #listeners = new Listeners<ConnectionEventMap>()
  readonly #incoming: Incoming
  #settleClosed: (info: CloseInfo) => void = () => {}
  #info: CloseInfo | undefined
  #closing = false
  /** Bytes given to the socket so far. */
  #given = 0
  #waiting: Waiting[] = []
  #look: ReturnType<typeof setTimeout> | undefined
  #full = false
  /** What waits behind a message whose parts are being collected; `undefined` if there is none. */
  #behind: (() => void)[] | undefined
  #behindSize = 0

  /** @param socket open, with `binaryType` `'arraybuffer'` */
  constructor(socket: StandardSocket, limits: Limits, data: Data, signal?: AbortSignalLike) {
    this.#socket = socket
    this.#limits = limits
    this.data = data
    this.protocol = socket.protocol
    this.extensions = socket.extensions
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve
    })
    this.#incoming = new Incoming((message) => {
      this.#listeners.emit('message', message)
      this.#unlistening()
    })
    socket.onmessage = ({ data }: MessageEvent) => this.#receive(data)
    socket.onclose = (event: CloseEventLike) => this.#closedBy(event)
    if (signal !== undefined) this.#obey(signal)
  }

  get readyState(): 1 | 2 | 3 {
    if (this.#info !== undefined) return 3
    return this.#closing || this.#socket.readyState !== 1 ? 2 : 1
  }

  get bufferedAmount(): number {
    return this.#info === undefined ? this.#socket.bufferedAmount + this.#behindSize : 0
  }

  send(data: MessageData, options: SendOptions = {}): boolean {
    const payload = toPayload(data, options.binary)
    const { onFlushed } = options
    const refused = this.#refusal()
    if (refused !== undefined) {
      if (onFlushed !== undefined) queueMicrotask(() => onFlushed(refused))
      return false
    }
    this.#inTurn(payload, () => this.#give(payload, onFlushed))
    return this.#low(this.#limits.highWaterMark)
  }

  sendStream(source: MessageParts, options: SendStreamOptions = {}): Promise<void> {
    const parts = collect(source, options, this.#limits.maxBackpressure)
    return handled(
      new Promise((resolve, reject) => {
        const refused = this.#refusal()
        const begin = (): void => {
          this.#behind = []
          const ended = this.closed.then(() => Promise.reject(notOpen()))
          Promise.race([parts.whole(), ended])
            .then(
              (payload) => this.#give(payload, (error) => (error === undefined ? resolve() : reject(error))),
              reject,
            )
            .finally(() => {
              parts.cancel()
              this.#goOn()
            })
        }
        if (refused !== undefined) {
          parts.cancel()
          reject(refused)
        } else if (this.#behind === undefined) begin()
        else this.#behind.push(begin)
      }),
    )
  }

  drained({ signal }: WaitOptions = {}): Promise<void> {
    return handled(
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason)
        if (this.readyState !== 1) return reject(notOpen())
        if (this.#low(this.#limits.highWaterMark)) return resolve()
        const abort = (): void => reject(signal?.reason)
        signal?.addEventListener('abort', abort)
        this.#await({
          arrived: () => !this.#full,
          settle: (error) => {
            signal?.removeEventListener('abort', abort)
            if (error === undefined) resolve()
            else reject(error)
          },
        })
      }),
    )
  }

  /**
   * @param code 1000 or from 3000 to 4999: a page may send no other
   * @throws UsageError on a code or reason that may not be sent
   */
  close(code?: number, reason?: string): Promise<CloseInfo> {
    const given = checkClose(code, reason)
    if (this.#closing) return this.closed
    this.#closing = true
    this.#incoming.discard()
    const close = (): void => this.#socket.close(given.code, given.reason)
    if (this.#behind === undefined) close()
    else this.#behind.push(close)
    return this.closed
  }

  terminate(cause?: unknown): void {
    if (cause === undefined) return this.#abort('TERMINATED', 'terminate() was called')
    this.#abort('ABORTED', 'the connection was aborted', cause)
  }

  on<Name extends keyof ConnectionEventMap>(name: Name, listener: (...data: ConnectionEventMap[Name]) => void): this {
    if (name === 'message') this.#incoming.claim('listeners')
    this.#listeners.add(name, listener, false)
    return this
  }

  once<Name extends keyof ConnectionEventMap>(name: Name, listener: (...data: ConnectionEventMap[Name]) => void): this {
    if (name === 'message') this.#incoming.claim('listeners')
    this.#listeners.add(name, listener, true)
    return this
  }

  off<Name extends keyof ConnectionEventMap>(name: Name, listener: (...data: ConnectionEventMap[Name]) => void): this {
    this.#listeners.remove(name, listener)
    this.#unlistening()
    return this
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<string | Uint8Array> {
    return this.#incoming.iterate()
  }

  #unlistening(): void {
    if (this.#listeners.count('message') === 0) this.#incoming.release('listeners')
  }

  // --- Sending

  /** Why nothing can be sent; a peer that takes nothing is left. */
  #refusal(): WebSocketError | undefined {
    if (this.readyState !== 1) return notOpen()
    if (this.bufferedAmount <= this.#limits.maxBackpressure) return undefined
    this.#abort('SLOW_CONSUMER', `more than ${this.#limits.maxBackpressure} bytes wait for the peer`)
    return notOpen()
  }

  #inTurn({ size }: Payload, give: () => void): void {
    if (this.#behind === undefined) return give()
    this.#behindSize += size
    this.#behind.push(() => {
      this.#behindSize -= size
      give()
    })
  }

  /** In one task `bufferedAmount` does not fall, so it tells what the message counts. */
  #give({ data }: Payload, onFlushed: SendOptions['onFlushed']): void {
    if (this.#info !== undefined) return onFlushed?.(notOpen())
    const before = this.#socket.bufferedAmount
    this.#socket.send(data)
    this.#given += this.#socket.bufferedAmount - before
    const until = this.#given
    if (onFlushed !== undefined)
      this.#await({ arrived: () => this.#given - this.#socket.bufferedAmount >= until, settle: onFlushed })
  }

  /** The message in parts has been given, or is none: what waited behind it follows, up to the next. */
  #goOn(): void {
    const behind = this.#behind ?? []
    this.#behind = undefined
    while (this.#behind === undefined && behind.length > 0) behind.shift()?.()
    ;(this.#behind as (() => void)[] | undefined)?.push(...behind)
  }

  #low(mark: number): boolean {
    if (this.bufferedAmount <= mark) return true
    this.#full = true
    this.#lookLater()
    return false
  }

  #await(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#lookLater()
  }

  #lookLater(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined
      this.#lookNow()
    }, LOOK)
  }

  #lookNow(): void {
    const drained = this.#full && this.bufferedAmount <= this.#limits.highWaterMark / 2
    if (drained) this.#full = false
    const arrived = this.#waiting.filter((waiting) => waiting.arrived())
    this.#waiting = this.#waiting.filter((waiting) => !arrived.includes(waiting))
    for (const { settle } of arrived) settle()
    if (drained) this.#listeners.emit('drain')
    if (this.#full || this.#waiting.length > 0) this.#lookLater()
  }

  // --- Receiving, and the end

  #receive(data: string | ArrayBuffer): void {
    if (this.#closing) return
    this.#incoming.add(typeof data === 'string' ? data : new Uint8Array(data))
    if (this.#incoming.size > this.#limits.maxReadAhead)
      this.#abort(
        'SLOW_CONSUMER',
        `more than ${this.#limits.maxReadAhead} bytes wait for a consumer, and a page cannot stop reading`,
      )
  }

  #closedBy({ code, reason, wasClean }: CloseEventLike): void {
    const initiator = this.#closing ? 'local' : wasClean ? 'remote' : 'transport'
    const cause = new WebSocketError(
      'CONNECTION_LOST',
      'the connection was lost; the browser tells only its console why',
    )
    this.#end({ code, reason, wasClean, initiator, ...(wasClean ? {} : { cause }) })
  }

  /** A page cannot cut a connection: for us it is over, and the browser closes it in its own time. */
  #abort(code: ErrorCode, message: string, cause?: unknown): void {
    if (this.#info !== undefined) return
    this.#socket.onmessage = this.#socket.onclose = null
    this.#socket.close()
    const error = new WebSocketError(code, message, { cause })
    this.#end({ code: 1006, reason: '', wasClean: false, initiator: 'local', cause: error })
  }

  #end(info: CloseInfo): void {
    this.#info = info
    clearTimeout(this.#look)
    this.#settleClosed(info)
    const waiting = this.#waiting
    this.#waiting = []
    for (const { arrived, settle } of waiting) settle(arrived() ? undefined : notOpen())
    this.#incoming.end(() => {
      if (info.cause !== undefined) this.#listeners.emit('error', info.cause)
      this.#listeners.emit('close', info)
    })
  }

  #obey(signal: AbortSignalLike): void {
    const abort = (): void => this.terminate(signal.reason)
    signal.addEventListener('abort', abort)
    void this.closed.then(() => signal.removeEventListener('abort', abort))
  }
}

function notOpen(): WebSocketError {
  return new WebSocketError('NOT_OPEN', 'the connection is not open')
}

function checkClose(code: unknown, reason: unknown): { code: number | undefined; reason: string } {
  try {
    return toCloseArguments(code, reason)
  } catch (error) {
    throw usage('close code and reason', 'what a page may send', `${(error as Error).message}`)
  }
}

/** An ignored rejection of this promise is no unhandled one: the caller may not care. */
function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {})
  return promise
}
