// Lets a process end that has nothing left to do but to wait for the ends of connections. Rules: from the beginning of its end on, a
// client's connection keeps no process alive; once nothing else does, those that are left have a moment to end properly, and are
// destroyed then, so that whoever waits for `closed` is told in any case.

import process from 'node:process'
import { WebSocketError } from '../errors.ts'

/** How long a process that is otherwise done waits for closing handshakes, in ms. */
const EXIT_GRACE = 1_000

/** A connection that is about to end. */
export interface Ending {
  abort(cause: WebSocketError): void
}

const endings = new Set<Ending>()
let grace: NodeJS.Timeout | undefined
let listening = false

/** From now on `ending` is not waited for. Call {@link forget} when it is over. */
export function expectEnd(ending: Ending): void {
  endings.add(ending)
  if (listening) return
  listening = true
  process.on('beforeExit', waitForEnds)
}

export function forget(ending: Ending): void {
  if (!endings.delete(ending) || endings.size > 0) return
  clearTimeout(grace)
  grace = undefined
}

/** The event loop is empty; the timer gives it something to do. */
function waitForEnds(): void {
  if (endings.size > 0) grace ??= setTimeout(endAll, EXIT_GRACE)
}

function endAll(): void {
  grace = undefined
  const why = `the process has nothing else to do, and the connection did not close within ${EXIT_GRACE} ms`
  for (const ending of [...endings]) ending.abort(new WebSocketError('CLOSE_TIMEOUT', why))
}
