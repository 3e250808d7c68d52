// A session over one connection after the other: `ReconnectingWebSocket`. Rule: it has the interface of browsers, which
// knows no backpressure, so the connection beneath is watched for (`ws:client:connected`): reading pauses and sending
// waits on that.

import { subscribe } from 'node:diagnostics_channel'
import {
  type ClientDiagnostics,
  type CloseEventLike,
  type ReconnectingEvent,
  ReconnectingWebSocket,
  type ReconnectingWebSocketOptions,
  type WebSocketConnection,
} from '@ws/client'
import type { End, Session, SessionEvents } from './session.ts'

type Connected = ClientDiagnostics['ws:client:connected']

export class ReconnectingSession implements Session {
  readonly ended: Promise<End>
  connection: WebSocketConnection | undefined
  readonly #socket: ReconnectingWebSocket
  #over = false

  /** @throws UsageError or DOMException on wrong arguments */
  constructor(url: string, options: ReconnectingWebSocketOptions, events: SessionEvents) {
    // There is no other client in this process.
    subscribe('ws:client:connected', (message) => {
      this.connection = (message as Connected).socket
    })
    const socket = new ReconnectingWebSocket(url, options)
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => events.open(socket.url, this.connection as WebSocketConnection)
    socket.onmessage = ({ data }) => this.#hold(events.message(typeof data === 'string' ? data : new Uint8Array(data)))
    socket.onreconnecting = (event) => events.reconnecting?.(event.attempt, event.delay, whyOf(event))
    this.ended = new Promise((resolve) => {
      socket.onclose = (event) => {
        this.#over = true
        resolve(endOf(event, socket.failure))
      }
    })
  }

  /** While there is no connection it waits for one: nothing is kept in memory, and the order stays. */
  async send(data: string | Uint8Array): Promise<void> {
    while (!this.#over) {
      const open = this.#socket.readyState === ReconnectingWebSocket.OPEN
      if (open && this.#socket.send(data as string) !== 'dropped') return this.connection?.drained().catch(() => {})
      await this.#opened()
    }
  }

  close(code: number): void {
    this.#socket.close(code)
  }

  #hold(printed: Promise<void> | undefined): void {
    const { connection } = this
    if (printed === undefined) return
    connection?.pause()
    void printed.then(() => connection?.resume())
  }

  #opened(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.removeEventListener('open', done)
        this.#socket.removeEventListener('close', done)
        resolve()
      }
      this.#socket.addEventListener('open', done)
      this.#socket.addEventListener('close', done)
    })
  }
}

/** No Close came, and the handshake tells more than the event: that is why there is no connection. */
function endOf({ code, reason, wasClean }: CloseEventLike, error: unknown): End {
  const { code: name } = (error ?? {}) as { code?: unknown }
  const inHandshake = typeof name === 'string' && /^(HANDSHAKE_|CONNECT_FAILED|TLS_FAILED)/.test(name)
  return inHandshake ? { error } : { code, reason, wasClean, error }
}

function whyOf({ info: { code, reason, cause } }: ReconnectingEvent): string {
  return cause instanceof Error ? cause.message : `closed with ${code}${reason === '' ? '' : ` (${reason})`}`
}
