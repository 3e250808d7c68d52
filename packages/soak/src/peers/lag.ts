// How busy this process is: by how much a timer was late when it last rang.

const INTERVAL = 50

export class Lag {
  /** In ms. */
  ms = 0
  #longest = 0
  #timer: NodeJS.Timeout | undefined

  watch(): void {
    let due = performance.now() + INTERVAL
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.ms = now - due
      this.#longest = Math.max(this.#longest, this.ms)
      due = now + INTERVAL
    }, INTERVAL)
  }

  /** The longest since the last look, in ms. */
  takeLongest(): number {
    const longest = this.#longest
    this.#longest = 0
    return longest
  }

  unwatch(): void {
    clearInterval(this.#timer)
  }
}
