// How busy this process is: by how much a timer was late when it last rang.

const INTERVAL = 50

export class Lag {
  /** In ms. */
  ms = 0
  #timer: NodeJS.Timeout | undefined

  watch(): void {
    let due = performance.now() + INTERVAL
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.ms = now - due
      due = now + INTERVAL
    }, INTERVAL)
  }

  unwatch(): void {
    clearInterval(this.#timer)
  }
}
