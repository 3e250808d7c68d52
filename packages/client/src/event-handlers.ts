// Event handler attributes (`onopen` and its like) as the HTML standard has them: what is assigned becomes a listener in the
// order of its first assignment, keeps that place when another function replaces it, and leaves with `null`.

type Callback = (this: EventTarget, event: Event) => unknown

interface Handler {
  callback: Callback
  readonly listener: (event: Event) => unknown
}

const handlersOf = new WeakMap<EventTarget, Map<string, Handler>>()

/** Gives `prototype` an attribute `on` + type for each of `types`. */
export function defineEventHandlers(prototype: EventTarget, types: readonly string[]): void {
  for (const type of types) {
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get(this: EventTarget) {
        return handlersOf.get(this)?.get(type)?.callback ?? null
      },
      set(this: EventTarget, value: unknown) {
        setHandler(this, type, typeof value === 'function' ? (value as Callback) : null)
      },
    })
  }
}

function setHandler(target: EventTarget, type: string, callback: Callback | null): void {
  const handlers = handlersOf.get(target) ?? new Map<string, Handler>()
  handlersOf.set(target, handlers)
  const handler = handlers.get(type)
  if (callback === null) {
    if (handler !== undefined) target.removeEventListener(type, handler.listener)
    handlers.delete(type)
  } else if (handler !== undefined) {
    handler.callback = callback
  } else {
    handlers.set(type, addHandler(target, type, callback))
  }
}

function addHandler(target: EventTarget, type: string, callback: Callback): Handler {
  const handler: Handler = { callback, listener: (event) => handler.callback.call(target, event) }
  target.addEventListener(type, handler.listener)
  return handler
}
