// The end of a phase: whoever waits is woken and goes. A plain signal would have as many listeners as there are visitors.

export class Leave {
  #called = false
  readonly #wakers = new Set<() => void>()

  /** Whether it is time to go. */
  get called(): boolean {
    return this.#called
  }

  call(): void {
    this.#called = true
    for (const wake of this.#wakers) wake()
  }

  /** Waits for so many ms, for `event`, or for the call, whichever is first. */
  pause(ms: number, event?: Promise<unknown>): Promise<void> {
    if (this.#called) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#wakers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#wakers.add(wake)
      event?.then(wake)
    })
  }
}
