// The events of the WHATWG interface, as far as Node does not have them, and an EventTarget that knows their types.

import { toUSVString } from 'node:util'
import type { TypedEventTarget } from './portable/event-target.ts'
import { defineInterface, toUnsignedShort } from './web-idl.ts'

/** What {@link CloseEvent} tells. */
export interface CloseEventInit {
  readonly bubbles?: boolean
  readonly cancelable?: boolean
  readonly composed?: boolean
  readonly wasClean?: boolean | undefined
  readonly code?: number | undefined
  readonly reason?: string | undefined
}

/** The `close` event of the WHATWG interface: how the connection ended. (Node has no global one before version 23.) */
export class CloseEvent extends Event {
  declare readonly [Symbol.toStringTag]: string
  readonly #wasClean: boolean
  readonly #code: number
  readonly #reason: string

  constructor(type: string, init: CloseEventInit = {}) {
    // biome-ignore lint/complexity/noArguments: Web IDL tells an argument that is not there from `undefined`
    if (arguments.length === 0) throw new TypeError('the constructor of CloseEvent needs a type')
    super(type, init)
    const { wasClean = false, code = 0, reason = '' } = init ?? {}
    this.#wasClean = Boolean(wasClean)
    this.#code = toUnsignedShort(code)
    this.#reason = toUSVString(reason)
  }

  /** Whether both ends exchanged Close frames. */
  get wasClean(): boolean {
    return this.#wasClean
  }

  /** The code of the peer's Close frame; 1005 if it had none, 1006 if none came. */
  get code(): number {
    return this.#code
  }

  /** What the peer wrote: do not show it to end users (RFC 6455 §5.5.1). */
  get reason(): string {
    return this.#reason
  }
}

defineInterface(CloseEvent.prototype, 'CloseEvent', ['wasClean', 'code', 'reason'])

/** The events of a WebSocket. */
export interface WebSocketEventMap {
  open: Event
  message: MessageEvent
  error: Event
  close: CloseEvent
}

/** An EventTarget whose listeners get the right event. */
export interface WebSocketEventTarget extends TypedEventTarget<WebSocketEventMap> {}

/** Node's EventTarget under that name. */
export const WebSocketEventTarget: new () => WebSocketEventTarget = EventTarget as new () => WebSocketEventTarget
