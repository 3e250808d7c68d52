// What arrives from within a handler, over a stream that delivers at once, while another connection's bytes lie in the
// receive window: each is parsed in memory of its own.

import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { duplexPair } from '@ws/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
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

test('a stream that answers from within a write: however much that is, reading goes on', async () => {
  const text = (length: number) => frame({ opcode: 1, payload: 'x'.repeat(length), key: SAMPLE_KEY })
  let answered = false
  const stream = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      if (!answered) for (let count = 0; count < 6; count++) stream.push(text(60))
      answered = true
      done()
    },
  })
  onTestFinished(() => void stream.destroy())
  const socket = open(stream, 'server', { maxReadAhead: 200, highWaterMark: 1 })
  socket.pause()
  const all = collect(socket, 8)
  socket.once('message', () => void socket.send('y')) // fills the inbox while it is emptied
  stream.push(text(1))
  await nextTurn()
  socket.resume()
  await nextTurn()
  stream.push(text(2))
  expect((await all).at(-1)).toBe('xx')
})
