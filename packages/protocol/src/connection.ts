// The connection as an application sees it, declared with the language's own types only: the Node class
// `WebSocketConnection` implements it, and so does the browser's build.

import type { CloseInfo } from './close-info.ts'
import type { WebSocketError } from './errors.ts'

/** What a Blob must have to be sent. */
export interface BlobLike {
  readonly size: number
  arrayBuffer(): Promise<ArrayBuffer>
}

/** What may be sent as one message. */
export type MessageData = string | ArrayBuffer | ArrayBufferView | BlobLike

export interface SendOptions {
  /** Sends as binary (true) or as text (false) whatever `data` is; by default strings are text, all else is binary. */
  readonly binary?: boolean | undefined
  /** False sends this message as it is where permessage-deflate was negotiated: secrets beside a peer's text, data that is compressed already. */
  readonly compress?: boolean | undefined
  /** Copies the bytes at once; otherwise a large payload may be read until `onFlushed`. */
  readonly copy?: boolean | undefined
  /** Called once: when the message's last byte has been handed to the operating system, or with why it never will be. */
  readonly onFlushed?: ((error?: Error) => void) | undefined
}

/** A part of the standard's AbortSignal. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface WaitOptions {
  readonly signal?: AbortSignalLike | undefined
}

/** Where a message that is sent in parts comes from: an async iterable, a Readable of Node or a ReadableStream. */
export type MessageParts = AsyncIterable<string | Uint8Array> | ReadableStreamLike

/** A part of the standard's ReadableStream. */
export interface ReadableStreamLike {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: unknown }>
    cancel(reason?: unknown): Promise<void>
  }
}

export interface SendStreamOptions extends WaitOptions {
  /** Sends as binary (true) or as text (false); by default as text if the first part is a string. */
  readonly binary?: boolean | undefined
}

/** The events that every connection has, and the arguments of their listeners. */
export interface ConnectionEventMap {
  message: [data: string | Uint8Array]
  /** `bufferedAmount` is low again after a `send` that returned false. */
  drain: []
  close: [info: CloseInfo]
  /** Only emitted if there is a listener: what went wrong is also the `cause` of the close info. */
  error: [error: WebSocketError]
}

/** One connection, of either end. */
export interface Connection<Data = unknown> {
  /** 0 CONNECTING, 1 OPEN, 2 CLOSING, 3 CLOSED. */
  readonly readyState: 0 | 1 | 2 | 3
  /** The chosen subprotocol, `''` for none. */
  readonly protocol: string
  /** The negotiated extensions as in the header, `''` for none. */
  readonly extensions: string
  /** Bytes accepted by `send` and not yet taken by the operating system, framing included. */
  readonly bufferedAmount: number
  /** Yours. */
  data: Data
  /** Sends one message. False means: above the high-water mark, or not open. Wait for `'drain'` or {@link drained}. */
  send(data: MessageData, options?: SendOptions): boolean
  /**
   * Sends one message in parts, as they come: for messages that are large, or have no end yet. What is sent meanwhile waits
   * behind it. Resolves when the last part has left, rejects if that will never be.
   */
  sendStream(source: MessageParts, options?: SendStreamOptions): Promise<void>
  /** Resolves once `bufferedAmount` is low again, at once if it is; rejects when the connection ends or `signal` aborts. */
  drained(options?: WaitOptions): Promise<void>
  /** Begins the closing handshake (RFC 6455 §7.1.2); resolves with {@link closed}, never rejects. */
  close(code?: number, reason?: string): Promise<CloseInfo>
  /** Resolves when the connection is over; never rejects. */
  readonly closed: Promise<CloseInfo>
  /** Destroys the connection at once, without a closing handshake. */
  terminate(cause?: unknown): void
  /** Adds a listener; the first for `'message'` makes listeners the one consumer of messages. */
  on<Name extends keyof ConnectionEventMap>(name: Name, listener: (...data: ConnectionEventMap[Name]) => void): this
  /** Adds a listener for the next event only. */
  once<Name extends keyof ConnectionEventMap>(name: Name, listener: (...data: ConnectionEventMap[Name]) => void): this
  /** Removes a listener. */
  off<Name extends keyof ConnectionEventMap>(name: Name, listener: (...data: ConnectionEventMap[Name]) => void): this
  /** Iterates over the messages; ends with the connection, however that ends: {@link closed} says why. */
  [Symbol.asyncIterator](): AsyncIterator<string | Uint8Array>
}
