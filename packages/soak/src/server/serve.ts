// The server's process: a `WebSocketServer` with its defaults, compression for those who offer it, and an application. On request it
// says what it holds while nobody is there, and ends.

import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer } from '@ws/server'
import { activeResources, leakedSince } from '@ws/testkit'
import { type Alive, countAlive, moreAlive } from '../alive.ts'
import { type Begun, serveParent } from '../child.ts'
import { type Memory, measureMemory } from '../memory.ts'
import { type Application, type Client, GUEST_PATH } from './application.ts'

/** What the server holds while nobody is there. */
export interface Quiet {
  readonly memory: Memory
  /** What did not go: nothing, if all is well. */
  readonly left: readonly string[]
}

/** What a server did and left behind. */
export interface Ended {
  /** What is there that was not before it began. */
  readonly left: readonly string[]
  readonly accepted: number
  readonly refusals: Readonly<Record<string, number>>
  readonly closeCodes: Readonly<Record<number, number>>
}

const NEWS_INTERVAL = 1_000
/** For those whose peer is gone without a word: past the close timeout. */
const PATIENCE = 20_000
/** For what was held by those who went last. */
const RELEASE = 3_000
const POLL = 50

/** Serves until the parent has had enough. */
export function serve(application: Application): Promise<void> {
  return serveParent(() => begin(application))
}

async function begin(application: Application): Promise<Begun> {
  const resources = activeResources()
  const { Timeout: _, ...nothing } = countAlive()
  // The server has timers of its own: the first time without clients says how many.
  let usual: Alive = nothing
  const server = await WebSocketServer.listen<Client>(
    {
      port: 0,
      host: '127.0.0.1',
      perMessageDeflate: true,
      authenticate: ({ url }) => ({ data: { guest: url === GUEST_PATH, answered: 0 } }),
    },
    application.handlers,
  )
  const news = setInterval(() => application.tell(server), NEWS_INTERVAL)

  async function quiet(): Promise<Quiet> {
    await until(() => server.stats().connections === 0, PATIENCE)
    await until(() => moreAlive(usual, countAlive()).length === 0, RELEASE)
    const alive = countAlive()
    const { connections } = server.stats()
    const left = [...(connections > 0 ? [`${connections} connections`] : []), ...moreAlive(usual, alive)]
    usual = { ...alive, ...nothing }
    return { left, memory: await measureMemory() }
  }

  async function end(): Promise<Ended> {
    clearInterval(news)
    const { accepted, refusals, closeCodes } = server.stats()
    await server.close()
    const left = await leakedSince(resources)
    return { left, accepted, refusals, closeCodes }
  }

  return { value: (server.address() as AddressInfo).port, commands: { quiet, end } }
}

/** Waits for what no event tells, for so many ms at most. */
async function until(condition: () => boolean, ms: number): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition() && performance.now() < deadline) await sleep(POLL)
}
