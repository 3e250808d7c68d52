// What liveness and arrivals cost: timers of Node, counted by their async resources, unreferenced ones included.

import { createHook } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect } from '@ws/client'
import { readsIntoWindow } from '@ws/protocol/node'
import { expect, onTestFinished, test } from 'vitest'
import { RawClient } from './support/raw-client.ts'
import { portOf, serve } from './support/servers.ts'

/** The timers that exist, of those made from now on. */
function timers(): () => Promise<NodeJS.Timeout[]> {
  const live = new Map<number, NodeJS.Timeout>()
  const hook = createHook({
    init: (id, type, _, timer) => void (type === 'Timeout' && live.set(id, timer as NodeJS.Timeout)),
    destroy: (id) => void live.delete(id),
  }).enable()
  onTestFinished(() => void hook.disable())
  return async () => {
    await nextTurn() // what was cleared is reported a little later
    return [...live.values()]
  }
}

test('a thousand connections with heartbeat and idle timeout have no more timers than ten', async () => {
  const existing = timers()
  const count = async () => (await existing()).length
  const server = await serve({ heartbeat: true, idleTimeout: 3_600_000 })
  const url = `ws://127.0.0.1:${portOf(server)}`
  const open = (number: number) =>
    Promise.all(Array.from({ length: number }, () => connect(url, { serialize: false, heartbeat: true })))
  const few = await open(10)
  const before = await count()
  const many = await open(990)
  expect(server.stats().connections).toBe(1_000)
  // Alarms are shared by those that are due at about the same time, so some seconds of opening make some more.
  expect((await count()) - before).toBeLessThan(30)
  expect(before).toBeGreaterThan(0)
  for (const socket of [...few, ...many]) socket.terminate()
  await Promise.all([...few, ...many].map((socket) => socket.closed))
}, 30_000)

test.each(['have spoken', 'are gone', 'are cut off by close()'])(
  'clients that say nothing are looked for by one timer, which holds nobody up, and by none when they %s',
  async (how) => {
    const server = await serve({ heartbeat: false, handshakeTimeout: 5_000 })
    const existing = timers()
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(portOf(server))))
    await (await RawClient.connect(portOf(server))).upgrade() // a later one is in: so they have been accepted
    expect((await existing()).map((timer) => timer.hasRef())).toEqual(readsIntoWindow ? [false] : [])
    if (how === 'have spoken') await Promise.all(clients.map((client) => client.upgrade()))
    else if (how === 'are gone') for (const client of clients) client.reset()
    else await server.close({ timeout: 0 })
    while ((await existing()).length > 0); // it notices when it looks next
    expect(server.stats().connections).toBe({ 'have spoken': 11, 'are gone': 1 }[how] ?? 0)
  },
)
