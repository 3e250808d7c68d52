// A connection as a Duplex of Node: what is read and written, backpressure both ways, and every way in which it ends.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type Duplex, PassThrough, Readable, Transform } from 'node:stream'
import { buffer, text as textOf } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createWebSocketStream, type WebSocketStreamOptions } from '../../src/node/node-stream.ts'
import { WINDOW_SIZE } from '../../src/node/window.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { collect, connected, type Setup, TRANSPORTS, uncaught, withPeer } from './support/connections.ts'

async function pairOf(client: Setup = {}, server: Setup = {}) {
  const ends = await connected(undefined, { client, server })
  onTestFinished(ends.dispose)
  return ends
}

/** A stream of ours, and the connection at its other end. */
async function streamed(options?: WebSocketStreamOptions, client: Setup = {}, server: Setup = {}) {
  const ends = await pairOf(client, server)
  return { stream: quiet(createWebSocketStream(ends.client, options)), connection: ends.client, peer: ends.server }
}

async function raw(setup: Setup = {}) {
  const made = await withPeer('server', setup)
  onTestFinished(made.dispose)
  return { ...made, stream: quiet(createWebSocketStream(made.socket)) }
}

/** Tests end by destroying what they opened. */
function quiet(stream: Duplex): Duplex {
  return stream.on('error', () => {})
}

const text = (payload: string) => frame({ opcode: 1, payload, key: SAMPLE_KEY })
const CLOSE_1000 = frame({ opcode: 8, payload: Buffer.from([3, 232]), key: SAMPLE_KEY })

/** The names of the events that tell of a stream's end, in their order. */
function endOf(stream: Duplex): string[] {
  const events: string[] = []
  for (const name of ['end', 'finish', 'close']) stream.on(name, () => events.push(name))
  stream.on('error', (error: { code?: string }) => events.push(`error ${error.code}`))
  return events
}

/** Resolves once nothing more is heard of a stream. */
async function closed(stream: Duplex): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.on('close', resolve))
  await new Promise(setImmediate)
}

describe.each(TRANSPORTS)('over $name', ({ pair }) => {
  test.each(['client', 'server'] as const)('at the %s: megabytes through pipelines, both ways', async (end) => {
    const ends = await connected(pair)
    onTestFinished(ends.dispose)
    const other = end === 'client' ? 'server' : 'client'
    const chunks = Array.from({ length: 300 }, (_, index) => Buffer.alloc(1 + 61 * index, index))
    const near = quiet(createWebSocketStream(ends[end]))
    const far = quiet(createWebSocketStream(ends[other]))
    void pipeline(far, new PassThrough(), far).catch(() => {}) // an echo
    const received: Buffer[] = []
    let size = 0
    const whole = Buffer.concat(chunks)
    const all = new Promise<void>((resolve) => {
      near.on('data', (chunk: Buffer) => {
        received.push(chunk)
        size += chunk.length
        if (size === whole.length) resolve()
      })
    })
    for (const chunk of chunks) if (!near.write(chunk)) await once(near, 'drain')
    await all
    near.end()
    await finished(near)
    expect(Buffer.concat(received).equals(whole)).toBe(true)
  })
})

describe('reading', () => {
  test('bytes by default, text as its UTF-8; an empty message is nothing', async () => {
    const { stream, peer } = await streamed()
    for (const data of ['ü', '', Buffer.from([1, 2]), 'b']) peer.send(data)
    void peer.close(1000)
    expect(await buffer(stream)).toEqual(Buffer.from([0xc3, 0xbc, 1, 2, 0x62]))
  })

  test('object mode: each message a chunk, text a string, empty ones too', async () => {
    const { stream, peer } = await streamed({ objectMode: true })
    const sent = ['ü', '', Buffer.from([1, 2]), Buffer.alloc(0), 'b']
    for (const data of sent) peer.send(data)
    void peer.close(1000)
    const seen: unknown[] = []
    for await (const chunk of stream) seen.push(chunk)
    expect(seen).toEqual(sent)
  })

  test('setEncoding: a character that two messages share is whole', async () => {
    const { stream, peer } = await streamed()
    stream.setEncoding('utf8')
    peer.send(Buffer.from([0xc3]))
    peer.send(Buffer.from([0xbc]))
    void peer.close(1000)
    expect(await textOf(stream)).toBe('ü')
  })

  test('what came before the stream was made, and before anybody read it', async () => {
    const { client, server } = await pairOf()
    server.send('early')
    await client.ping()
    const stream = quiet(createWebSocketStream(client))
    server.send('late')
    void server.close(1000)
    await client.closed
    await new Promise(setImmediate)
    expect(await textOf(stream)).toBe('earlylate')
  })

  test('one who does not read holds the peer back, and gets everything', async () => {
    const { stream, connection, peer } = await streamed({}, { maxReadAhead: 64 * 1024 }, { maxBackpressure: 2 ** 30 })
    const count = 1000
    for (let index = 0; index < count; index++) peer.send(Buffer.alloc(16 * 1024, index))
    let size = 0
    for await (const chunk of stream) {
      size += (chunk as Buffer).length
      // What was read is what was taken, the read-ahead, one message here, and at most two chunks of the transport.
      expect(connection.stats().bytesIn - size).toBeLessThan(64 * 1024 + 16 * 1024 + WINDOW_SIZE + 8 * count)
      if (size === count * 16 * 1024) break
    }
    expect(size).toBe(count * 16 * 1024)
  })

  test('a connection has one consumer', async () => {
    const { client, server } = await pairOf({ handlers: { message() {} } })
    expect(() => createWebSocketStream(client)).toThrow('handlers are in use')
    quiet(createWebSocketStream(server))
    expect(() => createWebSocketStream(server)).toThrow('an iterator is in use already')
    expect(() => server.on('message', () => {})).toThrow('iterator are in use')
  })

  test('an exception in a listener surfaces as an uncaught one', async () => {
    const { stream, peer } = await streamed()
    stream.on('data', () => {
      throw new Error('listener failed')
    })
    expect(await uncaught(() => peer.send('x'))).toMatchObject({ message: 'listener failed' })
  })
})

describe('writing', () => {
  test('a chunk is a message: strings are text, all else is binary', async () => {
    const { stream, peer } = await streamed()
    const received = collect(peer, 5)
    stream.cork() // does not join them
    stream.write('text')
    stream.write('6869', 'hex')
    stream.write(Buffer.from('bytes'))
    stream.write('utf-8', 'utf-8')
    stream.uncork()
    stream.write(new Uint8Array([1]))
    expect(await received).toEqual(['text', Buffer.from('hi'), Buffer.from('bytes'), 'utf-8', Buffer.from([1])])
  })

  test('object mode', async () => {
    const { stream, peer } = await streamed({ objectMode: true })
    const received = collect(peer, 3)
    for (const chunk of ['text', '', new DataView(new ArrayBuffer(2))]) stream.write(chunk)
    expect(await received).toEqual(['text', '', Buffer.alloc(2)])
  })

  test('the memory of a chunk is the writer’s again when it is told so', async () => {
    const { stream, peer } = await streamed()
    const received = collect(peer, 20)
    const memory = Buffer.alloc(100_000)
    for (let index = 0; index < 20; index++) {
      memory.fill(index)
      await new Promise((resolve) => stream.write(memory, resolve))
    }
    const messages = (await received) as Buffer[]
    expect(messages.map((message, index) => message.equals(Buffer.alloc(100_000, index)))).toEqual(Array(20).fill(true))
  })

  test('a peer that does not read holds the writer back; drain comes when it reads', async () => {
    const { stream, connection, peer } = await streamed({}, { maxBackpressure: 1024 * 1024 })
    stream.resume()
    peer.pause()
    let sent = 0
    const write = (size: number) => {
      sent += size
      return stream.write(Buffer.alloc(size))
    }
    for (let turn = 0; turn < 10_000 && connection.bufferedAmount <= 64 * 1024; turn++) {
      write(32 * 1024)
      await new Promise(setImmediate)
    }
    while (write(1024));
    expect(connection.readyState).toBe(1)
    const drained = once(stream, 'drain')
    let received = 0
    peer.on('message', (data) => {
      received += data.length
    })
    peer.resume()
    await drained
    stream.end()
    await closed(stream)
    expect(received).toBe(sent)
  })

  test('others that send too do not make it lose anything', async () => {
    const { stream, connection, peer } = await streamed({}, { maxBackpressure: 1, slowConsumer: 'drop' })
    stream.resume()
    peer.pause()
    while (connection.send(Buffer.alloc(256 * 1024)));
    const wrote = new Promise((resolve) => stream.write('not lost', resolve))
    const seen: unknown[] = []
    peer.on('message', (data) => seen.push(data.length))
    peer.resume()
    await wrote
    stream.end()
    await peer.closed
    expect(seen.at(-1)).toBe('not lost'.length)
    expect(connection.stats().dropped).toBe(0)
  })

  test('behind a message in parts it waits its turn', async () => {
    const { stream, connection, peer } = await streamed()
    const received = collect(peer, 2)
    const source = new PassThrough()
    const sent = connection.sendStream(source)
    source.write('first')
    const wrote = new Promise((resolve) => stream.write('second', resolve))
    source.end()
    await Promise.all([sent, wrote])
    expect((await received).map(String)).toEqual(['first', 'second'])
  })

  test('what cannot be sent is an error', async () => {
    const { stream, peer } = await streamed({ objectMode: true })
    const events = endOf(stream)
    stream.write({ a: 1 })
    await closed(stream)
    expect(events).toEqual(['error USAGE', 'close'])
    expect((await peer.closed).code).toBe(1006)
  })
})

describe('the end', () => {
  test('end() closes with 1000 when all has been written; finish, end and close come once each', async () => {
    const { stream, peer } = await streamed()
    const events = endOf(stream)
    const received = collect(peer, 2)
    stream.resume()
    stream.write('a')
    stream.end('b')
    expect(await received).toEqual(['a', 'b'])
    expect(await peer.closed).toMatchObject({ code: 1000, wasClean: true, initiator: 'remote' })
    await closed(stream)
    expect(events.sort()).toEqual(['close', 'end', 'finish'])
  })

  test('what is on its way when end() is called still arrives', async () => {
    const { stream, socket, peer } = await raw({ maxReadAhead: 1 })
    const read = textOf(stream)
    stream.end('last')
    expect(await peer.read(6 + 4)).toBe(`8104${Buffer.from('last').toString('hex')}880203e8`)
    peer.write(text('a'), text('b'), text('c'), CLOSE_1000)
    peer.stream.end()
    expect(await read).toBe('abc')
    expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true })
  })

  test('the closing handshake waits for a reader who is slow: its timer stands still', async () => {
    const { stream, socket, peer } = await raw({ maxReadAhead: 1 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    stream.end()
    peer.write(text('a'), text('b'), text('c'), CLOSE_1000)
    peer.stream.end()
    while (socket.stats().messagesIn < 2) await new Promise(setImmediate)
    vi.advanceTimersByTime(60_000)
    expect(socket.readyState).toBe(2)
    expect(await textOf(stream)).toBe('abc')
    expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true })
  })

  test.each([
    ['1000', 1000],
    ['no code', undefined],
  ])('the peer closes with %s: end, and our side ends too', async (_name, code) => {
    const { stream, peer } = await streamed()
    const events = endOf(stream)
    const seen: string[] = []
    stream.on('data', (chunk: Buffer) => seen.push(String(chunk)))
    peer.send('last')
    void peer.close(code)
    await closed(stream)
    expect([seen, events]).toEqual([['last'], ['end', 'finish', 'close']])
  })

  test.each([1001, 1011, 4000])('the peer closes with %i: an error, after the last message', async (code) => {
    const { stream, peer } = await streamed()
    const events = endOf(stream)
    peer.send('a')
    peer.send('b')
    void peer.close(code, 'because')
    await peer.closed
    const seen: string[] = []
    const read = async () => {
      for await (const chunk of stream) seen.push(String(chunk))
    }
    await expect(read()).rejects.toMatchObject({
      code: 'CLOSED_WITH_ERROR',
      message: `the connection was closed with code ${code}: because`,
      cause: { code, reason: 'because', wasClean: true, initiator: 'remote' },
    })
    expect(seen).toEqual(['a', 'b'])
    expect(events).toEqual(['error CLOSED_WITH_ERROR', 'close'])
  })

  test('the connection is lost: an error, after the last message, also for one who reads slowly', async () => {
    const { stream, socket, peer } = await raw()
    const events = endOf(stream)
    peer.write(text('a'), text('b'), text('c'))
    const seen: string[] = []
    const readable = once(stream, 'readable')
    await readable
    ;(peer.stream as Socket).resetAndDestroy()
    const info = await socket.closed
    const read = async () => {
      for await (const chunk of stream) {
        seen.push(String(chunk))
        await new Promise(setImmediate)
      }
    }
    await expect(read()).rejects.toBe(info.cause)
    expect(seen.join('')).toBe('abc')
    expect(events).toEqual(['error CONNECTION_LOST', 'close'])
  })

  test('the connection is lost, and nobody reads: an error all the same', async () => {
    const { stream, peer } = await streamed()
    const events = endOf(stream)
    peer.terminate()
    await closed(stream)
    expect(events).toEqual(['error CONNECTION_LOST', 'close'])
  })

  test('the peer breaks a rule: the error says which', async () => {
    const { stream, peer } = await raw()
    const events = endOf(stream)
    peer.write('ff80')
    peer.stream.resume()
    peer.stream.on('end', () => peer.stream.end())
    await closed(stream)
    expect(events).toEqual(['error RESERVED_BITS', 'close'])
  })

  test('writes that cannot leave any more are an error: how the connection ended', async () => {
    const { stream, peer } = await streamed()
    const events = endOf(stream)
    const wrote = new Promise((resolve) => {
      peer.terminate()
      const write = () =>
        stream.write('x', (error) => {
          if (error) resolve(error)
          else setImmediate(write)
        })
      write()
    })
    expect(await wrote).toMatchObject({ code: expect.stringMatching(/^(CONNECTION_LOST|ERR_STREAM_DESTROYED)$/) })
    await closed(stream)
    expect(events).toEqual(['error CONNECTION_LOST', 'close'])
  })

  test('a peer that closes properly while something is still to be written: that is an error too', async () => {
    const { stream, socket, peer } = await raw()
    const events = endOf(stream)
    const sent = socket.sendStream(new PassThrough())
    stream.write('waits behind it')
    peer.write(CLOSE_1000)
    peer.stream.resume()
    peer.stream.on('end', () => peer.stream.end())
    await closed(stream)
    expect(events).toEqual(['error NOT_OPEN', 'close'])
    await expect(sent).rejects.toMatchObject({ code: 'NOT_OPEN' })
  })

  test('terminate() of the connection is an error; close() is an end if its code says so', async () => {
    const first = await streamed()
    const events = endOf(first.stream)
    first.connection.terminate()
    await closed(first.stream)
    expect(events).toEqual(['error TERMINATED', 'close'])
    const second = await streamed()
    const others = endOf(second.stream)
    second.stream.resume()
    void second.connection.close(1000)
    await closed(second.stream)
    expect(others).toEqual(['end', 'finish', 'close'])
  })

  test('destroy() terminates; close comes when the connection is over', async () => {
    const { stream, connection, peer } = await streamed()
    const events = endOf(stream)
    stream.destroy()
    await closed(stream)
    expect(connection.readyState).toBe(3)
    expect((await connection.closed).cause?.code).toBe('TERMINATED')
    expect((await peer.closed).code).toBe(1006)
    expect(events).toEqual(['close'])
  })

  test('destroy(error) is that error, here and as the cause of the close info', async () => {
    const { stream, connection } = await streamed()
    const failed = once(stream, 'close').catch((error: unknown) => error)
    const error = new Error('no longer wanted')
    stream.destroy(error)
    expect(await failed).toBe(error)
    expect((await connection.closed).cause).toMatchObject({ code: 'ABORTED', cause: error })
  })

  test('a loop over the stream that is left terminates the connection', async () => {
    const { stream, peer } = await streamed()
    peer.send('a')
    peer.send('b')
    for await (const chunk of stream) {
      expect(String(chunk)).toBe('a')
      break
    }
    expect((await peer.closed).code).toBe(1006)
  })

  test('a pipeline whose source fails: the peer learns that it did not get all', async () => {
    const { stream, peer } = await streamed()
    async function* failing() {
      yield 'a'
      throw new Error('disk')
    }
    await expect(pipeline(Readable.from(failing()), stream)).rejects.toThrow('disk')
    expect((await peer.closed).code).toBe(1006)
  })

  test('a pipeline from the stream whose destination fails ends the connection', async () => {
    const { stream, peer } = await streamed()
    const failing = new Transform({
      transform(_chunk, _encoding, callback) {
        callback(new Error('full'))
      },
    })
    const piped = pipeline(stream, failing)
    peer.send('a')
    await expect(piped).rejects.toThrow('full')
    expect((await peer.closed).code).toBe(1006)
  })
})
