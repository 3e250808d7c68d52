// When events are dispatched. In a browser each is a task of its own: between two of them all that the first has set going
// in promises is done. Node dispatches synchronously, so the waiting is done here.

import process from 'node:process'

/** Calls back when no promise job is left to run: Node takes up ticks only then. */
export function afterMicrotasks(callback: () => void): void {
  queueMicrotask(() => process.nextTick(callback))
}

/** What a handler of messages returns: it holds the next message back until {@link afterMicrotasks}. */
export const nextTask: Promise<void> = {
  // biome-ignore lint/suspicious/noThenProperty: one thenable for all messages, where a promise would be one for each
  then: (settled: () => void) => afterMicrotasks(settled),
} as unknown as Promise<void>
