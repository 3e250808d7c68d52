// Event handler attributes (`onopen` and its like) as the HTML standard has them: what is assigned becomes a listener in the
// order of its first assignment, keeps that place when another function replaces it, and leaves with `null`.

type Callback = (this: EventTarget, event: Event) => unknown

interface Handler {
  callback: Callback
  readonly listener: (event: Event) => unknown
}

// Not the target's own methods: a script that replaces those is not told of handlers.
const { addEventListener, removeEventListener } = EventTarget.prototype

/** The handlers of one target. */
export class EventHandlers {
  readonly #target: EventTarget
  readonly #handlers = new Map<string, Handler>()

  constructor(target: EventTarget) {
    this.#target = target
  }

  /** What was assigned last, if it can be called. */
  get<Assigned>(type: string): Assigned | null {
    return (this.#handlers.get(type)?.callback ?? null) as Assigned | null
  }

  set(type: string, value: unknown): void {
    const handler = this.#handlers.get(type)
    if (typeof value !== 'function') this.#remove(type, handler)
    else if (handler !== undefined) handler.callback = value as Callback
    else this.#add(type, value as Callback)
  }

  #remove(type: string, handler: Handler | undefined): void {
    if (handler === undefined) return
    removeEventListener.call(this.#target, type, handler.listener)
    this.#handlers.delete(type)
  }

  #add(type: string, callback: Callback): void {
    const listener = (event: Event): unknown => {
      const returned = handler.callback.call(this.#target, event)
      if (returned === false) event.preventDefault()
      return returned // of a promise, Node reports the rejection
    }
    const handler: Handler = { callback, listener }
    this.#handlers.set(type, handler)
    addEventListener.call(this.#target, type, listener)
  }
}
