// Pings to a peer that has gone silent (docs/limits.md). Rules: each byte that comes or leaves is life; a ping's
// time starts when its bytes have left; while we do not read, the clock stands still, for the silence is ours: a ping then
// only shows whether TCP is still there. Counters are compared at the alarm, so that traffic itself costs nothing. If
// we have slept a ping goes out at once, and its answer has its full time: the peer is not to blame.

import { Wakeable } from './alarm.ts'
import type { ConnectionSettings } from './settings.ts'

/** What a heartbeat looks at and does. */
export interface HeartbeatTarget {
  /** Changes with every byte received and every byte that leaves. */
  readonly lifeSigns: number
  /** Changes with every byte received. */
  readonly bytesIn: number
  /** Whether we ourselves have stopped reading. */
  readonly readingStopped: boolean
  /** Sends a ping; `left` is called when its bytes have gone to the operating system. */
  sendHeartbeat(left: () => void): void
  /** The peer did not answer. */
  heartbeatMissed(): void
}

export type HeartbeatSettings = NonNullable<ConnectionSettings['heartbeat']>

export class Heartbeat extends Wakeable {
  readonly #target: HeartbeatTarget
  readonly #settings: HeartbeatSettings
  #seen = 0
  #waiting = false
  #probing = false

  constructor(target: HeartbeatTarget, settings: HeartbeatSettings) {
    super()
    this.#target = target
    this.#settings = settings
    this.#rest()
  }

  /** All is well: looks again after an interval. */
  #rest(): void {
    this.#waiting = false
    this.#seen = this.#target.lifeSigns
    this.set(this.#settings.interval)
  }

  protected rang(slept: boolean): void {
    const alive = this.#target.lifeSigns !== this.#seen
    if (slept && !this.#target.readingStopped) {
      this.#ask()
    } else if (alive || this.#target.readingStopped) {
      if (!alive) this.#probe()
      this.#rest()
    } else if (this.#waiting) {
      this.#target.heartbeatMissed()
    } else {
      this.#ask()
    }
  }

  /** Nobody reads the answer, but a write to a connection that is gone fails, and nothing else would tell us. */
  #probe(): void {
    if (this.#probing) return
    this.#probing = true
    this.#target.sendHeartbeat(() => {
      this.#probing = false
    })
  }

  /** The alarm covers a ping that cannot leave: an interval and the timeout without any progress are enough. */
  #ask(): void {
    this.#waiting = true
    this.set(this.#settings.interval + this.#settings.timeout)
    const { bytesIn } = this.#target
    this.#target.sendHeartbeat(() => {
      if (!this.pending) return // stopped meanwhile
      // TLS says late that the ping has left: the answer may have come before.
      if (this.#target.bytesIn !== bytesIn) return this.#rest()
      this.#seen = this.#target.lifeSigns // the ping itself is no sign of life
      this.set(this.#settings.timeout)
    })
  }
}
