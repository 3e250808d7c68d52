// The connection of `connect`, one or one after the other, as the command sees it. Rules: messages come one at a time,
// the next when the last has been printed; whoever sends is told when to go on; the end comes once.

import { type ConnectOptions, connect, type WebSocketConnection } from '@ws/client'

/** What happens on it. */
export interface SessionEvents {
  /** @returns when the next may come; undefined means now */
  message(data: string | Uint8Array): Promise<void> | undefined
  open(url: string, connection: WebSocketConnection): void
  /** Lost, and another attempt follows. */
  reconnecting?(attempt: number, delay: number, why: string): void
}

/** How it ended: with a Close or without, or before it began. */
export type End =
  | { readonly code: number; readonly reason: string; readonly wasClean: boolean; readonly error?: unknown }
  | { readonly code?: undefined; readonly error: unknown }

export interface Session {
  /** The connection, if there is one now. */
  readonly connection: WebSocketConnection | undefined
  readonly ended: Promise<End>
  /** @returns when to send the next */
  send(data: string | Uint8Array): Promise<void>
  close(code: number): void
}

/** One connection. Rejects with why there is none. */
export async function openSession(url: string, options: ConnectOptions, events: SessionEvents): Promise<Session> {
  const { promise, resolve } = deferred<End>()
  const connection = await connect(url, options, {
    message: (_, data) => events.message(data),
    // Comes after the last message has been printed, which `closed` does not wait for.
    close: (_, { code, reason, wasClean, cause }) => resolve({ code, reason, wasClean, error: cause }),
  })
  events.open(url, connection)
  return {
    connection,
    ended: promise,
    send: (data) => sendTo(connection, data),
    close: (code) => void connection.close(code),
  }
}

function deferred<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** Sends, and waits while the peer is slow; an end meanwhile is told elsewhere. */
export async function sendTo(connection: WebSocketConnection, data: string | Uint8Array): Promise<void> {
  if (!connection.send(data)) await connection.drained().catch(() => {})
}
