// `binary: 'borrowed'`: messages that hold during the handler only. What leaves the handler's call must be whole all the same.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Handlers } from '../../src/node/connection.ts'
import { isBorrowed, windowMode } from '../../src/node/window.ts'
import { collect, connected } from './support/connections.ts'

function filled(size: number, value: number): Buffer {
  return Buffer.alloc(size, value)
}

/** Ours at both ends; the server borrows. */
async function borrowing(handlers?: Handlers, concurrency = 1) {
  const ends = await connected(undefined, {
    server: { binary: 'borrowed', concurrency, ...(handlers && { handlers }) },
  })
  onTestFinished(ends.dispose)
  return ends
}

test.runIf(windowMode !== 'off' && process.platform === 'linux')('a message lies in the receive window', async () => {
  let borrowed = false
  const { client } = await borrowing({
    message: (socket, data) => {
      borrowed = isBorrowed(data as Buffer)
      socket.send('seen')
    },
  })
  client.send(filled(100, 1))
  await collect(client, 1)
  expect(borrowed).toBe(true)
})

test('by default it does not', async () => {
  const { client, server, dispose } = await connected()
  onTestFinished(dispose)
  client.send(filled(100, 1))
  const [message] = await collect(server, 1)
  expect(isBorrowed(message as Buffer)).toBe(false)
})

test.each([10, 1_024, 16_384, 65_536, 100_000, 300_000])('an echo of %i bytes arrives as it was', async (size) => {
  const { client } = await borrowing({ message: (socket, data) => void socket.send(data) })
  const sent = Array.from({ length: 40 }, (_, index) => filled(size, index))
  const received = collect(client, sent.length)
  for (const message of sent) client.send(message)
  expect((await received).every((message, index) => sent[index]?.equals(message as Buffer))).toBe(true)
})

test('to a peer that does not read: the echo is a copy by then', async () => {
  const { client } = await borrowing({ message: (socket, data) => void socket.send(data) })
  const sent = Array.from({ length: 60 }, (_, index) => filled(65_536, index))
  client.pause()
  for (const message of sent) client.send(message)
  for (let turn = 0; turn < 50; turn++) await nextTurn()
  const received = collect(client, sent.length)
  client.resume()
  expect((await received).every((message, index) => sent[index]?.equals(message as Buffer))).toBe(true)
})

test('behind a Blob that is being read: a copy', async () => {
  const { client } = await borrowing({
    message: (socket, data) => {
      socket.send(new Blob(['first']))
      socket.send(data)
    },
  })
  const received = collect(client, 4)
  client.send(filled(20_000, 7))
  client.send(filled(20_000, 8))
  const messages = (await received) as Buffer[]
  expect([messages[1]?.equals(filled(20_000, 7)), messages[3]?.equals(filled(20_000, 8))]).toEqual([true, true])
})

test('messages that wait for an asynchronous handler are owned', async () => {
  const kept: Buffer[] = []
  const { client } = await borrowing({
    message: async (socket, data) => {
      await nextTurn()
      if (kept.length > 0)
        kept.push(data as Buffer) // the first was handed over at once: it is gone by now
      else kept.push(Buffer.alloc(0))
      if (kept.length === 20) socket.send('all')
    },
  })
  for (let index = 0; index < 20; index++) client.send(filled(500, index))
  await collect(client, 1)
  expect(kept.every((message, index) => index === 0 || message.equals(filled(500, index)))).toBe(true)
})

test('an iterator gets messages of its own', async () => {
  const { client, server } = await borrowing()
  for (let index = 0; index < 20; index++) client.send(filled(500, index))
  void client.close()
  const kept: Buffer[] = []
  for await (const message of server) kept.push(message as Buffer)
  expect(kept.map((message) => message.equals(filled(500, message[0] ?? 0)))).toEqual(Array(20).fill(true))
})

test('an iterator that waits gets a message of its own', async () => {
  const { client, server } = await borrowing()
  const iterator = server[Symbol.asyncIterator]()
  const first = iterator.next()
  client.send(filled(500, 1))
  client.send(filled(500, 2))
  const { value } = await first
  await iterator.next()
  expect((value as Buffer).equals(filled(500, 1))).toBe(true)
})
