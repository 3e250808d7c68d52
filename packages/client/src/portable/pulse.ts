// A heartbeat made of messages, for connections that cannot be pinged. Rules: any message that comes is a sign of life; a
// question is asked only in silence; a timer that rings much too late proves nothing, for the machine or the page has slept,
// and the question is asked again.

import { WebSocketError } from '@ws/protocol'

/** A heartbeat in the words of the application. Times in ms. */
export interface PulseOptions {
  /** How long there may be silence before a question is asked: 30,000 by default. */
  readonly interval?: number | undefined
  /** How long an answer may take: 10,000 by default. */
  readonly timeout?: number | undefined
  /** Makes the question. */
  readonly message: () => string | ArrayBuffer | ArrayBufferView | Blob
  /** Tells answers from other messages: they are no `message` events then. By default every message is one. */
  readonly isReply?: ((data: unknown) => boolean) | undefined
}

type Question = ReturnType<PulseOptions['message']>

/** {@link PulseOptions}, checked. */
export type PulseSettings = PulseOptions & { readonly interval: number; readonly timeout: number }

/** A heartbeat that beats. */
export interface Pulse {
  /** A message came. */
  beat(): void
  /** Asks now, if no answer is awaited: the network or the page may have been away. */
  probe(): void
  /** @returns what to put in its place */
  stop(): undefined
}

/**
 * Begins to listen. (A closure, since a page pays for each `this`.)
 * @param ask not called any more once it is dead
 * @param dead called with the cause, when no answer came or there is no question
 */
export function startPulse(
  { interval, timeout, message }: PulseSettings,
  ask: (question: Question) => void,
  dead: (cause: unknown) => void,
): Pulse {
  let timer: ReturnType<typeof setTimeout> | undefined
  let heard = false
  let asked = false

  const set = (delay: number, then: () => void): void => {
    clearTimeout(timer)
    timer = setTimeout(then, delay)
  }
  const listen = (): void => {
    heard = asked = false
    set(interval, () => (heard ? listen() : probe()))
  }
  const probe = (): void => {
    if (asked) return
    const now = Date.now()
    asked = true
    set(timeout, () => {
      asked = false
      if (Date.now() - now > 2 * timeout) probe()
      else dead(new WebSocketError('HEARTBEAT_TIMEOUT', 'no message after the heartbeat'))
    })
    try {
      ask(message())
    } catch (cause) {
      dead(cause)
    }
  }
  const beat = (): void => {
    if (asked) listen()
    else heard = true
  }
  listen()
  return { beat, probe, stop: () => clearTimeout(timer) as undefined }
}
