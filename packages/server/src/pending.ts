// The wait for a hook that decides asynchronously. Rule: exactly one of the possible ends is reported, the first: the
// decision, its failure, the client's leaving, the timeout, or the server's closing; the later ones are dropped.

import type { Duplex } from 'node:stream'
import { type ErrorCode, WebSocketError } from '@ws/protocol'

/** Told of the one end. */
export interface PendingOwner<Decision> {
  decided(decision: Decision): void
  failed(error: unknown): void
  /** The wait was cut short; the hook's signal has aborted with this reason. */
  interrupted(reason: WebSocketError): void
}

/** One upgrade between the call of its hook and the decision. */
export class Pending<Decision> {
  readonly #stream: Duplex
  readonly #abort: AbortController
  readonly #owner: PendingOwner<Decision>
  readonly #timer: NodeJS.Timeout
  #over = false

  /** @param timeout how long the decision may take, in ms */
  constructor(
    decision: PromiseLike<Decision>,
    stream: Duplex,
    timeout: number,
    abort: AbortController,
    owner: PendingOwner<Decision>,
  ) {
    this.#stream = stream
    this.#abort = abort
    this.#owner = owner
    // Something has to read the stream for its end to be seen: see `Backlog`.
    stream.once('end', this.#left).once('close', this.#left)
    this.#timer = setTimeout(() => this.interrupt('REFUSED_TIMEOUT', `no decision within ${timeout} ms`), timeout)
    this.#timer.unref()
    Promise.resolve(decision).then(
      (value) => this.#end() && owner.decided(value),
      (error: unknown) => this.#end() && owner.failed(error),
    )
  }

  /** Ends the wait for a reason of ours. */
  interrupt(code: ErrorCode, message: string): void {
    if (!this.#end()) return
    const reason = new WebSocketError(code, message)
    this.#abort.abort(reason)
    this.#owner.interrupted(reason)
  }

  readonly #left = (): void => this.interrupt('REFUSED_CLIENT_LEFT', 'the client left before the decision')

  /** @returns whether this is the first end */
  #end(): boolean {
    if (this.#over) return false
    this.#over = true
    clearTimeout(this.#timer)
    this.#stream.off('end', this.#left).off('close', this.#left)
    return true
  }
}
