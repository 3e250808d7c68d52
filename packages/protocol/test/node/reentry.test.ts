// What arrives from within a handler, over a stream that delivers at once, while another connection's bytes lie in the
// receive window: each is parsed in memory of its own.

import type { Duplex } from 'node:stream'
import { duplexPair } from '@ws/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { collect, connected, open, TRANSPORTS } from './support/connections.ts'

test.each(TRANSPORTS)('a chunk within a chunk, over $name', async ({ pair }) => {
  const inner = duplexPair()
  onTestFinished(inner.dispose)
  const nested: (string | Buffer)[] = []
  const relay = open(inner.client as Duplex, 'client')
  const relayed = open(inner.server as Duplex, 'server')
  const all = collect(relayed, 4)
  relayed.on('message', (data) => void nested.push(data))
  let atOnce = 0
  const { client, dispose } = await connected(pair, {
    server: {
      handlers: {
        message: (socket, data) => {
          const before = nested.length
          relay.send(Buffer.alloc(200_000, String(data))) // so large that the first leaves, and arrives, at once
          atOnce += nested.length - before
          socket.send(data)
        },
      },
    },
  })
  onTestFinished(dispose)
  const echoed = collect(client, 4)
  for (const message of ['a', 'b', 'c', 'd']) client.send(message)
  expect(await echoed).toEqual(['a', 'b', 'c', 'd'])
  expect(atOnce).toBeGreaterThan(0)
  expect((await all).map((message) => String(message).replace(/(.)\1*/, '$1'))).toEqual(['a', 'b', 'c', 'd'])
})
