// Round trips: pings that wait for their pongs. A pong answers the ping with its payload and, since a peer may answer only
// the latest (RFC 6455 §5.5.3), all that were sent before that one.

import { Buffer } from 'node:buffer'
import type { WaitOptions } from '../connection.ts'
import { WebSocketError } from '../errors.ts'

interface Outstanding {
  readonly payload: Uint8Array
  readonly sentAt: number
  readonly resolve: (roundTrip: number) => void
  readonly reject: (error: unknown) => void
}

/** The size of the payload of a ping that was given none: a counter, so that each ping is told from the others. */
const COUNTER_SIZE = 4

export class Pings {
  #outstanding: Outstanding[] = []
  #counter = 0

  /** A payload that no outstanding ping of ours has. */
  nextPayload(): Uint8Array {
    const payload = Buffer.alloc(COUNTER_SIZE)
    payload.writeUInt32BE(this.#counter++ >>> 0)
    return payload
  }

  /** Waits for the pong to a ping just sent; resolves with the round trip in ms. */
  wait(payload: Uint8Array, { signal }: WaitOptions): Promise<number> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#outstanding = this.#outstanding.filter((other) => other !== ping)
        reject(signal?.reason)
      }
      const ping: Outstanding = {
        payload: Buffer.from(payload),
        sentAt: performance.now(),
        resolve: (roundTrip) => {
          signal?.removeEventListener('abort', abort)
          resolve(roundTrip)
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort)
          reject(error)
        },
      }
      signal?.addEventListener('abort', abort)
      this.#outstanding.push(ping)
    })
  }

  /** Takes a pong; one that answers nothing is ignored (§5.5.3). */
  answer(payload: Uint8Array): void {
    const index = this.#outstanding.findIndex((ping) => Buffer.compare(ping.payload, payload) === 0)
    if (index < 0) return
    const now = performance.now()
    for (const ping of this.#outstanding.splice(0, index + 1)) ping.resolve(now - ping.sentAt)
  }

  /** No pong will come any more. */
  cancel(why: string): void {
    const outstanding = this.#outstanding
    this.#outstanding = []
    for (const ping of outstanding) ping.reject(new WebSocketError('NOT_OPEN', why))
  }
}
