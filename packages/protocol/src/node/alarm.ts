// Timers for many connections at the cost of a few: alarms that are due at about the same time share one Node timer.
// Rules:
// - An alarm never rings early and at most about 6 % of its delay late (except that the longest timer of Node is the longest
//   delay); no alarm holds the process up.
// - One that rings late, since the process was busy or stopped, rings when what came meanwhile has been read: nobody is
//   blamed for what lies in our own buffers.
// - If the machine has slept, all alarms ring and are told so: Node's timers may have stood still, what peers sent may have
//   been lost on the way, and no time that was measured means anything.

import { LONGEST_DELAY } from '../limits.ts'

/** A delay is rounded up to a multiple of a sixteenth of it, taken down to a power of two. */
const PRECISION = 16
const HIGHEST_BIT = 31

/** How often the wall clock is looked at, and how far it must have moved in between if we have slept, in ms. */
const LOOK = 2_000
const SLEPT = 5_000
/** A timer of Node is up to so many ms late by itself. */
const PUNCTUAL = 1

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
  ring(slept: boolean): void {
    this.#bucket = undefined
    this.rang(slept)
  }

  /**
   * The time has come.
   * @param slept whether it has perhaps not: the machine has slept, or the process was stopped. Begin again.
   */
  protected abstract rang(slept: boolean): void
}

/** One thing to be woken for. */
export class Alarm extends Wakeable {
  readonly #ring: (slept: boolean) => void

  constructor(ring: (slept: boolean) => void) {
    super()
    this.#ring = ring
  }

  protected rang(slept: boolean): void {
    this.#ring(slept)
  }
}

function bucketFor(delay: number): Bucket {
  const now = performance.now()
  const grain = 1 << (HIGHEST_BIT - Math.clz32(Math.max(delay / PRECISION, 1)))
  const due = Math.ceil((now + delay) / grain) * grain
  const known = buckets.get(due)
  if (known !== undefined) return known
  // A longer one would be taken for 1 ms.
  const timer = setTimeout(() => rang(bucket), Math.min(Math.ceil(due - now), LONGEST_DELAY))
  timer.unref()
  const bucket: Bucket = { due, alarms: new Set(), timer }
  buckets.set(due, bucket)
  watchClock()
  return bucket
}

/** Node runs late timers before it reads sockets, and immediates after. */
function rang(bucket: Bucket): void {
  if (performance.now() - bucket.due < PUNCTUAL) ringDue(bucket)
  else setImmediate(ringDue, bucket)
}

function ringDue(bucket: Bucket): void {
  if (hasSlept()) ringAll()
  else ring(bucket, false)
}

function ring(bucket: Bucket, slept: boolean): void {
  clearTimeout(bucket.timer)
  buckets.delete(bucket.due)
  for (const alarm of bucket.alarms) {
    bucket.alarms.delete(alarm)
    alarm.ring(slept)
  }
}

/** We have slept. */
function ringAll(): void {
  for (const bucket of [...buckets.values()]) ring(bucket, true)
}

let watch: NodeJS.Timeout | undefined
let lastLook = 0

/** Looks at the wall clock as long as there are alarms: timers do not count the time that a machine sleeps. */
function watchClock(): void {
  if (watch !== undefined) return
  lastLook = Date.now()
  watch = setInterval(look, LOOK)
  watch.unref()
}

function look(): void {
  if (hasSlept()) ringAll()
  if (buckets.size > 0) return
  clearInterval(watch)
  watch = undefined
}

/** Whether the wall clock has moved too far since somebody looked. One that is set forward looks the same, and does no harm. */
function hasSlept(): boolean {
  const now = Date.now()
  const slept = now - lastLook >= SLEPT
  lastLook = now
  return slept
}
