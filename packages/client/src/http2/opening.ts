// A session that is being opened, and those who wait for it. Rules:
// - It goes on as long as somebody waits, whoever began it; each waits no longer than its own time and signal allow.
// - It keeps its turn (RFC 6455 §4.1 step 2) until it is open or has failed. A socket that turned out to be for HTTP/1.1 is given
//   away with the turn, to one of those who wait, or destroyed.

import type { TLSSocket } from 'node:tls'
import type { AbortSignalLike } from '@ws/protocol'
import { bounded } from '../bounded.ts'
import type { TimeBudget } from '../budget.ts'
import { timeoutFailure } from '../failure.ts'
import type { EndTurn } from '../turns.ts'
import type { Dial, Dialled } from './dial.ts'
import type { PooledSession } from './pooled-session.ts'

/** TLS for one handshake over HTTP/1.1, and the turn which that has. */
export interface Http1Socket {
  readonly socket: TLSSocket
  readonly endTurn: EndTurn
}

/** What came of an opening: a session, or a server that chose HTTP/1.1, with the socket for one of those who waited. */
export type Opened = PooledSession | Http1Socket | 'http/1.1'

export class Opening {
  readonly #dial: Dial
  readonly #end = new AbortController()
  readonly #opened: Promise<PooledSession | undefined>
  #waiting = 0
  #http1: Http1Socket | undefined

  /**
   * Begins.
   * @param endTurn called once, when others may have their turn
   * @param settled called once, before those who wait are told: takes the session, if there is one
   */
  constructor(dial: Dial, endTurn: EndTurn, settled: (dialled?: Dialled) => PooledSession | undefined) {
    this.#dial = dial
    this.#opened = dial.open(this.#end.signal).then(
      (dialled) => {
        if ('socket' in dialled) this.#http1 = { socket: dialled.socket, endTurn }
        else endTurn()
        if (this.#waiting === 0) this.#drop()
        return settled(dialled)
      },
      (error) => {
        endTurn()
        settled()
        throw error
      },
    )
    this.#opened.catch(() => {}) // for when nobody waits any more
  }

  /**
   * Waits for its end.
   * @param http1 whether a socket for HTTP/1.1 is of use
   * @returns what came of it; rejects with its HandshakeError, with one for the end of the time, or with the signal's reason
   */
  async wait(signal: AbortSignalLike | undefined, budget: TimeBudget, http1: boolean): Promise<Opened> {
    const late = (): Error => timeoutFailure(budget.total, this.#dial.stage, this.#dial.whereabouts)
    this.#waiting++
    try {
      const session = await bounded(this.#opened, signal, budget, late)
      return session ?? (http1 ? this.#give() : 'http/1.1')
    } finally {
      if (--this.#waiting === 0) this.#drop()
    }
  }

  #give(): Opened {
    const given = this.#http1
    this.#http1 = undefined
    return given ?? 'http/1.1'
  }

  /** Nobody is left who wants it; a session that is open stays with the pool. */
  #drop(): void {
    this.#end.abort()
    this.#http1?.socket.destroy()
    this.#http1?.endTurn()
    this.#http1 = undefined
  }
}
