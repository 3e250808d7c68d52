// A connection as a Duplex of Node. Rules:
// - A chunk that is written is a message: strings as text, all else as binary. A message is a chunk to read: its bytes, or, in
//   object mode, text as a string.
// - 'end' means that the peer closed with 1000 or without a code. Every other end is an 'error', after the last message.
// - end() closes with 1000; what is on its way still arrives, up to the peer's Close. destroy() terminates.
// - WebSocket has no half-closed state: with the peer's end ours has come as well.
// - Nothing is buffered here: reading goes through to the inbox, writing to the outbox, each with its own limit in bytes.

import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import { CloseCode } from '../constants.ts'
import type { WebSocketError } from '../errors.ts'
import { senderOf, type WebSocketConnection } from './connection.ts'
import { invoke } from './invoke.ts'
import { MessagePump } from './message-pump.ts'
import { writeMessage } from './message-writer.ts'
import type { Sender } from './sender.ts'
import { failureOf } from './stream-failure.ts'

type Done = (error?: Error | null) => void

export interface WebSocketStreamOptions {
  /**
   * Keeps messages apart and tells text from binary: each is one chunk, text a string. By default the stream is one of bytes,
   * in which a reader may find messages joined, and no empty ones.
   */
  readonly objectMode?: boolean | undefined
}

/**
 * Makes a Node stream of a connection, whose one consumer of messages it becomes. See docs/streams.md.
 * @returns a Duplex. It ends if the peer closes with code 1000 or none, and fails with a WebSocketError otherwise: the cause of
 * the close info, or `CLOSED_WITH_ERROR`. Its `end()` closes the connection with code 1000, its `destroy()` terminates it.
 * @throws UsageError if the connection's messages have another consumer
 */
export function createWebSocketStream<Data>(
  connection: WebSocketConnection<Data>,
  options: WebSocketStreamOptions = {},
): Duplex {
  return new ConnectionStream(connection as WebSocketConnection, options.objectMode === true)
}

class ConnectionStream extends Duplex {
  readonly #connection: WebSocketConnection
  readonly #sender: Sender
  readonly #objectMode: boolean
  readonly #pump: MessagePump
  #failure: WebSocketError | undefined

  constructor(connection: WebSocketConnection, objectMode: boolean) {
    super({ allowHalfOpen: false, decodeStrings: false, objectMode, readableHighWaterMark: 0 })
    this.#connection = connection
    this.#sender = senderOf(connection)
    this.#objectMode = objectMode
    this.#pump = new MessagePump(connection, {
      message: (message) => this.#push(message),
      ended: (failure) => this.#end(failure),
    })
  }

  /** Called when nothing is left to read. */
  override _read(): void {
    if (this.#failure === undefined) this.#pump.want()
    else this.destroy(this.#failure)
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, callback: Done): void {
    const text = typeof chunk !== 'string' || this.#objectMode || encoding === 'utf8' || encoding === 'utf-8'
    const message = text ? chunk : Buffer.from(chunk, encoding)
    void writeMessage(this.#connection, this.#sender, message).then(
      () => invoke(callback),
      (error) => invoke(callback, error),
    )
  }

  override _final(callback: Done): void {
    this.#sender.close(CloseCode.Normal, undefined, false)
    void this.#connection.closed.then((info) => invoke(callback, failureOf(info)))
  }

  override _destroy(error: Error | null, callback: Done): void {
    this.#pump.stop()
    if (this.#connection.readyState !== 3) this.#connection.terminate(error ?? undefined)
    void this.#connection.closed.then(() => invoke(callback, error))
  }

  #push(message: string | Buffer): void {
    if (this.#objectMode) this.push(message)
    else if (message.length === 0) this.#pump.want()
    else this.#pushBytes(typeof message === 'string' ? Buffer.from(message) : message)
  }

  /** Of half a character, with `setEncoding`, Node says nothing to a reader who waits, and asks for nothing more. */
  #pushBytes(bytes: Buffer): void {
    this.push(bytes)
    const kept = this.readableEncoding !== null && this.readableLength === 0
    if (kept && this.readableFlowing !== true) this.#pump.want()
  }

  #end(failure: WebSocketError | undefined): void {
    if (failure === undefined) this.push(null)
    else if (this.readableLength === 0) this.destroy(failure)
    else this.#failure = failure // what has come is read first
  }
}
