// The time that an attempt may take, over all of its stages: look-up, connection, TLS, proxy, HTTP, and the same again for each
// redirect. Rules: what lies between two stages (the wait for one's turn) costs nothing; a stage always has at least a moment,
// so that it is the stage which says what took too long.

export class TimeBudget {
  /** All of it, in ms. */
  readonly total: number
  #left: number
  #since = 0

  constructor(total: number) {
    this.total = total
    this.#left = total
  }

  /** Begins a stage. @returns how long it may take, in ms */
  begin(): number {
    this.#since = performance.now()
    return Math.max(1, this.#left)
  }

  /** Ends the stage that was begun. */
  end(): void {
    this.#left -= performance.now() - this.#since
  }
}
