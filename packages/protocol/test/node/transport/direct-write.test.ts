// When a socket is written to past the queue of Node's streams, and that nothing is lost, reordered or forgotten by it.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { tcpPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writesDirectly } from '../../../src/node/transport/direct-write.ts'
import { openTransport } from '../../../src/node/transport/open.ts'
import type { Transport, TransportSink } from '../../../src/node/transport/transport.ts'

const CHUNK = 256 * 1024

async function setUp(): Promise<{
  peer: Socket
  socket: Socket
  transport: Transport
  closed: Promise<Error | undefined>
}> {
  const { client, server, dispose } = await tcpPair()
  onTestFinished(dispose)
  const transport = openTransport(server)
  const closed = new Promise<Error | undefined>((resolve) => {
    const sink: TransportSink = { data: () => {}, ended: () => {}, closed: resolve }
    transport.read(sink)
  })
  return { peer: client, socket: server, transport, closed }
}

/** Counts what is told of writes. */
class Told {
  readonly errors: unknown[] = []
  count = 0

  wrote(error?: Error | null): void {
    this.count++
    if (error !== undefined && error !== null) this.errors.push(error)
  }
}

/** Writes chunks, each filled with its number, until one has to wait. @returns how many */
function fill(transport: Transport, told: Told): number {
  for (let count = 1; count <= 200; count++) {
    if (transport.write(Buffer.alloc(CHUNK, count), told) === 'waits' && transport.buffered > 0) return count
  }
  throw new Error('the peer took everything')
}

/** What a peer gets up to the end: which chunks, in which order, in full. */
async function chunksOf(peer: Socket): Promise<number[]> {
  const received: Buffer[] = []
  for await (const part of peer) received.push(part as Buffer)
  const bytes = Buffer.concat(received)
  const chunks = Array.from({ length: bytes.length / CHUNK }, (_, at) => bytes.subarray(at * CHUNK, (at + 1) * CHUNK))
  return chunks.map((chunk) => (chunk.equals(Buffer.alloc(CHUNK, chunk[0])) ? (chunk[0] as number) : -1))
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}

describe.runIf(writesDirectly)('directly', () => {
  test('what the system takes at once has left, and nobody is told', async () => {
    const { peer, socket, transport } = await setUp()
    const told = new Told()
    expect(transport.write(Buffer.from('frame'), told)).toBe('left')
    expect([transport.buffered, socket.bytesWritten]).toEqual([0, 5])
    const [received] = await once(peer, 'data')
    expect([String(received), told.count]).toEqual(['frame', 0])
  })

  test('memory that has left may be written to', async () => {
    const { peer, transport } = await setUp()
    const bytes = Buffer.from('frame')
    expect(transport.write(bytes, new Told())).toBe('left')
    bytes.fill('x')
    expect(String((await once(peer, 'data'))[0])).toBe('frame')
  })

  test.each(['corked', 'waiting for its queue'])('not on a socket that is %s: order is kept', async (how) => {
    const { peer, socket, transport } = await setUp()
    const told = new Told()
    socket.cork()
    socket.write('first,')
    if (how === 'corked') {
      expect(transport.write(Buffer.from('second'), told)).toBe('waits')
      socket.uncork()
    } else {
      const write = socket.write.bind(socket)
      socket.uncork()
      write('second')
    }
    socket.end()
    let received = ''
    for await (const part of peer) received += String(part)
    expect(received).toBe('first,second')
  })
})

test('what is written behind a write that waits comes behind it, whichever way it goes', async () => {
  const { peer, socket, transport } = await setUp()
  const told = new Told()
  const count = fill(transport, told)
  expect(transport.buffered).toBe(CHUNK)
  expect(transport.write(Buffer.alloc(CHUNK, count + 1), told)).toBe('waits')
  expect(transport.buffered).toBe(2 * CHUNK)
  socket.write(Buffer.alloc(CHUNK, count + 2))
  transport.end()
  expect(await chunksOf(peer)).toEqual(upTo(count + 2))
  await once(socket, 'close')
  expect([transport.buffered, told.errors]).toEqual([0, []])
})

test('a write that waits is told once, when all of it has left', async () => {
  const { peer, transport } = await setUp()
  const before = new Told()
  fill(transport, before)
  const told = new Told()
  transport.write(Buffer.from('last'), told)
  peer.resume()
  while (told.count === 0) await once(peer, 'data')
  await new Promise((resolve) => setImmediate(resolve))
  expect([told.count, transport.buffered]).toEqual([1, 0])
})

test('a peer that resets: the write fails, the socket is destroyed with the reason, and nothing throws', async () => {
  const { peer, socket, transport, closed } = await setUp()
  socket.pause() // so that a write is what meets it
  peer.resetAndDestroy()
  await once(peer, 'close')
  const told = new Told()
  for (let count = 0; !transport.destroyed && count < 1000; count++) {
    transport.write(Buffer.alloc(1024), told)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await closed).toMatchObject({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) })
  expect([transport.buffered, transport.destroyed]).toEqual([0, true])
})

test.each(['write', '_write'] as const)('somebody who has replaced %s sees every byte', async (name) => {
  const { peer, socket, transport } = await setUp()
  const seen: string[] = []
  const inside = socket as unknown as Record<string, (bytes: Buffer, ...rest: unknown[]) => unknown>
  const original = inside[name] as (bytes: Buffer, ...rest: unknown[]) => unknown
  inside[name] = (bytes, ...rest) => {
    seen.push(String(bytes))
    return original.call(socket, bytes, ...rest)
  }
  const told = new Told()
  expect(transport.write(Buffer.from('frame'), told)).toBe('waits')
  expect(String((await once(peer, 'data'))[0])).toBe('frame')
  await new Promise((resolve) => setImmediate(resolve))
  expect([seen, told.count]).toEqual([['frame'], 1])
})

test('a write keeps a socket from its idle timeout', async () => {
  const { socket, transport, closed } = await setUp()
  let idle = false
  socket.setTimeout(1000, () => {
    idle = true
  })
  const inside = socket as unknown as { _unrefTimer(): void }
  let refreshed = 0
  inside._unrefTimer = () => {
    refreshed++
  }
  transport.write(Buffer.from('frame'), new Told())
  expect([refreshed, idle]).toEqual([1, false])
  transport.abort()
  await closed
})
