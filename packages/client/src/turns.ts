// One handshake at a time for each address and port (RFC 6455 §4.1 step 2): who comes must wait in line. Rules: first come,
// first served; a turn ends when its holder says so, whatever came of the handshake; who gives up leaves the line at once.

import type { AbortSignalLike } from '@ws/protocol'

/** Ends a turn: the next in line gets its own. */
export type EndTurn = () => void

interface Waiting {
  begin(): void
}

/** A line for each address with a handshake under way. Two copies of this module would keep two lines: no harm. */
const lines = new Map<string, Waiting[]>()

/**
 * Waits for a turn at all of `addresses`, which are taken in one order by everybody, so that no two wait for each other.
 * @returns as of {@link takeTurn}
 */
export async function takeTurns(addresses: readonly string[], signal?: AbortSignalLike): Promise<EndTurn> {
  const ends: EndTurn[] = []
  const endAll = (): void => ends.forEach((end) => void end())
  try {
    for (const address of [...new Set(addresses)].sort()) ends.push(await takeTurn(address, signal))
  } catch (reason) {
    endAll()
    throw reason
  }
  return endAll
}

/**
 * Waits for a turn at `address`.
 * @returns what ends the turn; call it exactly once. Rejects with the signal's reason if that aborts first
 */
export function takeTurn(address: string, signal?: AbortSignalLike): Promise<EndTurn> {
  if (signal?.aborted === true) return Promise.reject(signal.reason)
  const line = lines.get(address)
  if (line !== undefined) return waitIn(line, address, signal)
  lines.set(address, [])
  return Promise.resolve(() => endTurn(address))
}

function waitIn(line: Waiting[], address: string, signal: AbortSignalLike | undefined): Promise<EndTurn> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      line.splice(line.indexOf(waiting), 1)
      reject(signal?.reason)
    }
    const waiting: Waiting = {
      begin: () => {
        signal?.removeEventListener('abort', leave)
        resolve(() => endTurn(address))
      },
    }
    signal?.addEventListener('abort', leave)
    line.push(waiting)
  })
}

function endTurn(address: string): void {
  const next = lines.get(address)?.shift()
  if (next === undefined) lines.delete(address)
  else next.begin()
}
