// Listeners as Node's emitters have them, as far as a connection needs: in order, one that is removed hears nothing more, and one
// that throws disturbs nobody else.

interface Entry {
  /** A function of the event that it is listed under. */
  readonly listener: unknown
  readonly once: boolean
}

/** @typeParam Events the arguments of each event's listeners */
export class Listeners<Events extends { [Name in keyof Events]: unknown[] }> {
  readonly #entries = new Map<keyof Events, readonly Entry[]>()

  add<Name extends keyof Events>(name: Name, listener: (...data: Events[Name]) => void, once: boolean): void {
    this.#entries.set(name, [...this.#of(name), { listener, once }])
  }

  /** Removes the latest of that listener. */
  remove<Name extends keyof Events>(name: Name, listener: (...data: Events[Name]) => void): void {
    const entries = [...this.#of(name)]
    const at = entries.findLastIndex((entry) => entry.listener === listener)
    if (at >= 0) entries.splice(at, 1)
    this.#entries.set(name, entries)
  }

  count(name: keyof Events): number {
    return this.#of(name).length
  }

  emit<Name extends keyof Events>(name: Name, ...data: Events[Name]): void {
    for (const entry of this.#of(name)) {
      const listener = entry.listener as (...data: Events[Name]) => void
      if (entry.once) this.remove(name, listener)
      try {
        listener(...data)
      } catch (error) {
        queueMicrotask(() => {
          throw error // to whoever hears of uncaught errors
        })
      }
    }
  }

  #of(name: keyof Events): readonly Entry[] {
    return this.#entries.get(name) ?? []
  }
}
