// What a server's application does, by the path of the URL; every server of the matrix does the same, each in its API:
// - `/echo` sends each message back.
// - `/close` sends the message back, then closes: the message is the code, a space and the reason.
// - `/abort` destroys the transport.
// - `/ping` sends a ping with the message as payload, and once its pong has come the message back.
// - `/fragments` sends the words of the message as fragments of one message, with a ping after the first.
// - `/big` sends a binary message of one byte more than the limit.

import { makePayload } from './drive.ts'
import { LIMIT } from './plan.ts'

/** A connection of a server, as far as its application needs it. */
export interface ServerSocket {
  send(data: string | Uint8Array): void
  close(code: number, reason: string): void
  abort(): void
  /** Resolves with the pong. */
  ping(data: string): Promise<unknown>
  sendFragments?(parts: readonly string[]): void
}

/** Words with the space behind each, which together are the text. */
function wordsOf(text: string): string[] {
  return text.match(/\S+\s*/g) ?? []
}

/** Answers one message; binary ones are only echoed. */
export async function answer(path: string, socket: ServerSocket, data: string | Uint8Array): Promise<void> {
  if (path === '/echo' || typeof data !== 'string') return socket.send(data)
  switch (path) {
    case '/close':
      socket.send(data)
      return socket.close(Number(data.slice(0, 4)), data.slice(5))
    case '/abort':
      return socket.abort()
    case '/ping':
      await socket.ping(data)
      return socket.send(data)
    case '/fragments':
      return socket.sendFragments?.(wordsOf(data))
    case '/big':
      return socket.send(makePayload({ type: 'binary', length: LIMIT + 1 }))
    default:
      throw new Error(`no server does ${path}`)
  }
}
