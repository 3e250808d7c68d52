// A clock that moves when a test says so: the timeouts of the client, not those of Node's own modules.

import { onTestFinished, vi } from 'vitest'

/** Stops the clock until the test ends. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

/** Lets time pass at once. */
export function pass(milliseconds: number): void {
  vi.advanceTimersByTime(milliseconds)
}
