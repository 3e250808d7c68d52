// From a stream to a connection. Rules: a message is taken when output is low, so that a stream never comes upon
// `maxBackpressure`; its memory is the stream's again when this resolves; one that is not sent is an error.

import type { MessageData } from '../connection.ts'
import type { WebSocketConnection } from './connection.ts'
import { LEND_FROM } from './outbox.ts'
import { asPayload, isBlob } from './payload.ts'
import type { Sender } from './sender.ts'
import { writeFailureOf } from './stream-failure.ts'

/**
 * Sends one message. Resolves when the next may come; rejects with how the connection ended.
 * @throws UsageError (as a rejection) if `data` is nothing that can be sent
 */
export async function writeMessage(connection: WebSocketConnection, sender: Sender, data: MessageData): Promise<void> {
  const payload = asPayload(data)
  while (!sender.low && connection.readyState !== 3) await connection.drained().catch(() => {}) // the end is seen below
  const sent = sender.queueing || isBlob(payload) ? await inItsTurn(sender, payload) : taken(sender, payload)
  const lent = payload instanceof Uint8Array && payload.length >= LEND_FROM
  if (!sent || (lent && !(await sender.flushed()))) throw writeFailureOf(await connection.closed)
}

function taken(sender: Sender, payload: MessageData): boolean {
  const { dropped } = sender
  sender.send(payload, {})
  return sender.dropped === dropped
}

/** Waits for what has still to be read, or may be dropped, after `send` has returned. */
function inItsTurn(sender: Sender, payload: MessageData): Promise<boolean> {
  return new Promise((resolve) => {
    sender.send(payload, { onFlushed: (error) => resolve(error === undefined) })
  })
}
