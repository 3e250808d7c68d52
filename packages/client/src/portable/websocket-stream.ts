// WebSocketStream over a connection, as its explainer and the tests of the web platform describe it. Rules:
// - A chunk is a message, in either direction. A message is taken when it is asked for, and one ahead, so that the end is noticed.
// - A write is done when output is low again.
// - Closing says what it is told to; a stream that is given up for anything but an error of this kind closes without a code.
// - `opened` and `closed` may be ignored: their rejections are nobody's fault.

import type { CloseInfo, Connection, MessageData } from '@ws/protocol'
import { toCloseArguments, toText } from './arguments.ts'
import { closeInfoOf, streamError, type WebSocketCloseInfo } from './websocket-stream-error.ts'

/** The options of a WebSocketStream. */
export interface WebSocketStreamInit {
  /** The subprotocols to offer; if there are any, the server must choose one. */
  readonly protocols?: Iterable<string> | undefined
  /** Ends the attempt; without effect once there is a connection. */
  readonly signal?: AbortSignal | undefined
}

/** What there is once the connection is open. */
export interface WebSocketOpenInfo {
  /** The messages: strings and Uint8Arrays. */
  readonly readable: ReadableStream<string | Uint8Array>
  /** Sends each chunk: an ArrayBuffer or a view as binary, everything else as text. */
  readonly writable: WritableStream<unknown>
  readonly protocol: string
  readonly extensions: string
}

/** How it ended. */
export interface WebSocketClosedInfo {
  readonly closeCode: number
  readonly reason: string
}

/** How a build opens connections. */
export interface StreamBuild {
  /** The URL as the URL standard writes it. */
  parse(url: string | URL): string
  connect(url: string, protocols: string[], signal: AbortSignal): Promise<Connection>
}

export class StreamOverConnection {
  readonly url: string
  /** Rejects with a WebSocketStreamError if the closing handshake was not completed, or with the reason of `signal`. */
  readonly closed: Promise<WebSocketClosedInfo>
  readonly #attempt = new AbortController()
  readonly #opened: Promise<WebSocketOpenInfo>
  #connection: Connection | undefined

  /** @throws TypeError, DOMException `SyntaxError` */
  constructor(url: string | URL, { protocols = [], signal }: WebSocketStreamInit, build: StreamBuild) {
    if (typeof protocols !== 'object') throw new TypeError('protocols must be a list of strings')
    const attempt = this.#attempt
    if (signal?.aborted === true) attempt.abort(signal.reason)
    this.url = orSyntaxError(() => build.parse(url))
    const connecting = orSyntaxError(() => build.connect(this.url, Array.from(protocols, toText), attempt.signal))
    const abort = (): void => attempt.abort(signal?.reason)
    signal?.addEventListener('abort', abort)
    const connected = connecting
      .catch((error: unknown) => {
        if (attempt.signal.aborted) throw attempt.signal.reason
        throw streamError('there is no connection', 1006, '', error)
      })
      .finally(() => signal?.removeEventListener('abort', abort))
    this.#opened = connected.then((connection) => this.#open(connection))
    this.closed = connected.then((connection) => connection.closed).then(closedInfo)
    this.#opened.catch(() => {})
    this.closed.catch(() => {})
  }

  /** Rejects with a WebSocketStreamError if there is no connection, or with the reason of `signal`. */
  get opened(): Promise<WebSocketOpenInfo> {
    return this.#opened
  }

  /**
   * Begins to close; without a code the Close frame is empty. Ends the attempt if there is no connection yet.
   * @throws TypeError, DOMException `InvalidAccessError` or `SyntaxError`
   */
  close(info: WebSocketCloseInfo = {}): void {
    if (typeof info !== 'object') throw new TypeError('close() takes an object with closeCode and reason')
    const { code, reason } = toCloseArguments(info?.closeCode ?? undefined, info?.reason)
    if (this.#connection === undefined) this.#attempt.abort(streamError('closed before it was open', 1006, ''))
    else void this.#connection.close(code, code === undefined ? undefined : reason)
  }

  #open(connection: Connection): WebSocketOpenInfo {
    this.#connection = connection
    const { protocol, extensions } = connection
    const giveUp = async (reason: unknown): Promise<void> => {
      this.close(closeInfoOf(reason))
      await connection.closed
    }
    return { readable: readableOf(connection, giveUp), writable: writableOf(connection, giveUp), protocol, extensions }
  }
}

type GiveUp = (reason: unknown) => Promise<void>

function readableOf(connection: Connection, cancel: GiveUp): ReadableStream<string | Uint8Array> {
  const messages = connection[Symbol.asyncIterator]()
  let asked = (): void => {}
  let want = new Promise<void>((resolve) => {
    asked = resolve
  })
  const run = async (controller: ReadableStreamDefaultController<string | Uint8Array>): Promise<void> => {
    for (;;) {
      const { value, done } = await messages.next()
      if (done === true) break
      await want
      want = new Promise((resolve) => {
        asked = resolve
      })
      controller.enqueue(value)
    }
    const info = await connection.closed
    if (info.wasClean) controller.close()
    else controller.error(lossOf(info))
  }
  return new ReadableStream<string | Uint8Array>(
    {
      start: (controller) => {
        run(controller).catch(() => {}) // it was cancelled
      },
      pull: () => asked(),
      cancel: (reason) => {
        asked()
        return cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

function writableOf(connection: Connection, abort: GiveUp): WritableStream<unknown> {
  return new WritableStream<unknown>({
    start: (controller) => {
      void connection.closed.then((info) => controller.error(info.wasClean ? ended() : lossOf(info)))
    },
    write: async (chunk) => {
      if (!connection.send(toMessage(chunk), { copy: true })) {
        await connection.drained().catch(async () => {
          throw ended()
        })
      }
    },
    close: async () => {
      closedInfo(await connection.close())
    },
    abort,
  })
}

/** What `write()` takes, as `send()` of the standard does. @throws TypeError */
function toMessage(chunk: unknown): MessageData {
  if (!(chunk instanceof ArrayBuffer) && !ArrayBuffer.isView(chunk)) return toText(chunk)
  const memory = (ArrayBuffer.isView(chunk) ? chunk.buffer : chunk) as { resizable?: boolean }
  if (!(memory instanceof ArrayBuffer)) throw new TypeError('cannot send a view of a SharedArrayBuffer')
  if (memory.resizable === true) throw new TypeError('cannot send a resizable ArrayBuffer')
  return chunk
}

function ended(): DOMException {
  return new DOMException('the connection is closing, or closed', 'InvalidStateError')
}

function closedInfo(info: CloseInfo): WebSocketClosedInfo {
  if (!info.wasClean) throw lossOf(info)
  return { closeCode: info.code, reason: info.reason }
}

function lossOf({ reason, cause }: CloseInfo): Error {
  return streamError(`the connection was not closed properly: ${cause?.message ?? ''}`, 1006, reason, cause)
}

/** What is found wrong with URL and subprotocols is the standard's SyntaxError. */
function orSyntaxError<Result>(check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'USAGE') throw error
    throw new DOMException((error as Error).message, 'SyntaxError')
  }
}
