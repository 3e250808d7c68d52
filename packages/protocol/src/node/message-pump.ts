// From a connection to a stream. Rules: a message is handed over when it is asked for, so what waits is counted once, in the
// inbox, in bytes; one message is taken ahead, so that the end is noticed though nobody asks; the end comes after the last
// message, and says how the connection ended.

import type { WebSocketError } from '../errors.ts'
import type { WebSocketConnection } from './connection.ts'
import { invoke } from './invoke.ts'
import { failureOf } from './stream-failure.ts'

/** Where messages go. */
export interface PumpSink {
  message(message: string | Buffer): void
  /** No message will come any more. `failure` says why the stream is not whole. */
  ended(failure: WebSocketError | undefined): void
}

export class MessagePump {
  readonly #messages: AsyncIterableIterator<string | Buffer>
  #wanted = false
  #stopped = false
  #wake: (() => void) | undefined

  /** @throws UsageError if the connection's messages have another consumer */
  constructor(connection: WebSocketConnection, sink: PumpSink) {
    this.#messages = connection[Symbol.asyncIterator]()
    void this.#run(connection, sink)
  }

  /** Asks for one message. */
  want(): void {
    this.#wanted = true
    this.#wake?.()
  }

  /** Takes no more messages; the sink hears nothing any more. */
  stop(): void {
    this.#stopped = true
    void this.#messages.return?.()
    this.#wake?.()
  }

  async #run(connection: WebSocketConnection, sink: PumpSink): Promise<void> {
    for await (const message of this.#messages) {
      if (!this.#wanted) await this.#asked()
      if (this.#stopped) return
      this.#wanted = false
      invoke(() => sink.message(message))
    }
    const failure = failureOf(await connection.closed)
    if (!this.#stopped) invoke(() => sink.ended(failure))
  }

  #asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
