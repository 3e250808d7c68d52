// Waiting for what cannot be called off, no longer than an attempt may take.

import type { AbortSignalLike } from '@ws/protocol'
import type { TimeBudget } from './budget.ts'

/**
 * Waits for `work`; what comes of it later is left unheard.
 * @param late makes the error for the end of the time; called at that end
 * @returns what `work` gives. Rejects as it does, with the signal's reason, or with what `late` makes
 */
export function bounded<Result>(
  work: Promise<Result>,
  signal: AbortSignalLike | undefined,
  budget: TimeBudget,
  late: () => Error,
): Promise<Result> {
  let stop = (): void => {}
  const limit = new Promise<never>((_, reject) => {
    if (signal?.aborted === true) reject(signal.reason)
    const timer = setTimeout(() => reject(late()), budget.begin())
    const onAbort = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    stop = () => {
      budget.end()
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  })
  return Promise.race([work, limit]).finally(stop)
}
