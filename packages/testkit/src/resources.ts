// What keeps a process busy, counted by kind: the sockets, servers, pipes, child processes, requests and timers of
// `process.getActiveResourcesInfo()`, which lists what would hold the event loop open (unreferenced timers and sockets
// are not in it), and the open zlib handles, which no public interface lists.

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import zlib from 'node:zlib'

/** How many of each kind there are. */
export type Resources = ReadonlyMap<string, number>

/** What a closed socket or a sent request needs to be forgotten is a few turns; the rest is for a loaded machine. */
const RELEASE_TIMEOUT = 2_000
const QUICK_TURNS = 50
const SLOW_TURN = 10

let openZlibHandles = 0
countZlibHandles()

/** Counts what is active now. */
export function activeResources(): Resources {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  if (openZlibHandles > 0) counts.set('Zlib', openZlibHandles)
  return counts
}

/** Waits (bounded) until there is no more of any kind than in `baseline`; yields what is left, `'2 Timeout'` a kind. */
export async function leakedSince(baseline: Resources, timeout: number = RELEASE_TIMEOUT): Promise<string[]> {
  const deadline = performance.now() + timeout
  for (let turn = 0; ; turn++) {
    const left = difference(activeResources(), baseline)
    if (left.length === 0 || performance.now() >= deadline) return left
    if (turn < QUICK_TURNS) await nextTurn()
    else await sleep(SLOW_TURN)
  }
}

function difference(now: Resources, baseline: Resources): string[] {
  const more: string[] = []
  for (const [kind, count] of now) {
    const excess = count - (baseline.get(kind) ?? 0)
    if (excess > 0) more.push(`${excess} ${kind}`)
  }
  return more.sort()
}

/** The native handle behind a zlib stream, as far as it is counted here. */
interface ZlibHandle {
  init(...args: unknown[]): unknown
  close(...args: unknown[]): unknown
}

/** Every zlib stream and every synchronous call goes through these two methods of one shared prototype. */
function countZlibHandles(): void {
  const probe = zlib.createDeflateRaw()
  const prototype = Object.getPrototypeOf((probe as unknown as { _handle: ZlibHandle })._handle) as ZlibHandle
  probe.close()
  const open = new WeakSet<object>()
  const { init, close } = prototype
  prototype.init = function (...args) {
    const result = init.apply(this, args)
    open.add(this)
    openZlibHandles++
    return result
  }
  prototype.close = function (...args) {
    // Closing again is allowed, and counts once.
    if (open.delete(this)) openZlibHandles--
    return close.apply(this, args)
  }
}
