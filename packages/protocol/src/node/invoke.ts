// The one way to call an application's code. Rules: what it throws neither corrupts the work in hand nor disappears. The
// chunk being read is finished, output is flushed, and the error surfaces as an uncaught exception on the next tick.

import process from 'node:process'

/** Rethrows `error` where nothing of ours is on the stack. */
export function rethrowLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

/** Calls `callback` with its arguments; an exception is rethrown later and gives `undefined`. */
export function invoke<Arguments extends unknown[], Result>(
  callback: (...parameters: Arguments) => Result,
  ...parameters: Arguments
): Result | undefined {
  try {
    return callback(...parameters)
  } catch (error) {
    rethrowLater(error)
    return undefined
  }
}

/** Whether a callback gave something to wait for. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
