// A connection as streams of the web: messages as chunks, backpressure in bytes, and every way in which they end.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { MessageData } from '../../src/connection.ts'
import type { WebSocketConnection } from '../../src/node/connection.ts'
import { WINDOW_SIZE } from '../../src/node/window.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { collect, connected, type Setup, TRANSPORTS, withPeer } from './support/connections.ts'

async function pairOf(client: Setup = {}, server: Setup = {}) {
  const ends = await connected(undefined, { client, server })
  onTestFinished(ends.dispose)
  return { socket: ends.client, peer: ends.server }
}

async function raw(setup: Setup = {}) {
  const made = await withPeer('server', setup)
  onTestFinished(made.dispose)
  return made
}

/** Sends until a peer that does not read, and all between, takes no more. */
async function fill(socket: WebSocketConnection, peer: Duplex): Promise<void> {
  peer.pause()
  for (let quiet = 0; quiet < 20; quiet++) {
    if (socket.send(Buffer.alloc(256 * 1024))) quiet = 0
    await new Promise(setImmediate)
  }
}

const text = (payload: string) => frame({ opcode: 1, payload, key: SAMPLE_KEY })
const CLOSE_1000 = frame({ opcode: 8, payload: Buffer.from([3, 232]), key: SAMPLE_KEY })

describe.each(TRANSPORTS)('over $name', ({ pair }) => {
  test.each(['client', 'server'] as const)(
    'at the %s: messages of all kinds through a transform and back',
    async (end) => {
      const ends = await connected(pair)
      onTestFinished(ends.dispose)
      const socket = ends[end]
      const other = end === 'client' ? ends.server : ends.client
      const echo = other.readable.pipeTo(other.writable as WritableStream<string | Buffer>)
      const sent: (string | Buffer)[] = []
      for (let index = 0; index < 200; index++) sent.push('ü'.repeat(index), Buffer.alloc(97 * index, index))
      const writer = socket.writable.getWriter()
      const seen: (string | Buffer)[] = []
      const reading = (async () => {
        for await (const message of socket.readable) if (seen.push(message) === sent.length) break
      })()
      for (const message of sent) {
        await writer.ready
        void writer.write(message).catch(() => {})
      }
      await reading
      const same = (message: string | Buffer, index: number) => {
        const expected = sent[index] as string | Buffer
        return typeof message === 'string' ? message === expected : message.equals(expected as Buffer)
      }
      expect(seen.every(same)).toBe(true)
      await echo
      expect((await other.closed).code).toBe(1000)
    },
  )
})

describe('reading', () => {
  test('the same stream each time, which is the one consumer', async () => {
    const { socket, peer } = await pairOf({}, { handlers: { message() {} } })
    expect(socket.readable).toBe(socket.readable)
    expect(() => socket.on('message', () => {})).toThrow('iterator are in use')
    expect(() => peer.readable).toThrow('handlers are in use')
    expect(peer.writable).toBe(peer.writable) // which has nothing to do with that
  })

  test('what came before it was asked for; it closes with the connection', async () => {
    const { socket, peer } = await pairOf()
    peer.send('early')
    peer.send('')
    await socket.ping()
    void peer.close(1000)
    const seen: unknown[] = []
    for await (const message of socket.readable) seen.push(message)
    expect(seen).toEqual(['early', ''])
  })

  test('one who does not read holds the peer back, and gets everything', async () => {
    const { socket, peer } = await pairOf({ maxReadAhead: 64 * 1024 }, { maxBackpressure: 2 ** 30 })
    const [size, count] = [16 * 1024, 1000]
    for (let index = 0; index < count; index++) peer.send(Buffer.alloc(size, index))
    const reader = socket.readable.getReader()
    for (let index = 0; index < count; index++) {
      const { value } = await reader.read()
      if (!(value as Buffer).equals(Buffer.alloc(size, index))) throw new Error(`message ${index} differs`)
      expect(socket.stats().bytesIn - index * (size + 4)).toBeLessThan(64 * 1024 + 2 * size + WINDOW_SIZE)
    }
  })

  test('several reads at once', async () => {
    const { socket, peer } = await pairOf()
    const reader = socket.readable.getReader()
    const reads = [reader.read(), reader.read(), reader.read()]
    for (const data of ['a', 'b', 'c']) peer.send(data)
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual(['a', 'b', 'c'])
  })
})

describe('writing', () => {
  test('each chunk a message, whatever can be sent', async () => {
    const { socket, peer } = await pairOf()
    const received = collect(peer, 5)
    const writer = socket.writable.getWriter()
    const chunks: MessageData[] = ['text', Buffer.from('a'), new Uint16Array([1]), new ArrayBuffer(2), new Blob(['b'])]
    for (const chunk of chunks) void writer.write(chunk)
    expect(await received).toEqual(['text', Buffer.from('a'), Buffer.from([1, 0]), Buffer.alloc(2), Buffer.from('b')])
  })

  test('backpressure counts bytes: text by its UTF-8, all else by its size', async () => {
    const { socket, peer } = await raw({ highWaterMark: 100 })
    await fill(socket, peer.stream)
    const writer = socket.writable.getWriter()
    expect(writer.desiredSize).toBe(100)
    const sent = [writer.write('ü'.repeat(10)), writer.write(Buffer.alloc(30)), writer.write(new Blob(['x'.repeat(7)]))]
    expect(writer.desiredSize).toBe(100 - 20 - 30 - 7)
    sent.push(writer.write(Buffer.alloc(43)))
    let ready = false
    void writer.ready.then(() => {
      ready = true
    })
    await new Promise(setImmediate)
    expect([writer.desiredSize, ready]).toEqual([0, false])
    peer.stream.resume()
    await Promise.all([...sent, writer.ready])
    expect(writer.desiredSize).toBe(100)
  })

  test('a high-water mark of 0 lets one chunk through at a time', async () => {
    const { socket, peer } = await pairOf({ highWaterMark: 0 })
    const received = collect(peer, 2)
    const writer = socket.writable.getWriter()
    for (const data of ['a', 'b']) {
      await writer.ready
      await writer.write(data)
    }
    expect(await received).toEqual(['a', 'b'])
  })

  test('a chunk that cannot be sent: the write fails, and the connection ends with 1011', async () => {
    const { socket, peer } = await pairOf()
    const writer = socket.writable.getWriter()
    writer.closed.catch(() => {})
    const writes = [undefined, 7].map((chunk) => writer.write(chunk as never))
    const results = await Promise.allSettled(writes)
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected'])
    expect((results[0] as PromiseRejectedResult).reason).toMatchObject({ code: 'USAGE' })
    expect((await peer.closed).code).toBe(1011)
  })
})

describe('the end', () => {
  test('close() of the writable: all that was written, then 1000; what is on its way still arrives', async () => {
    const { socket, peer } = await raw({ maxReadAhead: 1 })
    const read = (async () => {
      const seen: unknown[] = []
      for await (const message of socket.readable) seen.push(message)
      return seen
    })()
    const writer = socket.writable.getWriter()
    void writer.write('last')
    const closing = writer.close()
    expect(await peer.read(10)).toBe(`8104${Buffer.from('last').toString('hex')}880203e8`)
    peer.write(text('a'), text('b'), CLOSE_1000)
    peer.stream.end()
    await closing
    await writer.closed
    expect(await read).toEqual(['a', 'b'])
  })

  test.each([1000, undefined])('the peer closes with %s: the readable closes, what is written fails', async (code) => {
    const { socket, peer } = await pairOf()
    const reader = socket.readable.getReader()
    const writer = socket.writable.getWriter()
    void peer.close(code)
    expect(await reader.read()).toEqual({ value: undefined, done: true })
    await expect(writer.write('late')).rejects.toMatchObject({ code: 'NOT_OPEN', cause: { code: code ?? 1005 } })
  })

  test('the peer closes with 1000: closing is no fault, and a pipe just ends', async () => {
    const { socket, peer } = await pairOf()
    const writer = socket.writable.getWriter()
    void peer.close(1000)
    await socket.closed
    await writer.close()
    const other = await pairOf()
    const echo = other.socket.readable.pipeTo(other.socket.writable as WritableStream<string | Buffer>)
    void other.peer.close(1000)
    await echo
  })

  test('any other code errors both sides, with one error', async () => {
    const { socket, peer } = await pairOf()
    const reader = socket.readable.getReader()
    const writer = socket.writable.getWriter()
    peer.send('before')
    void peer.close(4000, 'because')
    expect((await reader.read()).value).toBe('before')
    const error = await reader.read().catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'CLOSED_WITH_ERROR',
      message: 'the connection was closed with code 4000: because',
      cause: { code: 4000 },
    })
    await expect(writer.closed).rejects.toBe(error)
    await expect(reader.closed).rejects.toBe(error)
  })

  test('a lost connection errors both sides with the cause of the close info, though nobody reads', async () => {
    const { socket, peer } = await raw()
    const reader = socket.readable.getReader()
    const writer = socket.writable.getWriter()
    const ends = [reader.closed, writer.closed].map((end) => end.catch((reason: unknown) => reason))
    ;(peer.stream as Socket).resetAndDestroy()
    const { cause } = await socket.closed
    expect(cause?.code).toBe('CONNECTION_LOST')
    expect((await Promise.all(ends)).map((error) => error === cause)).toEqual([true, true])
  })

  test('the messages before a loss are read first', async () => {
    const { socket, peer } = await raw()
    peer.write(text('a'), text('b'))
    while (socket.stats().messagesIn < 2) await new Promise(setImmediate)
    const reader = socket.readable.getReader()
    ;(peer.stream as Socket).resetAndDestroy()
    await socket.closed
    expect([(await reader.read()).value, (await reader.read()).value]).toEqual(['a', 'b'])
    await expect(reader.read()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })

  test('writes that wait when the connection goes are rejected', async () => {
    const { socket, peer } = await raw()
    await fill(socket, peer.stream)
    const writer = socket.writable.getWriter()
    const writes = ['a', 'b'].map((data) => writer.write(data))
    writer.closed.catch(() => {})
    socket.terminate()
    for (const write of writes) await expect(write).rejects.toMatchObject({ code: 'TERMINATED' })
  })

  test('closing when it is over already: how it ended', async () => {
    const { socket, peer } = await pairOf()
    const writer = socket.writable.getWriter()
    writer.closed.catch(() => {})
    const closing = writer.close()
    void peer.close(4001)
    await expect(closing).rejects.toMatchObject({ code: 'CLOSED_WITH_ERROR' })
  })

  test.each([
    ['cancel() closes with 1000', undefined, 1000],
    ['cancel(reason) closes with 1011', new Error('disk full'), 1011],
  ])('%s, and resolves when the connection is over', async (_name, reason, code) => {
    const { socket, peer } = await pairOf()
    const reader = socket.readable.getReader()
    peer.send('unread')
    await socket.ping()
    await reader.cancel(reason)
    expect(socket.readyState).toBe(3)
    expect((await peer.closed).code).toBe(code)
    expect((await peer.closed).reason).toBe('') // what failed here is nothing for the peer
  })

  test('a loop that is left closes with 1000', async () => {
    const { socket, peer } = await pairOf()
    peer.send('a')
    peer.send('b')
    for await (const message of socket.readable) {
      expect(message).toBe('a')
      break
    }
    expect((await peer.closed).code).toBe(1000)
  })

  test('abort() of the writable closes with 1011: the peer knows that it did not get all', async () => {
    const { socket, peer } = await pairOf()
    const reader = socket.readable.getReader()
    const aborted = socket.writable.abort(new Error('disk'))
    expect(await peer.closed).toMatchObject({ code: 1011, reason: '' })
    await aborted
    await expect(reader.read()).rejects.toMatchObject({ code: 'CLOSED_WITH_ERROR' })
  })

  test('pipeTo: a source that fails aborts, and the peer’s readable errors', async () => {
    const { socket, peer } = await pairOf()
    const source = new ReadableStream({
      start(controller) {
        controller.enqueue('a')
      },
      pull(controller) {
        controller.error(new Error('disk'))
      },
    })
    const reader = peer.readable.getReader()
    await expect(source.pipeTo(socket.writable)).rejects.toThrow('disk')
    const rest = async () => {
      while (!(await reader.read()).done);
    }
    await expect(rest()).rejects.toMatchObject({ code: 'CLOSED_WITH_ERROR', cause: { code: 1011 } })
  })
})

test('pipeThrough: what the peer answers to the last message still comes', async () => {
  const { socket } = await pairOf({}, { handlers: { message: (peer, data) => void peer.send(data) } })
  const seen: unknown[] = []
  for await (const message of ReadableStream.from(['a', 'b', 'c']).pipeThrough(socket)) seen.push(message)
  expect(seen).toEqual(['a', 'b', 'c'])
})
