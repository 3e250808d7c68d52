// A connection as streams of the web. Rules:
// - A chunk is a message, in either direction: strings are text, all else is binary.
// - Backpressure is counted in bytes: what waits to be read is the inbox's (`maxReadAhead`), what waits to be written is a
//   queue of `highWaterMark` bytes before an outbox of as many.
// - A readable closes if the peer closes with 1000 or without a code; what is written then fails, and close() is no fault, so
//   that a pipe from the one to the other just ends. Every other end errors both sides, with one error.
// - close() closes with 1000, and what is on its way still arrives; abort() closes with 1011; cancel() with 1000, or with 1011
//   if it has a reason. Each settles when the connection is over.
// They are kept beside the connections that have them, so that others pay nothing.

import { Buffer } from 'node:buffer'
import type { ReadableStream as WebReadable, WritableStream as WebWritable } from 'node:stream/web'
import type { MessageData } from '../connection.ts'
import { CloseCode } from '../constants.ts'
import type { WebSocketError } from '../errors.ts'
import type { WebSocketConnection } from './connection.ts'
import { MessagePump } from './message-pump.ts'
import { writeMessage } from './message-writer.ts'
import type { Sender } from './sender.ts'
import { failureOf } from './stream-failure.ts'

const readables = new WeakMap<WebSocketConnection, WebReadable<string | Buffer>>()
const writables = new WeakMap<WebSocketConnection, WebWritable<MessageData>>()

/** The messages of a connection, whose one consumer it becomes. @throws UsageError if there is another */
export function readableOf(connection: WebSocketConnection): WebReadable<string | Buffer> {
  const known = readables.get(connection) ?? makeReadable(connection)
  readables.set(connection, known)
  return known
}

/** Sends what is written to it. */
export function writableOf(connection: WebSocketConnection, sender: Sender): WebWritable<MessageData> {
  const known = writables.get(connection) ?? makeWritable(connection, sender)
  writables.set(connection, known)
  return known
}

function makeReadable(connection: WebSocketConnection): WebReadable<string | Buffer> {
  let pump: MessagePump
  return new ReadableStream<string | Buffer>(
    {
      start: (controller) => {
        pump = new MessagePump(connection, {
          message: (message) => controller.enqueue(message),
          ended: (failure) => (failure === undefined ? controller.close() : controller.error(failure)),
        })
      },
      pull: () => pump.want(),
      cancel: async (reason) => {
        pump.stop()
        await connection.close(reason === undefined ? CloseCode.Normal : CloseCode.InternalError)
      },
    },
    { highWaterMark: 0 },
  )
}

function makeWritable(connection: WebSocketConnection, sender: Sender): WebWritable<MessageData> {
  return new WritableStream<MessageData>(
    {
      start: (controller) => {
        void connection.closed.then((info) => {
          const failure = failureOf(info)
          if (failure !== undefined) controller.error(failure)
        })
      },
      write: async (chunk) => {
        try {
          await writeMessage(connection, sender, chunk)
        } catch (error) {
          if ((error as WebSocketError).code === 'USAGE') void connection.close(CloseCode.InternalError) // the stream is at its end
          throw error
        }
      },
      close: async () => {
        sender.close(CloseCode.Normal, undefined, false)
        const failure = failureOf(await connection.closed)
        if (failure !== undefined) throw failure
      },
      abort: async () => {
        await connection.close(CloseCode.InternalError)
      },
    },
    // One of 0 would never be ready.
    { highWaterMark: Math.max(sender.highWaterMark, 1), size: sizeOf },
  )
}

/** What a chunk counts; one that cannot be sent is refused when it is written. */
function sizeOf(chunk: unknown): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk)
  const { byteLength, size } = (chunk ?? {}) as { byteLength?: unknown; size?: unknown }
  return Number(byteLength ?? size ?? 0)
}
