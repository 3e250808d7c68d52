// Shared frames and others, in any order: each connection gets the messages that were sent while it was among the receivers, in
// order, and counts them. Compared with a model that sends one by one.

import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { broadcast } from '../../src/node/broadcast.ts'
import type { WebSocketConnection } from '../../src/node/connection.ts'
import { connectPair } from '../../src/node/pair.ts'

const MEMBERS = 4
const member = fc.nat({ max: MEMBERS - 1 })
/** In characters: small ones, and some past the high-water mark, the size of a batch and of a slab. */
const size = fc.constantFrom(0, 10, 10, 10, 200, 17_000, 40_000, 70_000)
const step = fc.oneof(
  { weight: 16, arbitrary: fc.record({ do: fc.constant('broadcast'), size, member }) },
  ...['filter', 'send', 'leave', 'join', 'swap', 'ping', 'close', 'turn'].map((what) => ({
    weight: what === 'send' || what === 'filter' ? 2 : 1,
    arbitrary: fc.record({ do: fc.constant(what), size, member }),
  })),
)

test('each gets what it would get if it were sent to alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const pairs = Array.from({ length: MEMBERS }, () => connectPair({ server: { highWaterMark: 50_000 } }))
      const received = pairs.map(({ client }) => collected(client))
      const sockets = pairs.map(({ server }) => server)
      const receivers = new Set<WebSocketConnection>()
      for (const socket of sockets.slice(1)) receivers.add(socket)
      const expected = sockets.map((): string[] => [])
      let count = 0
      const give = (length: number, to: typeof sockets): string => {
        const text = `${count++} `.padEnd(length, '.')
        for (const [index, socket] of sockets.entries()) {
          if (to.includes(socket) && socket.readyState === 1) expected[index]?.push(text)
        }
        return text
      }
      for (const { do: what, size, member } of steps) {
        const one = sockets[member] as (typeof sockets)[0]
        const all = sockets.filter((socket) => receivers.has(socket))
        const open = all.filter(({ readyState }) => readyState === 1)
        if (what === 'broadcast') {
          expect(broadcast(receivers, give(size, all))).toBe(open.length)
        } else if (what === 'filter') {
          const others = open.filter((socket) => socket !== one)
          const filter = (socket: unknown): boolean => socket !== one
          expect(broadcast(receivers, give(size, others), { filter })).toBe(others.length)
        } else if (what === 'send') one.send(give(size, [one]))
        else if (what === 'leave') receivers.delete(one)
        else if (what === 'join') receivers.add(one)
        else if (what === 'swap' && receivers.delete(one)) receivers.add(sockets[(member + 1) % MEMBERS] as typeof one)
        else if (what === 'ping') void one.ping()
        else if (what === 'close') void one.close(1000)
        else if (what === 'turn') await nextTurn()
      }
      for (const socket of sockets) await socket.close(1000)
      expect(await Promise.all(received)).toEqual(expected)
      expect(sockets.map((socket) => socket.stats().messagesOut)).toEqual(expected.map(({ length }) => length))
    }),
    { numRuns: 150 },
  )
})

async function collected(messages: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const message of messages) all.push(message)
  return all
}
