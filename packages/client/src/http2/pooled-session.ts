// One session of the pool and the streams on it. Rules:
// - It takes streams as long as the peer allows more; past that, or once the peer goes away, new ones go elsewhere, and those that are
//   there stay.
// - Without a stream it holds no process, and is closed after a while; a peer that does not take that is not waited for.
// - It says once that it takes no more, and is never used after its end.

import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { DialledSession } from './dial.ts'
import { mostStreams, offersWebSocket } from './settings.ts'

/** How long a session without a stream waits for the next, in ms. */
export const IDLE_TIME = 10_000

/** How long the last of what a session has to say may take, in ms: a peer that does not read would keep its socket for ever. */
export const CLOSE_TIME = 3_000

/** A place for one stream on a session. */
export interface Place {
  readonly session: ClientHttp2Session
  /** Whether the session has had no stream before. */
  readonly isFirst: boolean
  /** Lets the process end though the stream is open. */
  unref(): void
  /** Gives the place back; call it when the stream is closed. */
  leave(): void
  /** Leaves the session to the streams that it has. */
  retire(): void
}

/** What holds a process, and can be told not to. */
interface Holder {
  ref(): unknown
  unref(): unknown
}

export class PooledSession {
  readonly #session: ClientHttp2Session
  readonly #socket: Socket
  readonly #holders: readonly Holder[]
  readonly #retired: () => void
  #taking = true
  #used = false
  #streams = 0
  /** How many of the streams hold the process. */
  #holding = 0
  #idle: NodeJS.Timeout | undefined

  /**
   * @param dialled its session's errors have a listener; the tunnel, if there is a proxy, holds the process as well
   * @param retired called when it takes no more streams
   */
  constructor({ session, socket, tunnel }: DialledSession, retired: () => void) {
    this.#session = session
    this.#socket = socket
    this.#holders = tunnel === undefined ? [session] : [session, tunnel]
    this.#retired = retired
    session.on('goaway', () => this.retire())
    session.on('close', () => this.retire())
    for (const holder of this.#holders) holder.unref()
    this.#rest()
  }

  /** Whether WebSockets can be asked for. */
  get offersWebSocket(): boolean {
    return offersWebSocket(this.#session)
  }

  /** Whether a stream can be had at once; of a session that offers none, that can be told at once. */
  get isUsable(): boolean {
    if (!this.#taking || this.#session.closed || this.#session.destroyed) return false
    return !this.offersWebSocket || this.#streams < mostStreams(this.#session)
  }

  /** Whether it takes no more streams, whatever there is room for. */
  get isRetired(): boolean {
    return !this.#taking
  }

  /** Whether the peer allows not one stream. */
  get allowsNone(): boolean {
    return !this.isRetired && mostStreams(this.#session) === 0
  }

  /** Takes a place for one stream. */
  take(): Place {
    const session = this.#session
    const isFirst = !this.#used
    clearTimeout(this.#idle)
    this.#used = true
    this.#streams++
    this.#hold()
    let state: 'held' | 'free' | 'left' = 'held'
    return {
      session,
      isFirst,
      retire: () => this.retire(),
      unref: () => {
        if (state !== 'held') return
        state = 'free'
        this.#letGo()
      },
      leave: () => {
        if (state === 'left') return
        if (state === 'held') this.#letGo()
        state = 'left'
        this.#left()
      },
    }
  }

  /** Takes no more streams; closed when the last has gone. */
  retire(): void {
    if (!this.#taking) return
    this.#taking = false
    this.#retired()
    clearTimeout(this.#idle)
    this.#closeIfEmpty()
  }

  #left(): void {
    this.#streams--
    if (this.#taking) this.#rest()
    else this.#closeIfEmpty()
  }

  #rest(): void {
    if (this.#streams > 0) return
    this.#idle = setTimeout(() => this.retire(), IDLE_TIME)
    this.#idle.unref()
  }

  #closeIfEmpty(): void {
    if (this.#streams > 0) return
    this.#session.destroy() // which waits until what it has written has left
    if (this.#socket.destroyed) return
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_TIME)
    timer.unref()
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #hold(): void {
    if (this.#holding++ > 0 || this.#session.destroyed) return
    for (const holder of this.#holders) holder.ref()
  }

  #letGo(): void {
    if (--this.#holding > 0 || this.#session.destroyed) return
    for (const holder of this.#holders) holder.unref()
  }
}
