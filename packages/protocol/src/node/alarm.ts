// Timers for many connections at the cost of a few: alarms that are due at about the same time share one Node timer.
// Rules: an alarm never rings early and at most about 6 % of its delay late (except that the longest timer of Node is the
// longest delay); no alarm holds the process up.

/** A delay is rounded up to a multiple of a sixteenth of it, taken down to a power of two. */
const PRECISION = 16
const HIGHEST_BIT = 31
/** The longest delay that a Node timer takes, in ms: about 24.8 days. */
export const LONGEST_DELAY = 0x7fff_ffff

interface Bucket {
  readonly due: number
  readonly alarms: Set<Wakeable>
  readonly timer: NodeJS.Timeout
}

/** Doubled harmlessly where two copies of this module are loaded: each rings its own. */
const buckets = new Map<number, Bucket>()

/** What is woken by an alarm of its own, without an object for it; set it again as often as needed. */
export abstract class Wakeable {
  #bucket: Bucket | undefined

  get pending(): boolean {
    return this.#bucket !== undefined
  }

  /** Rings once in `delay` ms, instead of when it was to ring before. */
  set(delay: number): void {
    this.clear()
    this.#bucket = bucketFor(delay)
    this.#bucket.alarms.add(this)
  }

  clear(): void {
    const bucket = this.#bucket
    if (bucket === undefined) return
    this.#bucket = undefined
    bucket.alarms.delete(this)
    if (bucket.alarms.size > 0) return
    clearTimeout(bucket.timer)
    buckets.delete(bucket.due)
  }

  /** Called by the bucket. */
  ring(): void {
    this.#bucket = undefined
    this.rang()
  }

  /** The time has come. */
  protected abstract rang(): void
}

/** One thing to be woken for. */
export class Alarm extends Wakeable {
  readonly #ring: () => void

  constructor(ring: () => void) {
    super()
    this.#ring = ring
  }

  protected rang(): void {
    this.#ring()
  }
}

function bucketFor(delay: number): Bucket {
  const now = performance.now()
  const grain = 1 << (HIGHEST_BIT - Math.clz32(Math.max(delay / PRECISION, 1)))
  const due = Math.ceil((now + delay) / grain) * grain
  const known = buckets.get(due)
  if (known !== undefined) return known
  // A longer one would be taken for 1 ms.
  const timer = setTimeout(() => ringAll(bucket), Math.min(Math.ceil(due - now), LONGEST_DELAY))
  timer.unref()
  const bucket: Bucket = { due, alarms: new Set(), timer }
  buckets.set(due, bucket)
  return bucket
}

function ringAll(bucket: Bucket): void {
  buckets.delete(bucket.due)
  for (const alarm of bucket.alarms) {
    bucket.alarms.delete(alarm)
    alarm.ring()
  }
}
