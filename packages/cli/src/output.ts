// The standard output. Rules: who writes waits while it is slow; a reader that has gone (`| head -1`) is no error, it has
// seen enough.

/** Standard output with backpressure. */
export class Output {
  /** Resolves when nobody reads any more; rejects if it cannot be written for another reason. */
  readonly gone: Promise<void>
  readonly isTerminal: boolean = process.stdout.isTTY === true
  #gone = false
  #room: Promise<void> | undefined

  constructor() {
    this.gone = new Promise((resolve, reject) => {
      process.stdout.on('error', (error: NodeJS.ErrnoException) => {
        this.#gone = true
        if (error.code === 'EPIPE') resolve()
        else reject(error)
      })
    })
    this.gone.catch(() => {}) // whoever waits for it hears of it
  }

  /** @returns when more may be written; undefined means now */
  write(data: string | Uint8Array): Promise<void> | undefined {
    if (this.#gone || process.stdout.write(data)) return undefined
    this.#room ??= this.#roomAgain()
    return this.#room
  }

  /** When more may be written, if not now. */
  get room(): Promise<void> | undefined {
    return this.#room
  }

  /** When everything has left, or never will. */
  flushed(): Promise<void> {
    return new Promise((resolve) => process.stdout.write('', () => resolve()))
  }

  #roomAgain(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        process.stdout.off('drain', done).off('error', done)
        this.#room = undefined
        resolve()
      }
      process.stdout.once('drain', done).once('error', done)
    })
  }
}
