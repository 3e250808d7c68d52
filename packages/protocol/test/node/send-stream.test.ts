// A message that is sent in parts: what goes over the wire, its place among other sends, how the peer holds the source
// back, and what becomes of it when either side, or the source, gives up.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { MessageParts } from '../../src/connection.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { collect, connected, type Setup, TRANSPORTS, withPeer } from './support/connections.ts'

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

async function* parts<Part>(...all: Part[]): AsyncGenerator<Part> {
  yield* all
}

/** A source that brings what it is told to, when it is told to, and remembers whether it was let go. */
function source() {
  let settle: ((result: IteratorResult<string | Uint8Array, undefined>) => void) | undefined
  let fail: ((error: unknown) => void) | undefined
  let wanted = () => {}
  let asked = new Promise<void>((resolve) => {
    wanted = resolve
  })
  const made = {
    returned: false,
    async give(value: string | Uint8Array) {
      await asked
      asked = new Promise<void>((resolve) => {
        wanted = resolve
      })
      settle?.({ value, done: false })
    },
    async end() {
      await asked
      settle?.({ value: undefined, done: true })
    },
    async fail(error: unknown) {
      await asked
      fail?.(error)
    },
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      wanted()
      return new Promise<IteratorResult<string | Uint8Array, undefined>>((resolve, reject) => {
        settle = resolve
        fail = reject
      })
    },
    async return() {
      made.returned = true
      return { value: undefined, done: true as const }
    },
  }
  return made
}

const hex = (text: string) => Buffer.from(text).toString('hex')
const closeWith = (code: number, reason = '') =>
  Buffer.from(
    frame({ opcode: 8, payload: Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]) }),
  ).toString('hex')

describe.each(TRANSPORTS)('over $name', ({ pair }) => {
  test.each(['client', 'server'] as const)('from the %s: large, in bounded memory, whole and in order', async (end) => {
    const ends = await connected(pair)
    onTestFinished(ends.dispose)
    const socket = ends[end]
    const peer = end === 'client' ? ends.server : ends.client
    const sizes = [0, 1, 1000, 16_384, 65_536, 1_000_000, 3_000_000]
    const expected = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index + 1)))
    let most = 0
    async function* reusing() {
      const memory = Buffer.alloc(Math.max(...sizes))
      for (const [index, size] of sizes.entries()) {
        most = Math.max(most, socket.bufferedAmount)
        memory.fill(index + 1, 0, size) // the part before has left: its memory is the source's again
        yield memory.subarray(0, size)
      }
    }
    const received = collect(peer, 3)
    const sent = socket.sendStream(reusing())
    socket.send('behind')
    await socket.sendStream(parts('ü', 'ö'))
    await sent
    expect((await received).map((data) => (typeof data === 'string' ? data : data.equals(expected)))).toEqual([
      true,
      'behind',
      'üö',
    ])
    expect(most).toBeLessThanOrEqual(64 * 1024)
    expect(socket.stats().messagesOut).toBe(3)
  })
})

describe('on the wire', () => {
  test('a part is a fragment, and the end is an empty one', async () => {
    const { socket, peer } = await server()
    await socket.sendStream(parts('a', '', 'b'))
    expect(await peer.read(8)).toBe(`0101${hex('a')}0001${hex('b')}8000`)
  })

  test('a source without parts is an empty message', async () => {
    const { socket, peer } = await server()
    await socket.sendStream(parts())
    await socket.sendStream(parts(''))
    await socket.sendStream(parts(), { binary: false })
    expect(await peer.read(6)).toBe('820081008100')
  })

  test.each([
    ['a string first makes it text', ['a', Buffer.from('b')], undefined, `0101${hex('a')}0001${hex('b')}8000`],
    ['bytes first make it binary', [Buffer.from('a'), 'b'], undefined, `0201${hex('a')}0001${hex('b')}8000`],
    ['binary: true', ['a'], true, `0201${hex('a')}8000`],
    ['binary: false', [new Uint8Array([0x61])], false, `0101${hex('a')}8000`],
    ['a character cut in two, in a string', ['a\ud83d', '\ude00'], undefined, `010161${'0004f09f9880'}8000`],
    ['half a character at the end', ['\ud83d'], undefined, '8103efbfbd'],
    ['half a character before bytes', ['\ud83d', Buffer.from('b')], undefined, '0104efbfbd628000'],
    ['a character cut in two, in bytes', [Buffer.from([0xc3]), Buffer.from([0xbc])], false, '0101c30001bc8000'],
  ] as const)('%s', async (_name, given, binary, wire) => {
    const { socket, peer } = await server()
    await socket.sendStream(parts<string | Uint8Array>(...given), { binary })
    expect(await peer.read(wire.length / 2)).toBe(wire)
  })

  test('a large part is many fragments', async () => {
    const { socket, peer } = await server()
    void socket.sendStream(parts(Buffer.alloc(150_000)))
    await peer.read(10 + 65_536)
    expect((await peer.read(10)).slice(0, 4)).toBe('007f')
  })

  test('[I6] pings and pongs come between the fragments', async () => {
    const { socket, peer } = await server()
    const parts = source()
    const sent = socket.sendStream(parts)
    await parts.give('a')
    expect(await peer.read(3)).toBe('010161')
    peer.write(frame({ opcode: 9, payload: 'x', key: SAMPLE_KEY }))
    expect(await peer.read(3)).toBe('8a0178')
    void socket.ping('y')
    expect(await peer.read(3)).toBe('890179')
    await parts.give('b')
    await parts.end()
    await sent
    expect(await peer.read(5)).toBe('0001628000')
  })

  test('a source that never waits leaves room for what the peer says', async () => {
    const { client, server } = await pairOf({}, { maxPayload: 100_000_000, messageTimeout: 0 })
    let over = false
    async function* endless() {
      while (!over) yield 'x'
    }
    const sent = client.sendStream(endless())
    await server.ping()
    await client.ping()
    over = true
    await sent
    expect(client.readyState).toBe(1)
  })
})

describe('sources', () => {
  test.each<[string, () => MessageParts]>([
    ['an async generator', () => parts('a', 'b')],
    ['a Readable of strings', () => Readable.from(['a', 'b'])],
    ['a Readable with an encoding', () => Readable.from([Buffer.from('a'), Buffer.from('b')]).setEncoding('utf8')],
    ['a ReadableStream', () => ReadableStream.from(['a', 'b']) as MessageParts],
  ])('%s', async (_name, made) => {
    const { client, server } = await pairOf()
    const received = once(server, 'message')
    await client.sendStream(made())
    expect((await received)[0]).toBe('ab')
  })

  test.each([
    ['hello', 'source of a message must be an async iterable, a Readable or a ReadableStream; got "hello"'],
    [null, 'source of a message must be an async iterable, a Readable or a ReadableStream; got null'],
    [['a'], 'source of a message must be an async iterable, a Readable or a ReadableStream; got an instance of Array'],
  ])('%j is none', async (given, message) => {
    const { client } = await pairOf()
    expect(() => client.sendStream(given as never)).toThrow(message)
  })

  test('a stream that somebody else reads is none', async () => {
    const { client } = await pairOf()
    const stream = ReadableStream.from(['a'])
    stream.getReader()
    expect(() => client.sendStream(stream as MessageParts)).toThrow(
      'source of a message must be a stream that nobody else reads; got a locked one',
    )
  })
})

describe('its place', () => {
  test('[I6] what is sent meanwhile waits behind it; so does a second one, and a close', async () => {
    const { client, server } = await pairOf()
    const first = source()
    const second = source()
    const seen: unknown[] = []
    server.on('message', (data) => seen.push(data))
    const sent = [client.sendStream(first), client.sendStream(second)]
    client.send('last')
    const closed = client.close(1000)
    await first.give('1')
    await server.ping()
    expect([seen, client.readyState, client.send('too late')]).toEqual([[], 2, false])
    await first.end()
    await second.give('2')
    await second.end()
    await Promise.all(sent)
    expect((await closed).wasClean).toBe(true)
    expect(seen).toEqual(['1', '2', 'last'])
  })

  test('what waits behind it is held to maxBackpressure', async () => {
    const { client } = await pairOf({ maxBackpressure: 100, slowConsumer: 'drop' })
    const first = source()
    const sent = client.sendStream(first)
    await first.give('1')
    expect(client.send('x'.repeat(101))).toBe(false)
    expect(client.send('dropped')).toBe(false)
    expect(client.stats().dropped).toBe(1)
    const drained = once(client, 'drain')
    await first.end()
    await Promise.all([sent, drained])
    expect(client.send('taken')).toBe(true)
  })

  test('a close waits as long as the message goes on, and no longer', async () => {
    const { socket, peer } = await server()
    const first = source()
    const sent = socket.sendStream(first)
    await first.give('1')
    await peer.read(3)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const closed = socket.close(1000)
    for (let round = 0; round < 5; round++) {
      await first.give('x'.repeat(2048))
      await peer.read(4 + 2048)
      vi.advanceTimersByTime(11_000)
      expect(socket.readyState).toBe(2)
    }
    vi.advanceTimersByTime(22_000)
    expect((await closed).cause?.code).toBe('CLOSE_TIMEOUT')
    await expect(sent).rejects.toMatchObject({ code: 'NOT_OPEN', cause: { code: 'CLOSE_TIMEOUT' } })
    expect(first.returned).toBe(true)
  })
})

test('a peer that does not read holds the source back', async () => {
  const { socket, peer } = await server()
  peer.stream.pause()
  let given = 0
  async function* large() {
    for (; given < 1000; given++) yield Buffer.alloc(256 * 1024)
  }
  const sent = socket.sendStream(large())
  let before = -1
  for (let quiet = 0; quiet < 50; quiet++) {
    if (given !== before) quiet = 0
    before = given
    await new Promise(setImmediate)
  }
  expect(given).toBeLessThan(1000)
  expect(socket.bufferedAmount).toBeLessThan(512 * 1024)
  peer.stream.resume()
  await sent
  expect(given).toBe(1000)
})

describe('what goes wrong', () => {
  test('a source that fails in the middle: the connection fails with 1011, the peer gets no message', async () => {
    const { socket, peer } = await server()
    const parts = source()
    const sent = socket.sendStream(parts)
    await parts.give('a')
    expect(await peer.read(3)).toBe('010161')
    const cause = new Error('disk')
    await parts.fail(cause)
    await expect(sent).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: 'the source of a message failed: Error: disk',
      cause,
    })
    expect(await peer.rest()).toBe(closeWith(1011, 'a message could not be finished'))
    peer.stream.end()
    expect(await socket.closed).toMatchObject({ code: 1011, initiator: 'local', cause: { code: 'SOURCE_FAILED' } })
    expect(socket.stats()).toMatchObject({ messagesOut: 0, dropped: 1 })
  })

  test('a source that fails before its first part: nothing was sent, the connection goes on', async () => {
    const { client, server } = await pairOf()
    const received = once(server, 'message')
    await expect(client.sendStream(Readable.from(failing()))).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    client.send('next')
    expect((await received)[0]).toBe('next')

    // biome-ignore lint/correctness/useYield: it fails first
    async function* failing(): AsyncGenerator<string> {
      throw new Error('no such file')
    }
  })

  test.each([
    [['a', 7], 'data to send must be a string, an ArrayBuffer, a typed array, a DataView or a Blob; got 7'],
    [['a', new Blob([])], 'part of a message must be a string, an ArrayBuffer, a typed array or a DataView'],
    [['a', Buffer.from([0xff])], 'must be valid UTF-8'],
    [['a', Buffer.from([0xc3])], 'must be valid UTF-8'],
    [['a', Buffer.from([0xc3]), 'b'], 'must be valid UTF-8'],
  ])('a part that cannot be sent is a source that fails: %j', async (given, message) => {
    const { client, server } = await pairOf()
    const sent = client.sendStream(parts<never>(...(given as never[])))
    await expect(sent).rejects.toThrow(message)
    expect((await server.closed).code).toBe(1011)
  })

  test('a stream that fails while it waits its turn: its caller hears of it, and nobody else', async () => {
    const { client } = await pairOf()
    const first = source()
    const sent = client.sendStream(first)
    const failing = new Readable({ read() {} })
    const second = client.sendStream(failing)
    failing.destroy(new Error('gone'))
    await new Promise((resolve) => failing.on('close', resolve))
    await first.end()
    await sent
    await expect(second).rejects.toMatchObject({ code: 'SOURCE_FAILED', cause: { message: 'gone' } })
    expect(client.readyState).toBe(1)
  })

  test('a signal: before it begins nothing is sent; in the middle the connection fails', async () => {
    const { client, server } = await pairOf()
    const reason = new Error('enough')
    const waiting = new AbortController()
    const running = new AbortController()
    const [early, first, second] = [source(), source(), source()]
    await expect(client.sendStream(early, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const sent = client.sendStream(first, { signal: running.signal })
    const alsoSent = client.sendStream(second, { signal: waiting.signal })
    await first.give('a')
    await client.ping()
    waiting.abort(reason)
    await expect(alsoSent).rejects.toBe(reason)
    expect([client.readyState, early.returned, second.returned]).toEqual([1, true, true])
    running.abort(reason)
    await expect(sent).rejects.toBe(reason)
    expect(first.returned).toBe(true)
    expect((await server.closed).code).toBe(1011)
    expect((await client.closed).cause?.code).toBe('SOURCE_FAILED')
  })

  test('a signal that aborts when all has been sent changes nothing', async () => {
    const { client } = await pairOf()
    const abort = new AbortController()
    await client.sendStream(parts('a'), { signal: abort.signal })
    abort.abort()
    expect(client.readyState).toBe(1)
  })

  test.each([
    ['a generator', () => source()],
    ['a Readable', () => new Readable({ read() {} })],
    ['a ReadableStream', () => new ReadableStream() as MessageParts],
  ])('the connection ends while %s has nothing to give: rejected at once, the source let go', async (_name, made) => {
    const { socket, peer } = await server()
    const waiting = made()
    const sent = socket.sendStream(waiting)
    const behind = socket.sendStream(source())
    ;(peer.stream as Socket).resetAndDestroy()
    await expect(sent).rejects.toMatchObject({ code: 'NOT_OPEN', cause: { code: 'CONNECTION_LOST' } })
    await expect(behind).rejects.toMatchObject({ code: 'NOT_OPEN' })
    if (waiting instanceof Readable) expect(waiting.destroyed).toBe(true)
    else if ('returned' in waiting) expect(waiting.returned).toBe(true)
    expect(socket.stats().dropped).toBe(2)
  })

  test('the peer closes in the middle: what is left is not sent', async () => {
    const { client, server } = await pairOf()
    const parts = source()
    const sent = client.sendStream(parts)
    await parts.give('a')
    await client.ping()
    void server.close(4000)
    await expect(sent).rejects.toMatchObject({ code: 'NOT_OPEN' })
    expect((await client.closed).wasClean).toBe(true)
    expect(parts.returned).toBe(true)
  })

  test('on a connection that is closing: rejected, the source let go; ignoring that is no fault', async () => {
    const { client } = await pairOf()
    void client.close()
    const parts = source()
    await expect(client.sendStream(parts)).rejects.toMatchObject({ code: 'NOT_OPEN' })
    expect(parts.returned).toBe(true)
    void client.sendStream(source())
    await client.closed
  })

  test('the source goes on after the connection has ended: it is let go at the next part', async () => {
    const { client, server } = await pairOf()
    const parts = source()
    const sent = client.sendStream(parts)
    await parts.give('a')
    server.terminate()
    await expect(sent).rejects.toMatchObject({ code: 'NOT_OPEN' })
    await parts.give('b')
    await client.closed
    expect(client.stats().messagesOut).toBe(0)
  })
})
