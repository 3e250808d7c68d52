// permessage-deflate of one connection. Rules:
// - What fits into the turn is done at once; the rest in the thread pool, one job at a time, so that order is kept both ways.
// - Engines are taken at first use: shared ones, but for compressing with context takeover, where each connection has its own.
// - Once it is closed it holds nothing, and nothing that was under way is told to the protocol any more.

import { Buffer } from 'node:buffer'
import type { Role } from '../../constants.ts'
import type { DeflateFault, InflateSink, MessageCompression } from '../../deflate/compression.ts'
import type { DeflateParameters } from '../../deflate/parameters.ts'
import type { Window } from '../../deflate/window.ts'
import { Deflater } from './deflater.ts'
import { syncZlib } from './handle.ts'
import { InflateApart } from './inflate-apart.ts'
import { Inflater, LARGEST_WINDOW_BITS } from './inflater.ts'
import type { DeflateSettings } from './settings.ts'
import { Shared } from './shared.ts'
import { SpareStream } from './spare-stream.ts'
import { Spares } from './spares.ts'
import { type Terms, termsOf } from './terms.ts'
import type { Job } from './workload.ts'

/** What is inflated at once may become so many times larger than the largest payload that is. */
const GROWTH = 8

const NOTHING: Uint8Array = new Uint8Array(0)
const inflaters = new Shared<Inflater>()
const deflaters = new Shared<Deflater>()
/** For the thread pool, without context takeover. */
const spareStreams = new Shared<Spares<SpareStream | undefined>>()
const spareDeflaters = new Shared<Spares<Deflater>>()

export class ConnectionCodec implements MessageCompression {
  readonly #settings: DeflateSettings
  readonly #terms: Terms
  readonly #in: Window
  #inflater: Inflater | undefined
  #deflater: Deflater | undefined
  #spareStreams: Spares<SpareStream | undefined> | undefined
  #spareDeflaters: Spares<Deflater> | undefined
  #job: PoolJob | undefined
  #nextJob: PoolJob | undefined
  #closed = false

  constructor(role: Role, agreed: DeflateParameters, settings: DeflateSettings) {
    this.#settings = settings
    this.#terms = termsOf(role, agreed, settings)
    this.#in = this.#terms.window()
  }

  /** The same for all connections that compress a message to the same bytes; `undefined` if none do, with context takeover. */
  get group(): number | undefined {
    return this.#terms.out.takeover ? undefined : this.#terms.parameters
  }

  get threshold(): number {
    return this.#settings.threshold
  }

  /** Whether a message of so many bytes is for {@link deflateApart}. */
  takesLonger(size: number): boolean {
    return size > (syncZlib ? this.#settings.workload.atOnce : 0)
  }

  deflate(message: Uint8Array): Uint8Array | undefined {
    if (this.#closed) return undefined
    this.#settings.workload.spend(message.length, 0)
    const deflater = this.#terms.out.takeover ? this.#ownDeflater() : this.#sharedDeflater()
    return deflater.deflate(message)
  }

  /** Compresses a message in the thread pool; `done` gets what {@link deflate} returns, and nothing if it is closed before. */
  deflateApart(message: Uint8Array, done: (compressed: Uint8Array | undefined) => void): void {
    if (this.#closed) return done(undefined)
    const begin = (ended: () => void): (() => void) => {
      const spares = this.#terms.out.takeover ? undefined : this.#sparesToDeflate()
      const deflater = spares === undefined ? this.#ownDeflater() : spares.take()
      const cancel = deflater.deflateApart(message, (compressed) => {
        spares?.giveBack(deflater)
        ended()
        done(compressed)
      })
      return () => {
        cancel()
        if (spares !== undefined) deflater.close()
      }
    }
    const atOnce = (): (() => void) => {
      const compressed = this.deflate(message)
      return () => done(compressed)
    }
    this.#enter(new PoolJob(begin, () => done(undefined), this.#fitsATurn(message.length) ? atOnce : undefined))
  }

  inflate(payload: Uint8Array, limit: number, sink: InflateSink): Uint8Array | DeflateFault | undefined {
    if (payload.length === 0) return NOTHING // not a stream (STANDARDS O11)
    const { workload } = this.#settings
    const bound = workload.atOnce
    const inflated = this.#inflateAtOnce(payload, limit, bound)
    // One that was given up with all the room there is would be given up again.
    const later = bound < workload.syncLimit && this.#fitsATurn(payload.length)
    if (inflated === undefined) this.#inflateApart(payload, limit, sink, later)
    return inflated
  }

  #inflateAtOnce(payload: Uint8Array, limit: number, bound: number): Uint8Array | DeflateFault | undefined {
    if (!syncZlib || payload.length > bound) return undefined
    this.#inflater ??= inflaters.take(this.#in.bits, () => new Inflater(this.#in.bits))
    const inflated = this.#inflater.inflate(payload, this.#in, limit, GROWTH * bound)
    this.#settings.workload.spend(0, typeof inflated === 'object' ? inflated.length : GROWTH * bound)
    return inflated
  }

  /** Whether a message of so many bytes has only to wait for a turn with some budget left. */
  #fitsATurn(size: number): boolean {
    return syncZlib && size <= this.#settings.workload.syncLimit
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const jobs = [this.#job, this.#nextJob]
    this.#job = this.#nextJob = undefined
    for (const job of jobs) job?.cancel()
    this.#inflater?.forget(this.#in)
    if (this.#inflater !== undefined) inflaters.release(this.#in.bits)
    if (this.#terms.out.takeover) this.#deflater?.close()
    else if (this.#deflater !== undefined) deflaters.release(this.#terms.parameters)
    if (this.#spareStreams !== undefined) spareStreams.release(0)
    if (this.#spareDeflaters !== undefined) spareDeflaters.release(this.#terms.parameters)
    this.#inflater = this.#deflater = this.#spareStreams = this.#spareDeflaters = undefined
  }

  #inflateApart(payload: Uint8Array, limit: number, sink: InflateSink, later: boolean): void {
    const begin = (ended: () => void): (() => void) => {
      const end = (inflated: Buffer | DeflateFault): void => {
        if (typeof inflated !== 'string') this.#in.add(inflated)
        ended()
        sink.onInflated(inflated)
      }
      const apart = new InflateApart(payload, this.#in, limit, end, this.#sparesToInflate())
      apart.start()
      return () => apart.cancel()
    }
    const atOnce = (): (() => void) | undefined => {
      const { syncLimit } = this.#settings.workload
      const inflated = this.#inflateAtOnce(payload, limit, syncLimit)
      if (inflated === undefined) return undefined
      const own = typeof inflated === 'string' ? inflated : Buffer.from(inflated)
      return () => sink.onInflated(own)
    }
    this.#enter(new PoolJob(begin, () => {}, later ? atOnce : undefined))
  }

  /** One job at a time: at most one each way is there, since the protocol and the sender wait for theirs. */
  #enter(job: PoolJob): void {
    job.over = () => {
      this.#job = this.#nextJob
      this.#nextJob = undefined
      if (this.#job !== undefined) this.#settings.workload.add(this.#job)
    }
    if (this.#job === undefined) {
      this.#job = job
      this.#settings.workload.add(job)
    } else this.#nextJob = job
  }

  #ownDeflater(): Deflater {
    this.#deflater ??= new Deflater(this.#terms.out)
    return this.#deflater
  }

  #sharedDeflater(): Deflater {
    this.#deflater ??= deflaters.take(this.#terms.parameters, () => new Deflater(this.#terms.out))
    return this.#deflater
  }

  #sparesToDeflate(): Spares<Deflater> {
    const { out, parameters } = this.#terms
    this.#spareDeflaters ??= spareDeflaters.take(parameters, () => new Spares(() => new Deflater(out)))
    return this.#spareDeflaters
  }

  /** None for messages that refer to those before, and for small windows, see {@link SpareStream}. */
  #sparesToInflate(): Spares<SpareStream | undefined> | undefined {
    if (!syncZlib || this.#in.kept || this.#in.bits !== LARGEST_WINDOW_BITS) return undefined
    this.#spareStreams ??= spareStreams.take(0, () => new Spares(SpareStream.open))
    return this.#spareStreams
  }
}

/** A job of a connection, from its entry to its end. */
class PoolJob implements Job {
  cancelled = false
  /** Called once it has ended by itself. */
  over: () => void = () => {}
  readonly doNow: (() => boolean) | undefined
  readonly #begin: (ended: () => void) => () => void
  readonly #givenUp: () => void
  #stop: (() => void) | undefined
  #leave: (() => void) | undefined

  /**
   * @param begin starts it, and returns what stops it
   * @param givenUp called if it is cancelled
   * @param atOnce does it in the turn, if it is small enough; returns what tells the result, or nothing if it is not after all
   */
  constructor(begin: (ended: () => void) => () => void, givenUp: () => void, atOnce?: () => (() => void) | undefined) {
    this.#begin = begin
    this.#givenUp = givenUp
    this.doNow = atOnce && (() => this.#finish(atOnce))
  }

  start(leave: () => void): void {
    this.#leave = leave
    this.#stop = this.#begin(() => {
      leave()
      this.over()
    })
  }

  #finish(atOnce: () => (() => void) | undefined): boolean {
    const tell = atOnce()
    if (tell === undefined) return false
    this.over()
    tell()
    return true
  }

  cancel(): void {
    this.cancelled = true
    this.#stop?.()
    this.#leave?.()
    this.#givenUp()
  }
}
