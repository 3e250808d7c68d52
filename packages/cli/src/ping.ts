// `--ping`: a ping every so many seconds, the next when the last was answered. A peer that does not answer is gone.

import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocketConnection } from '@ws/client'

/** How long a peer may take for a pong, in ms. */
export const PONG_TIMEOUT = 10_000

/**
 * @param seconds between a pong and the next ping
 * @param report gets each round trip, in ms
 */
export async function keepPinging(
  connection: WebSocketConnection,
  seconds: number,
  report: (milliseconds: number) => void,
): Promise<void> {
  const over = new AbortController()
  void connection.closed.then(() => over.abort())
  while (!over.signal.aborted) {
    try {
      report(await connection.ping(undefined, { signal: AbortSignal.timeout(PONG_TIMEOUT) }))
      await sleep(seconds * 1000, undefined, { signal: over.signal })
    } catch {
      if (over.signal.aborted || connection.readyState !== 1) return
      return connection.terminate(new Error(`no answer to a ping within ${PONG_TIMEOUT / 1000} s`))
    }
  }
}
