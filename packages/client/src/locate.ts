// Where a handshake will go, found out before it waits for its turn: RFC 6455 §4.1 counts handshakes by IP address and port,
// under whichever name. Rules: a name is looked up once, and the handshake uses what was found, an error too; where the
// caller makes the socket (an agent may be a proxy's) or a proxy does, the address cannot be known, and the name counts.

import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import process from 'node:process'
import { textOf } from '@ws/protocol/node'
import { bounded } from './bounded.ts'
import type { TimeBudget } from './budget.ts'
import type { DialOptions } from './dial-options.ts'
import { timeoutFailure } from './failure.ts'
import type { Plan } from './plan.ts'

export interface Location {
  /** Each host and port that the handshake may try. */
  readonly addresses: readonly string[]
  /** The options of the way there, which now know the addresses. */
  readonly dial: DialOptions
}

/** What a lookup gave: an error is told by the handshake, as without a lookup before it. */
type Found = readonly LookupAddress[] | Error

/** Finds out where `plan` leads; rejects with the signal's reason, or with a HandshakeError when the time is over. */
export async function locate(plan: Plan, budget: TimeBudget): Promise<Location> {
  const { target, dial } = plan
  const name = dial.socketPath ?? `${target.host}:${target.port}`
  const known = dial.socketPath !== undefined || isIP(target.host) !== 0
  if (known || plan.proxy !== undefined || callerDials(dial)) return { addresses: [name], dial }
  const late = (): Error =>
    timeoutFailure(budget.total, 'the host name was not looked up', { address: name, securing: false })
  // A lookup cannot be called off, so its end may be left unheard.
  const found = await bounded(lookUp(target.host, dial), plan.signal, budget, late)
  const addresses = found instanceof Error ? [name] : found.map(({ address }) => `${address}:${target.port}`)
  return { addresses, dial: { ...dial, lookup: answering(found) } }
}

function callerDials({ agent, createConnection }: DialOptions): boolean {
  return createConnection !== undefined || (agent !== undefined && agent !== false)
}

function lookUp(host: string, { lookup = systemLookup as LookupFunction, family, hints }: DialOptions): Promise<Found> {
  return new Promise((resolve) => {
    try {
      lookup(host, { family, hints, all: true }, (error, found, foundFamily = 0) => {
        if (error) resolve(error)
        else if (typeof found === 'string') resolve([{ address: found, family: foundFamily }])
        else resolve(Array.isArray(found) && found.length > 0 ? found : noAddress(host))
      })
    } catch (error) {
      resolve(error instanceof Error ? error : new Error(textOf(error)))
    }
  })
}

/** Node would take the first of none. */
function noAddress(host: string): Error {
  return Object.assign(new Error(`lookup gave no address for ${host}`), { code: 'ENOTFOUND' })
}

/** A lookup whose answer is known. */
function answering(found: Found): LookupFunction {
  return (_, { all }, callback) => {
    if (found instanceof Error) process.nextTick(callback, found)
    else if (all === true) process.nextTick(callback, null, found)
    else process.nextTick(callback, null, found[0]?.address, found[0]?.family)
  }
}
