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
import type { Dial, DialledSession } from './dial.ts'
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
  readonly #over: () => void
  #waiting = 0
  #http1: Http1Socket | undefined

  /**
   * Begins.
   * @param endTurn called once, when others may have their turn
   * @param opened takes the session, if it comes to that
   * @param over called when there is nothing to wait for any more: it has come to an end, or nobody waited; more than once perhaps
   */
  constructor(dial: Dial, endTurn: EndTurn, opened: (session: DialledSession) => PooledSession, over: () => void) {
    this.#dial = dial
    this.#over = over
    this.#opened = this.#open(endTurn, opened)
    this.#opened.catch(() => {}) // for when nobody waits any more
  }

  async #open(
    endTurn: EndTurn,
    opened: (session: DialledSession) => PooledSession,
  ): Promise<PooledSession | undefined> {
    let turn = endTurn
    try {
      const dialled = await this.#dial.open(this.#end.signal)
      if ('session' in dialled) return opened(dialled)
      this.#http1 = { socket: dialled.socket, endTurn }
      turn = () => {} // goes with the socket
      if (this.#waiting === 0) this.#drop()
      return undefined
    } finally {
      this.#over()
      turn()
    }
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
    this.#over()
    this.#http1?.socket.destroy()
    this.#http1?.endTurn()
    this.#http1 = undefined
  }
}
