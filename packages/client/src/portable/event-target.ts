// An EventTarget that knows the types of its events. Types only: every runtime has the class.

interface ListenerOptions {
  readonly capture?: boolean | undefined
  readonly once?: boolean | undefined
  readonly passive?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}
type Listener<Type> = ((event: Type) => unknown) | { handleEvent(event: Type): unknown } | null

/** An EventTarget whose listeners get the event that `Events` has under the name. */
export interface TypedEventTarget<Events> extends EventTarget {
  addEventListener<Name extends keyof Events>(
    type: Name,
    listener: Listener<Events[Name]>,
    options?: ListenerOptions | boolean,
  ): void
  addEventListener(type: string, listener: Listener<Event>, options?: ListenerOptions | boolean): void
  removeEventListener<Name extends keyof Events>(
    type: Name,
    listener: Listener<Events[Name]>,
    options?: ListenerOptions | boolean,
  ): void
  removeEventListener(type: string, listener: Listener<Event>, options?: ListenerOptions | boolean): void
}
