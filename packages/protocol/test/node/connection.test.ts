// A connection's rules for its application, one by one: consumers, sending, and what happens when either side is at fault.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import type { WebSocketConnection } from '../../src/node/connection.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { collect, connected, type Setup, uncaught, withPeer } from './support/connections.ts'

async function pairOf(client: Setup = {}, server: Setup = {}) {
  const ends = await connected(undefined, { client, server })
  onTestFinished(ends.dispose)
  return ends
}

async function server(setup: Setup = {}) {
  const made = await withPeer('server', setup)
  onTestFinished(made.dispose)
  return made
}

const text = (payload: string) => frame({ opcode: 1, payload, key: SAMPLE_KEY })
const ping = (payload = '') => frame({ opcode: 9, payload, key: SAMPLE_KEY })
const closeFrame = (payload: Uint8Array = Buffer.from([3, 232])) => frame({ opcode: 8, payload, key: SAMPLE_KEY })

describe('one consumer', () => {
  test('handlers exclude listeners and iterators', async () => {
    const { client } = await pairOf({ handlers: { message() {} } })
    expect(() => client.on('message', () => {})).toThrow(
      'a connection has one consumer of messages: handlers are in use, so listeners cannot be added',
    )
    expect(() => client[Symbol.asyncIterator]()).toThrow(UsageError)
  })

  test('listeners exclude iterators, and free their place when the last is removed', async () => {
    const { client } = await pairOf()
    const listener = () => {}
    client.on('message', listener)
    client.addListener('message', listener)
    expect(() => client[Symbol.asyncIterator]()).toThrow(UsageError)
    client.off('message', listener)
    expect(() => client[Symbol.asyncIterator]()).toThrow(UsageError)
    client.off('message', listener)
    const iterator = client[Symbol.asyncIterator]()
    expect(() => client[Symbol.asyncIterator]()).toThrow(
      'a connection has one consumer of messages: an iterator is in use already',
    )
    await iterator.return?.()
    client.prependListener('message', listener)
    client.removeAllListeners('message')
    expect(client[Symbol.asyncIterator]()).toBeDefined()
  })

  test('removeAllListeners() takes them all, and frees the place of message listeners', async () => {
    const { client } = await pairOf()
    client.on('message', () => {})
    client.on('close', () => {})
    client.removeAllListeners()
    expect([client.listenerCount('message'), client.listenerCount('close')]).toEqual([0, 0])
    expect(client[Symbol.asyncIterator]()).toBeDefined()
  })

  test('a listener that Node refuses is no consumer: nothing is lost on it', async () => {
    const { client, server } = await pairOf()
    expect(() => client.on('message', undefined as never)).toThrow('The "listener" argument must be of type function')
    expect(() => client.prependListener('message', 7 as never)).toThrow(TypeError)
    server.send('kept')
    for await (const message of client) {
      expect(message).toBe('kept')
      break
    }
  })

  test('an iterator that ends early detaches: the connection stays open, the next consumer goes on', async () => {
    const { client, server } = await pairOf()
    for (const data of ['a', 'b', 'c']) server.send(data)
    for await (const message of client) {
      expect(message).toBe('a')
      break
    }
    expect(client.readyState).toBe(1)
    expect(await collect(client, 2)).toEqual(['b', 'c'])
  })

  test('an iterator that waits ends when it is returned or the connection ends', async () => {
    const { client } = await pairOf()
    const first = client[Symbol.asyncIterator]()
    const waiting = first.next()
    await first.return?.()
    await first.return?.()
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(await first.next()).toEqual({ value: undefined, done: true })
    const second = client[Symbol.asyncIterator]()
    const alsoWaiting = [second.next(), second.next()]
    client.terminate()
    expect(await Promise.all(alsoWaiting)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ])
  })

  test('resume() without a consumer discards; a listener afterwards gets what comes then', async () => {
    const { client, server } = await pairOf()
    server.send('unwanted')
    client.resume()
    await server.ping()
    server.send('unwanted, too')
    await server.ping()
    const wanted = once(client, 'message')
    server.send('wanted')
    expect((await wanted)[0]).toBe('wanted')
    expect(client.stats().messagesIn).toBe(3)
  })

  test("incoming: 'discard' never stalls, whatever comes", async () => {
    const { client, server } = await pairOf({ incoming: 'discard', maxReadAhead: 1024 })
    for (let count = 0; count < 500; count++) server.send(Buffer.alloc(4096))
    await server.ping()
    expect(client.stats().messagesIn).toBe(500)
  })

  test('a message handler is called with its handlers object as this', async () => {
    const seen: unknown[] = []
    const handlers = {
      name: 'mine',
      message(this: { name: string }, _: unknown, data: unknown) {
        seen.push(this.name, data)
      },
    }
    const { server } = await pairOf({ handlers })
    server.send('x')
    await server.ping()
    expect(seen).toEqual(['mine', 'x'])
  })

  test('open that returns a promise holds messages back until it settles', async () => {
    const log: unknown[] = []
    let ready: (() => void) | undefined
    const { server } = await pairOf({
      handlers: {
        open: () =>
          new Promise<void>((resolve) => {
            ready = resolve
          }),
        message: (_, data) => {
          log.push(data)
        },
      },
    })
    server.send('a')
    await server.ping()
    expect(log).toEqual([])
    ready?.()
    await server.ping()
    expect(log).toEqual(['a'])
  })

  test('concurrency: so many messages are with the handler at once, and no more', async () => {
    let running = 0
    let most = 0
    const { server, client } = await pairOf({
      concurrency: 3,
      handlers: {
        async message() {
          most = Math.max(most, ++running)
          await new Promise(setImmediate)
          running--
        },
      },
    })
    for (let count = 0; count < 20; count++) server.send('x')
    await server.close(1000)
    await once(client, 'close')
    expect([most, running, client.stats().messagesIn]).toEqual([3, 0, 20])
  })

  test('close waits for a handler that is still at work; closed does not', async () => {
    const log: string[] = []
    let finish: (() => void) | undefined
    const { client, server } = await pairOf({
      handlers: {
        message: () =>
          new Promise<void>((resolve) => {
            finish = resolve
          }),
        close: (_, info) => {
          log.push(`handler ${info.code}`)
        },
      },
    })
    server.send('x')
    await server.close(1000)
    await client.closed
    expect(log).toEqual([])
    const event = once(client, 'close')
    finish?.()
    await event
    expect(log).toEqual(['handler 1000'])
  })
})

describe('pausing', () => {
  test('a pause after the end, with a handler still at work, does not swallow the close event', async () => {
    let release = () => {}
    const closed = vi.fn()
    const { socket, peer } = await server({
      handlers: {
        message: () =>
          new Promise<void>((resolve) => {
            release = resolve
          }),
        close: closed,
      },
    })
    peer.write(text('a'), text('b'))
    peer.stream.end()
    await socket.closed
    expect(closed).not.toHaveBeenCalled()
    socket.pause()
    release()
    await new Promise((resolve) => socket.on('close', resolve))
    expect(closed).toHaveBeenCalledTimes(1)
  })

  test('a paused connection delivers nothing and still answers pings within the read-ahead', async () => {
    const seen: unknown[] = []
    const { client, server } = await pairOf({ handlers: { message: (_, data) => void seen.push(data) } })
    client.pause()
    server.send('a')
    await server.ping()
    expect(seen).toEqual([])
    client.resume()
    expect(seen).toEqual(['a'])
  })

  test('past the read-ahead the peer waits; nothing is lost on resuming', async () => {
    const seen: string[] = []
    const { client, server } = await pairOf(
      { maxReadAhead: 4096, handlers: { message: (_, data) => void seen.push(String(data)) } },
      { maxBackpressure: 64 * 1024 * 1024 },
    )
    client.pause()
    for (let count = 0; count < 3000; count++) server.send(String(count).padStart(4096, ' '))
    expect(server.bufferedAmount).toBeGreaterThan(64 * 1024)
    client.resume()
    await server.close(1000)
    await client.closed
    expect(seen.map(Number)).toEqual(Array.from({ length: 3000 }, (_, index) => index))
  })

  test('a peer that resets while we stall: what had been read is delivered', async () => {
    const { socket, peer } = await server({ maxReadAhead: 1 })
    peer.write(text('a'), text('b'), text('c'))
    await until(() => socket.stats().bytesIn === 21)
    peer.stream.destroy()
    const seen: unknown[] = []
    for await (const message of socket) seen.push(message)
    expect(seen).toEqual(['a', 'b', 'c'])
    expect((await socket.closed).code).toBe(1006)
  })

  test('a local close discards what was not delivered and reads on to the peer’s Close', async () => {
    const { client, server } = await pairOf({ maxReadAhead: 1024 })
    const seen: unknown[] = []
    client.pause()
    client.on('message', (data) => seen.push(data))
    for (let count = 0; count < 100; count++) server.send(Buffer.alloc(4096))
    expect((await client.close(4000)).wasClean).toBe(true)
    client.resume()
    expect(seen).toEqual([])
  })
})

describe('sending', () => {
  test('every kind of data', async () => {
    const { client, server } = await pairOf()
    const memory = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])
    const received = collect(server, 9)
    client.send('text')
    client.send(memory.buffer)
    client.send(memory.subarray(2, 4))
    client.send(new DataView(memory.buffer, 4, 2))
    client.send(new Float64Array(memory.buffer, 0, 1))
    client.send(new Blob(['blob']))
    client.send('text as bytes', { binary: true })
    client.send(Buffer.from('bytes as text'), { binary: false })
    client.send(Buffer.alloc(50_000, 1), { copy: true })
    const messages = await received
    expect(messages.slice(0, 8)).toEqual([
      'text',
      Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]),
      Buffer.from([3, 4]),
      Buffer.from([5, 6]),
      Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]),
      Buffer.from('blob'),
      Buffer.from('text as bytes'),
      'bytes as text',
    ])
    expect((messages[8] as Buffer).length).toBe(50_000)
  })

  test.each([
    [42, 'data to send must be a string, an ArrayBuffer, a typed array, a DataView or a Blob; got 42'],
    [null, 'data to send must be a string, an ArrayBuffer, a typed array, a DataView or a Blob; got null'],
    [{ a: 1 }, 'data to send must be a string, an ArrayBuffer, a typed array, a DataView or a Blob; got an object'],
    [
      [1],
      'data to send must be a string, an ArrayBuffer, a typed array, a DataView or a Blob; got an instance of Array',
    ],
  ])('%j is refused', async (data, message) => {
    const { client } = await pairOf()
    expect(() => client.send(data as never)).toThrow(new UsageError(message))
  })

  test('bytes sent as text must be UTF-8', async () => {
    const { client } = await pairOf()
    expect(() => client.send(Buffer.from([0xff]), { binary: false })).toThrow('must be valid UTF-8')
    client.send(new Blob(['first']))
    expect(() => client.send(Buffer.from([0xff]), { binary: false })).toThrow('must be valid UTF-8')
    const error = await new Promise<Error | undefined>((resolve) => {
      client.send(new Blob([Uint8Array.of(0xff)]), { binary: false, onFlushed: resolve })
    })
    expect(error).toMatchObject({ code: 'HANDLER_FAILED' })
    expect((await client.closed).code).toBe(1011)
  })

  test('copy: the message is as it was at the call', async () => {
    const { client, server } = await pairOf()
    const received = once(client, 'message')
    const bytes = Buffer.alloc(100_000, 1)
    server.send(bytes, { copy: true })
    bytes.fill(2)
    expect((await received)[0].equals(Buffer.alloc(100_000, 1))).toBe(true)
  })

  test('[I7] a Blob keeps its place, also before a close', async () => {
    const { client, server } = await pairOf()
    const seen: string[] = []
    server.on('message', (data) => seen.push(String(data)))
    client.send('1')
    client.send(new Blob(['2']))
    client.send('3')
    client.send(new Blob(['4']))
    expect(client.bufferedAmount).toBeGreaterThan(0)
    const closed = client.close(1000)
    expect([client.readyState, client.send('late')]).toEqual([2, false])
    expect(() => client.close(1)).toThrow(UsageError)
    void client.close()
    expect((await closed).wasClean).toBe(true)
    expect(seen).toEqual(['1', '2', '3', '4'])
  })

  test('a close that waits for a Blob checks its arguments at once, by the rules of this end', async () => {
    const { client, server } = await pairOf()
    server.send(new Blob(['first']))
    expect(() => server.close(1010)).toThrow(
      'close code must be another one: only a client sends 1010 (RFC 6455 §7.4.1); got 1010',
    )
    expect(server.readyState).toBe(1)
    expect(await collect(client, 1)).toEqual([Buffer.from('first')])
  })

  test('while a close waits for a Blob, what comes is discarded, and the peer’s Close is read', async () => {
    const { socket, peer } = await server({ maxReadAhead: 1 })
    const blob = new Blob(['x'])
    let read = () => {}
    blob.arrayBuffer = () =>
      new Promise((resolve) => {
        read = () => resolve(new ArrayBuffer(1))
      })
    socket.send(blob)
    const end = socket.close(1000)
    peer.write(text('too late'), ping())
    expect(await peer.read(2)).toBe('8a00')
    read()
    expect(await peer.read(7)).toBe('820100880203e8')
    peer.write(closeFrame())
    peer.stream.end()
    expect(await end).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
    expect(socket.stats().messagesIn).toBe(0)
  })

  test('once the peer has ended its side of TCP, send returns false: ours is ended too', async () => {
    const { socket, peer } = await server()
    socket.send(Buffer.alloc(8_000_000)) // more than the kernel takes: the end of our side waits behind it
    peer.stream.end()
    const dropped = new Promise<Error | undefined>((resolve) => {
      const send = () => {
        socket.send('late', { onFlushed: resolve })
        if (socket.stats().dropped === 0) setImmediate(send)
      }
      send()
    })
    expect((await dropped)?.message).toBe('not sent: the connection is not open')
    expect([socket.readyState, socket.send('late')]).toEqual([1, false])
    socket.terminate()
  })

  test('callbacks of one long write take no more time each when there are a hundred thousand', async () => {
    /** CPU time, in ms, from when the write begins to leave until the last is called. */
    const time = async (count: number): Promise<number> => {
      const { socket, peer } = await server({ maxBackpressure: 100_000_000 })
      socket.send(Buffer.alloc(8_000_000))
      let called = 0
      const all = new Promise<void>((resolve) => {
        const onFlushed = (): void => {
          if (++called === count) resolve()
        }
        for (let sent = 0; sent < count; sent++) socket.send('', { onFlushed })
      })
      peer.stream.resume()
      const { user } = process.cpuUsage()
      await all
      return (process.cpuUsage().user - user) / 1000
    }
    // An array's shift() would take a hundred times as long, and seconds.
    expect(await time(100_000)).toBeLessThan(30 * Math.max(await time(10_000), 10))
  })

  test('what waits behind a Blob is cancelled when the connection goes', async () => {
    const { client } = await pairOf()
    const errors: unknown[] = []
    const flushed = (error?: Error) => errors.push(error?.message)
    client.send(new Blob(['1']), { onFlushed: flushed })
    client.send('2', { onFlushed: flushed })
    client.terminate()
    await client.closed
    await new Promise(setImmediate)
    expect(errors).toHaveLength(2)
    expect(client.stats().dropped).toBe(2)
  })

  test('[L8] after close, send returns false, counts, and tells onFlushed', async () => {
    const { client } = await pairOf()
    const closed = client.close(1000)
    const error = await new Promise<Error | undefined>((resolve) => {
      expect(client.send('late', { onFlushed: resolve })).toBe(false)
    })
    expect(error?.message).toBe('not sent: the connection is not open')
    await closed
    expect(client.send('later')).toBe(false)
    expect(client.stats()).toMatchObject({ dropped: 2, messagesOut: 0 })
  })

  test('onFlushed learns that the connection went before the bytes left', async () => {
    const { socket, peer } = await server()
    peer.stream.pause()
    while (socket.send(Buffer.alloc(256 * 1024)));
    const error = new Promise<Error | undefined>((resolve) => {
      socket.send('never arrives', { onFlushed: resolve })
    })
    const drained = socket.drained()
    socket.terminate()
    expect((await error)?.message).toBe('the connection ended before everything was sent')
    await expect(drained).rejects.toMatchObject({ code: 'NOT_OPEN' })
  })

  test("slowConsumer 'close': past maxBackpressure the connection ends, by us, with its cause", async () => {
    const { socket, peer } = await server({ maxBackpressure: 1024 * 1024 })
    peer.stream.pause()
    for (let count = 0; count < 1000 && socket.readyState === 1; count++) {
      socket.send(Buffer.alloc(256 * 1024))
      await new Promise(setImmediate)
    }
    expect(await socket.closed).toMatchObject({
      code: 1006,
      wasClean: false,
      initiator: 'local',
      cause: { code: 'SLOW_CONSUMER' },
    })
  })

  test("slowConsumer 'drop': whole new messages are dropped, what was accepted arrives, drain comes", async () => {
    const { client, server } = await pairOf({}, { maxBackpressure: 1024 * 1024, slowConsumer: 'drop' })
    client.pause()
    let accepted = 0
    while (server.stats().dropped < 3) {
      const before = server.stats().messagesOut
      server.send(Buffer.alloc(256 * 1024, accepted))
      accepted += server.stats().messagesOut - before
    }
    const drained = once(server, 'drain')
    let received = 0
    client.on('message', (data) => {
      if (!(data as Buffer).equals(Buffer.alloc(256 * 1024, received++))) throw new Error('wrong message')
    })
    client.resume()
    await drained
    await server.close(1000)
    await client.closed
    expect(received).toBe(accepted)
  })

  test('drained and ping follow their signal', async () => {
    const { socket, peer } = await server()
    peer.stream.pause()
    while (socket.send(Buffer.alloc(256 * 1024)));
    const abort = new AbortController()
    const drained = socket.drained({ signal: abort.signal })
    const pinged = socket.ping('x', { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(drained).rejects.toThrow('enough')
    await expect(pinged).rejects.toThrow('enough')
    await expect(socket.drained({ signal: abort.signal })).rejects.toThrow('enough')
    await expect(socket.ping('x', { signal: abort.signal })).rejects.toThrow('enough')
  })

  test('ping: 125 bytes at most; rejects when the connection ends, and ignoring that is no fault', async () => {
    const { client, server } = await pairOf()
    expect(() => client.ping('x'.repeat(126))).toThrow(
      'length of a ping or pong payload must be at most 125 bytes (RFC 6455 §5.5); got 126',
    )
    void client.ping()
    const pinged = client.ping()
    client.terminate()
    await expect(pinged).rejects.toThrow('the connection ended with code 1006')
    await expect(client.ping()).rejects.toThrow('cannot ping: the connection is not open')
    await expect(client.drained()).rejects.toThrow('the connection is over')
    await server.closed
  })

  test('an ended signal of a ping that was answered leaves no listener', async () => {
    const { client } = await pairOf()
    const abort = new AbortController()
    await client.ping('x', { signal: abort.signal })
    abort.abort()
    expect(client.readyState).toBe(1)
  })

  test('the pong to the latest ping answers those before it', async () => {
    const { socket, peer } = await server()
    const both = Promise.all([socket.ping('1'), socket.ping('2')])
    expect(await peer.read(6)).toBe('890131890132')
    peer.write(
      frame({ opcode: 10, payload: 'unasked', key: SAMPLE_KEY }),
      frame({ opcode: 10, payload: '2', key: SAMPLE_KEY }),
    )
    expect(await both).toHaveLength(2)
  })
})

describe('faults of the application', () => {
  test('an exception in a handler surfaces, the chunk is finished and the connection goes on', async () => {
    const { socket, peer } = await server({
      handlers: {
        message(ws, data) {
          ws.send(`got ${data}`)
          if (data === 'bad') throw new Error('handler failed')
        },
      },
    })
    const error = await uncaught(() => peer.write(text('a'), text('bad'), text('b')))
    expect((error as Error).message).toBe('handler failed')
    expect(await peer.read(7 + 9 + 7)).toBe(
      Buffer.concat([
        frame({ opcode: 1, payload: 'got a' }),
        frame({ opcode: 1, payload: 'got bad' }),
        frame({ opcode: 1, payload: 'got b' }),
      ]).toString('hex'),
    )
    expect(socket.readyState).toBe(1)
  })

  test('an exception in a listener surfaces and nothing else happens', async () => {
    const { client, server } = await pairOf()
    client.on('message', () => {
      throw new Error('listener failed')
    })
    const error = await uncaught(() => server.send('x'))
    expect((error as Error).message).toBe('listener failed')
    await server.ping()
  })

  test('what only looks like a promise is a handler that failed', async () => {
    const { socket, peer } = await server({
      handlers: {
        message: () =>
          ({
            // biome-ignore lint/suspicious/noThenProperty: the point of this test
            then() {
              throw new Error('no promise')
            },
          }) as unknown as Promise<void>,
      },
    })
    const error = await uncaught(() => peer.write(text('a')))
    expect((error as Error).message).toBe('no promise')
    expect(await peer.read(18)).toBe(`881003f3${Buffer.from('internal error').toString('hex')}`)
    socket.terminate()
  })

  test('a rejected handler surfaces and closes with 1011', async () => {
    const { client, server } = await pairOf({ handlers: { message: () => Promise.reject(new Error('rejected')) } })
    const error = await uncaught(() => server.send('x'))
    expect((error as Error).message).toBe('rejected')
    expect((await server.closed).code).toBe(1011)
    expect(await client.closed).toMatchObject({ code: 1011, initiator: 'local', cause: { code: 'HANDLER_FAILED' } })
  })

  test('exceptions in open, drain, close, ping and pong listeners surface as well', async () => {
    const fail = (what: string) => () => {
      throw new Error(what)
    }
    const errors: string[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => errors.push(error.message))
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    })
    const { client, server } = await pairOf({
      handlers: { open: fail('open'), drain: fail('drain'), close: fail('close') },
    })
    client.on('ping', fail('ping'))
    client.on('pong', fail('pong'))
    client.on('close', fail('close event'))
    client.on('error', fail('error event'))
    await server.ping()
    await client.ping()
    server.resume()
    while (client.send(Buffer.alloc(64 * 1024)));
    await client.drained()
    client.terminate()
    await client.closed
    await new Promise(setImmediate)
    expect(errors.sort()).toEqual(['close', 'close event', 'drain', 'error event', 'open', 'ping', 'pong'])
  })

  test('send, close, ping and terminate from within a handler', async () => {
    const { client, server } = await pairOf({
      handlers: {
        message(ws, data) {
          void ws.ping()
          ws.send(data)
          if (data === 'close') void ws.close(4000)
          if (data === 'terminate') ws.terminate()
        },
      },
    })
    const echoed = collect(server, 2)
    server.send('a')
    server.send('close')
    server.send('ignored')
    expect(await echoed).toEqual(['a', 'close'])
    expect((await server.closed).code).toBe(4000)
    expect((await client.closed).wasClean).toBe(true)
    const second = await pairOf({ handlers: { message: (ws) => ws.terminate() } })
    second.server.send('terminate')
    expect((await second.client.closed).code).toBe(1006)
  })
})

describe('faults of the peer', () => {
  test('a violation: the messages before it, a Close with its code, then the end', async () => {
    const seen: unknown[] = []
    const { socket, peer } = await server({ handlers: { message: (_, data) => void seen.push(data) } })
    const errors: unknown[] = []
    socket.on('error', (error) => errors.push(error.code))
    peer.write(text('before'), 'ff80', text('after'))
    const reason = 'a reserved bit is set that no negotiated extension uses: first byte 0xff'
    const payload = Buffer.concat([Buffer.from([3, 234]), Buffer.from(reason)])
    expect(await peer.rest()).toBe(Buffer.from(frame({ opcode: 8, payload })).toString('hex'))
    peer.stream.end()
    expect(await socket.closed).toMatchObject({
      code: 1002,
      wasClean: false,
      initiator: 'local',
      cause: { code: 'RESERVED_BITS', offset: 13 },
    })
    expect(seen).toEqual(['before'])
    expect(errors).toEqual(['RESERVED_BITS'])
  })

  test('[G10] a frame that is too large is refused on its header', async () => {
    const { socket, peer } = await server({ maxPayload: 1000 })
    peer.write('82fe03e9')
    expect((await peer.rest()).slice(4, 8)).toBe('03f1')
    peer.stream.end()
    expect((await socket.closed).code).toBe(1009)
  })

  test('[L15] a message that is refused while it is sent: our side ends once the peer pauses', async () => {
    const { socket, peer } = await server({ maxPayload: 1000 })
    const refused = once(peer.stream, 'data')
    peer.write(Buffer.from('82ff0000000001000000', 'hex'))
    await refused
    const chunk = Buffer.alloc(64 * 1024)
    for (let sent = 0; sent < 256; sent++) await new Promise((left) => peer.stream.write(chunk, left))
    expect(peer.stream.readableEnded).toBe(false)
    await peer.rest()
    expect(socket.stats().bytesIn).toBe(10 + 256 * chunk.length)
    peer.stream.end()
    expect((await socket.closed).code).toBe(1009)
  })

  test('[L19] the end of TCP without Close is 1006, and we end our side', async () => {
    const { socket, peer } = await server()
    peer.stream.end()
    expect(await peer.rest()).toBe('')
    expect(await socket.closed).toMatchObject({
      code: 1006,
      initiator: 'transport',
      cause: { code: 'CONNECTION_LOST' },
    })
  })

  test('a frame cut short by the end of TCP is 1006', async () => {
    const { socket, peer } = await server()
    peer.stream.end(text('half').subarray(0, 7))
    expect((await socket.closed).code).toBe(1006)
  })

  test('[L11] the server ends TCP first, once both Close frames are through', async () => {
    const { socket, peer } = await server()
    peer.write(closeFrame())
    expect(await peer.rest()).toBe('880203e8') // read to the end: the server ended first
    expect(socket.readyState).toBe(2)
    peer.stream.end()
    expect(await socket.closed).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'remote' })
  })

  test('[L12] the client waits for the server to end TCP, and ends it itself after a time', async () => {
    const { socket, peer, dispose } = await withPeer('client', { closeTimeout: 30 })
    onTestFinished(dispose)
    const closed = socket.close(1000)
    await peer.read(8)
    peer.write('880203e8')
    expect(await closed).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
  })

  test('a peer that never answers our Close: 1006 after closeTimeout, with its cause', async () => {
    const { socket, peer } = await server({ closeTimeout: 30 })
    peer.stream.resume()
    expect(await socket.close(1000)).toMatchObject({
      code: 1006,
      wasClean: false,
      initiator: 'local',
      cause: { code: 'CLOSE_TIMEOUT', message: 'the connection did not close within 30 ms' },
    })
  })

  test('a close that makes progress is given time, one that makes none is not', async () => {
    const { socket, peer } = await server({ maxBackpressure: 256 * 1024 * 1024 })
    peer.stream.pause()
    while (socket.bufferedAmount < 32 * 1024 * 1024) socket.send(Buffer.alloc(64 * 1024))
    vi.useFakeTimers(CLOCK)
    const closed = socket.close(1000)
    for (let round = 0; round < 3; round++) {
      let taken = 0
      const take = (chunk: Buffer) => {
        taken += chunk.length
      }
      peer.stream.on('data', take)
      peer.stream.resume()
      await until(() => taken > 4 * 1024 * 1024)
      peer.stream.pause()
      peer.stream.off('data', take)
      vi.advanceTimersByTime(11_000)
      expect(socket.readyState).toBe(2)
    }
    await settled(socket)
    vi.advanceTimersByTime(22_000)
    expect((await closed).cause?.code).toBe('CLOSE_TIMEOUT')
  })

  test('a peer that answers our Close with pings only does not keep the connection', async () => {
    const { socket, peer } = await server({ closeTimeout: 50 })
    const end = socket.close(1000)
    const pings = setInterval(() => peer.write(ping('x'.repeat(125))), 2)
    onTestFinished(() => clearInterval(pings))
    peer.stream.resume()
    expect(await end).toMatchObject({ code: 1006, initiator: 'local', cause: { code: 'CLOSE_TIMEOUT' } })
  })

  test('[J6] pings after our Close are answered until the peer’s Close comes; data is not delivered', async () => {
    const { socket, peer } = await server()
    const seen: unknown[] = []
    socket.on('message', (data) => seen.push(data))
    const closed = socket.close(1000)
    expect(await peer.read(4)).toBe('880203e8')
    peer.write(text('late'), ping('a'), closeFrame())
    expect(await peer.rest()).toBe('8a0161')
    peer.stream.end()
    expect((await closed).wasClean).toBe(true)
    expect(seen).toEqual([])
  })

  test('a healthy peer may send thousands of pings in one write', async () => {
    const { socket, peer } = await server()
    const pings = Buffer.concat(Array.from({ length: 5000 }, () => ping('x')))
    peer.write(pings)
    expect(await peer.read(5000 * 3)).toBe('8a0178'.repeat(5000))
    expect(socket.readyState).toBe(1)
  })

  test('[J4] pings from a peer that never reads: pongs are coalesced, memory is bounded', async () => {
    const { socket, peer } = await server()
    peer.stream.pause()
    const payload = 'x'.repeat(125)
    const pings = Buffer.concat(Array.from({ length: 500 }, () => ping(payload)))
    for (let count = 0; count < 400; count++) {
      if (!peer.stream.write(pings)) await once(peer.stream, 'drain')
    }
    expect(socket.bufferedAmount).toBeLessThan(1024 * 1024)
    peer.write(ping('last'))
    let tail = ''
    peer.stream.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString('latin1')).slice(-4)
      if (tail === 'last') peer.stream.destroy()
    })
    peer.stream.resume()
    expect((await socket.closed).code).toBe(1006)
    expect(tail).toBe('last')
  })

  test('a message that dribbles is failed with 1008', async () => {
    const { socket, peer } = await server({ messageTimeout: 40 })
    peer.write('81fe0400')
    const rest = await peer.rest()
    expect(rest.slice(4, 8)).toBe('03f0')
    peer.stream.end()
    expect(await socket.closed).toMatchObject({ code: 1008, cause: { code: 'MESSAGE_TIMEOUT' } })
  })

  test('a message that makes progress, and messages that follow each other, are not', async () => {
    const { socket, peer } = await server({ handlers: { message: (ws, data) => void ws.send(data.length.toString()) } })
    vi.useFakeTimers(CLOCK)
    peer.write('82fe2000', SAMPLE_KEY_HEX)
    await until(() => socket.stats().bytesIn === 8)
    for (let count = 1; count <= 8; count++) {
      peer.write(Buffer.alloc(1024))
      await until(() => socket.stats().bytesIn === 8 + count * 1024)
      if (count < 8) vi.advanceTimersByTime(11_000)
    }
    expect(await peer.read(6)).toBe('810438313932')
    const bytes = text('abc')
    for (let count = 1; count <= 6; count++) {
      const before = socket.stats().bytesIn
      peer.write(bytes.subarray(0, 3))
      await until(() => socket.stats().bytesIn === before + 3)
      vi.advanceTimersByTime(6_000)
      peer.write(bytes.subarray(3))
      expect(await peer.read(3)).toBe('810133')
    }
    vi.advanceTimersByTime(60_000)
    expect(socket.readyState).toBe(1)
  })

  test('while we do not read, a message in progress has time', async () => {
    const { socket, peer } = await server({ maxReadAhead: 1 })
    vi.useFakeTimers(CLOCK)
    peer.write('81', '83')
    await until(() => socket.stats().bytesIn === 2)
    peer.write(text('abc').subarray(2), text('next').subarray(0, 4))
    await until(() => socket.stats().bytesIn === 13)
    vi.advanceTimersByTime(60_000)
    expect(socket.readyState).toBe(1)
  })

  test('[J9] heartbeat: a silent peer is pinged, then terminated with its own cause', async () => {
    vi.useFakeTimers(CLOCK)
    const { socket, peer } = await server({ heartbeat: true })
    vi.advanceTimersByTime(33_000)
    expect(await peer.read(11)).toBe(`8909${Buffer.from('heartbeat').toString('hex')}`)
    await settled(socket)
    vi.advanceTimersByTime(9_000)
    expect(socket.readyState).toBe(1)
    vi.advanceTimersByTime(3_000)
    expect(await socket.closed).toMatchObject({ code: 1006, initiator: 'local', cause: { code: 'HEARTBEAT_TIMEOUT' } })
  })

  test('heartbeat: a peer that answers lives on, and a paused reader is not blamed', async () => {
    vi.useFakeTimers(CLOCK)
    const { client, server } = await pairOf({}, { heartbeat: {}, maxReadAhead: 1 })
    for (let count = 0; count < 3; count++) {
      const pong = once(server, 'pong')
      vi.advanceTimersByTime(33_000)
      await pong
      await settled(server)
      vi.advanceTimersByTime(11_000)
    }
    client.send('stalls the server, which has no consumer')
    client.send('and so its clock')
    await until(() => server.stats().messagesIn > 0)
    for (let count = 0; count < 10; count++) {
      vi.advanceTimersByTime(33_000)
      await settled(server)
    }
    expect([client.readyState, server.readyState]).toEqual([1, 1])
  })

  test('heartbeat: a peer that is gone while nobody reads is noticed', async () => {
    const { socket, peer } = await server({ heartbeat: { interval: 20, timeout: 20 }, maxReadAhead: 1 })
    peer.write(text('nobody reads this'))
    expect(await peer.read(11)).toBe(`8909${Buffer.from('heartbeat').toString('hex')}`)
    ;(peer.stream as Socket).resetAndDestroy()
    expect(await socket.closed).toMatchObject({
      code: 1006,
      initiator: 'transport',
      cause: { code: 'CONNECTION_LOST' },
    })
  })

  test('heartbeat: a peer that takes nothing and sends nothing is terminated though the ping cannot leave', async () => {
    vi.useFakeTimers(CLOCK)
    const { socket, peer } = await server({ heartbeat: true, maxBackpressure: 256 * 1024 * 1024 })
    peer.stream.pause()
    while (socket.bufferedAmount < 32 * 1024 * 1024) socket.send(Buffer.alloc(1024 * 1024))
    await settled(socket)
    vi.advanceTimersByTime(33_000) // progress since the beginning
    vi.advanceTimersByTime(33_000) // none: a ping is queued
    await settled(socket)
    vi.advanceTimersByTime(44_000)
    expect(await socket.closed).toMatchObject({ cause: { code: 'HEARTBEAT_TIMEOUT' } })
  })
})

describe('the beginning', () => {
  test('[D15] [C12] frames in the head of the handshake are not lost', async () => {
    const { socket } = await server({ head: Buffer.concat([text('glued'), text('too')]) })
    expect(await collect(socket, 2)).toEqual(['glued', 'too'])
  })

  test('a close glued to the handshake is reported', async () => {
    const { socket, peer } = await server({ head: closeFrame() })
    peer.stream.resume()
    peer.stream.on('end', () => peer.stream.end())
    expect((await socket.closed).code).toBe(1000)
    expect(socket.remoteAddress).toBe('127.0.0.1')
  })

  test('terminate with a cause says so', async () => {
    const { client } = await pairOf()
    const cause = new Error('no longer wanted')
    client.terminate(cause)
    expect([client.readyState, client.send('late')]).toEqual([2, false])
    expect((await client.closed).cause).toMatchObject({ code: 'ABORTED', cause })
  })

  test('terminate with a cause that has no string', async () => {
    const { client } = await pairOf()
    client.terminate(Object.create(null))
    expect((await client.closed).cause?.message).toBe('the connection was aborted: an object')
  })

  test('data is kept, protocol and extensions are empty unless chosen', async () => {
    const { client } = await pairOf()
    client.data = { user: 1 }
    expect([client.data, client.protocol, client.extensions]).toEqual([{ user: 1 }, '', ''])
  })

  test('starting a second time is refused', async () => {
    const { client } = await pairOf()
    expect(() => client.start()).toThrow('start() was called before: whoever makes a connection calls it once')
  })

  test('closed can be asked for before and after the end', async () => {
    const { client } = await pairOf()
    const before = client.closed
    client.terminate()
    const info = await before
    expect(await client.closed).toBe(info)
    client.terminate()
    expect(client.readyState).toBe(3)
  })
})

/** Only what alarms use: sockets and streams go on in real time. */
const CLOCK = { toFake: ['setTimeout', 'clearTimeout', 'performance'] } satisfies Parameters<typeof vi.useFakeTimers>[0]

afterEach(() => {
  vi.useRealTimers()
})

/** Waits, turn by turn, until something that the sockets bring about has happened. */
async function until(met: () => boolean): Promise<void> {
  for (let turns = 0; !met(); turns++) {
    if (turns > 100_000) throw new Error('it did not happen')
    await new Promise(setImmediate)
  }
}

/** Waits until output has come to rest: a number of turns without progress. */
async function settled(socket: WebSocketConnection): Promise<void> {
  for (let quiet = 0, before = -1; quiet < 20; quiet++) {
    const { bytesOut } = socket.stats()
    if (bytesOut !== before) quiet = 0
    before = bytesOut
    await new Promise(setImmediate)
  }
}

const SAMPLE_KEY_HEX = Buffer.from(SAMPLE_KEY).toString('hex')
