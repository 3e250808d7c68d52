// Engines for jobs in the thread pool that need nothing of what went before: one job has one to itself, and leaves it to the next. A few
// are kept: each server and client has its limit of jobs, but these are for all of the process. Whoever gives one back has seen that
// nothing runs on it and that it did not fail.

/** Something that is closed when nobody uses it. */
export interface Closable {
  close(): void
}

/** As many as a server runs at once at most. */
const MOST_IDLE = 4

/** @typeParam Engine is `undefined` where none can be made */
export class Spares<Engine extends Closable | undefined> implements Closable {
  readonly #make: () => Engine
  readonly #idle: NonNullable<Engine>[] = []

  constructor(make: () => Engine) {
    this.#make = make
  }

  take(): Engine {
    return this.#idle.pop() ?? this.#make()
  }

  giveBack(engine: NonNullable<Engine>): void {
    if (this.#idle.length < MOST_IDLE) this.#idle.push(engine)
    else engine.close()
  }

  close(): void {
    for (const engine of this.#idle.splice(0)) engine.close()
  }
}
