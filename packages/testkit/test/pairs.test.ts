// The three kinds of connected pairs behave alike: bytes both ways, backpressure, half-close, abort, release.

import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { duplexPair, type SocketPair, tcpPair, tlsPair } from '../src/index.ts'

const pairs: [name: string, make: () => SocketPair<Duplex> | Promise<SocketPair<Duplex>>][] = [
  ['tcpPair', tcpPair],
  ['tlsPair', tlsPair],
  ['duplexPair', duplexPair],
]

describe.each(pairs)('%s', (_name, make) => {
  async function connected(): Promise<SocketPair<Duplex>> {
    const pair = await make()
    onTestFinished(pair.dispose)
    return pair
  }

  test('carries bytes both ways', async () => {
    const { client, server } = await connected()
    client.write('ping')
    expect(String((await once(server, 'data'))[0])).toBe('ping')
    server.write('pong')
    expect(String((await once(client, 'data'))[0])).toBe('pong')
  })

  test('an empty write completes', async () => {
    const { client } = await connected()
    await new Promise<void>((resolve) => client.write('', () => resolve()))
  })

  test('a reader that does not read holds the writer up, and lets go when it reads', async () => {
    const { client, server } = await connected()
    const chunk = Buffer.alloc(1024 * 1024)
    let written = 0
    while (client.writableLength < 8 * chunk.length) {
      client.write(chunk)
      written += chunk.length
      await new Promise(setImmediate)
    }
    let read = 0
    server.on('data', (bytes: Buffer) => {
      read += bytes.length
    })
    client.end()
    await once(server, 'end')
    expect(read).toBe(written)
  })

  test('the end of one side is the end of the other’s input', async () => {
    const { client, server } = await connected()
    client.end()
    server.resume()
    await once(server, 'end')
    expect(server.readableEnded).toBe(true)
  })

  test('a destroyed side ends the other’s input', async () => {
    const { client, server } = await connected()
    server.on('error', () => {})
    server.resume()
    client.destroy()
    await Promise.race([once(server, 'end'), once(server, 'close')])
    expect(server.readableEnded || server.destroyed).toBe(true)
  })

  test('dispose closes both', async () => {
    const { client, server, dispose } = await connected()
    await dispose()
    expect([client.closed, server.closed]).toEqual([true, true])
  })
})

test('duplexPair: a write to a destroyed side fails with EPIPE', async () => {
  const { client, server, dispose } = duplexPair()
  server.destroy()
  const failed = once(client, 'error')
  client.write('late')
  expect((await failed)[0]).toMatchObject({ code: 'EPIPE' })
  await dispose()
})
