// Engines that connections share: one inflater for each size of window, one deflater for each set of parameters without context
// takeover. An engine is made when the first connection asks for it, and closed when the last one has let it go.

import type { Closable } from './spares.ts'

interface Lent<Engine> {
  readonly engine: Engine
  users: number
}

export class Shared<Engine extends Closable> {
  readonly #lent = new Map<number, Lent<Engine>>()

  /** Takes the engine of a name. Whoever does calls {@link release} once. */
  take(name: number, make: () => Engine): Engine {
    let lent = this.#lent.get(name)
    if (lent === undefined) {
      lent = { engine: make(), users: 0 }
      this.#lent.set(name, lent)
    }
    lent.users++
    return lent.engine
  }

  release(name: number): void {
    const lent = this.#lent.get(name)
    if (lent === undefined || --lent.users > 0) return
    this.#lent.delete(name)
    lent.engine.close()
  }
}
