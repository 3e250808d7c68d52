// Slow consumers, at both sides of a connection: what a sender that must wait is told, and how a reader that is slow holds
// its peer back.

import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { connected, type Setup, uncaught, withPeer } from './support/connections.ts'

const text = (payload: string) => frame({ opcode: 1, payload, key: SAMPLE_KEY })
const ping = (payload = '') => frame({ opcode: 9, payload, key: SAMPLE_KEY })
const closeFrame = frame({ opcode: 8, payload: Buffer.from([3, 232]), key: SAMPLE_KEY })

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

/** A Blob whose bytes come when `read` is called. */
function slowBlob(size: number) {
  const blob = new Blob([Buffer.alloc(size)])
  let read = () => {}
  blob.arrayBuffer = () =>
    new Promise((resolve) => {
      read = () => resolve(new ArrayBuffer(size))
    })
  return { blob, read: () => read() }
}

describe('what a sender is told', () => {
  test('drained() and drain wait for a Blob that has not been read yet', async () => {
    const { client, server } = await pairOf()
    server.resume()
    const { blob, read } = slowBlob(1_000_000)
    const order: string[] = []
    client.on('drain', () => order.push('drain'))
    expect(client.send(blob)).toBe(false)
    const drained = client.drained().then(() => order.push('drained'))
    await client.ping() // output leaves meanwhile: that is no reason to go on
    await client.ping()
    expect([order, client.bufferedAmount]).toEqual([[], 1_000_000])
    read()
    await drained
    await client.ping()
    expect(order.sort()).toEqual(['drain', 'drained'])
    expect(client.bufferedAmount).toBe(0)
  })

  test('drain comes also when a Blob has long left before the queue says so', async () => {
    const { client, server } = await pairOf({ highWaterMark: 0 })
    server.resume()
    const { blob, read } = slowBlob(1)
    const drained = once(client, 'drain')
    expect(client.send(blob)).toBe(false)
    read()
    await drained
    expect(client.bufferedAmount).toBe(0)
  })
})

test.each(['close', 'drop'] as const)(
  "slowConsumer '%s': a healthy peer gets everything, however low maxBackpressure is",
  async (slowConsumer) => {
    const { client, server } = await pairOf({}, { maxBackpressure: 0, slowConsumer })
    const sent = Array.from({ length: 100 }, (_, index) => `${index}`)
    for (const message of sent) server.send(message)
    expect(server.stats().dropped).toBe(0)
    void server.close(1000)
    const seen: unknown[] = []
    for await (const message of client) seen.push(message)
    expect(seen).toEqual(sent)
  },
)

test("slowConsumer 'drop': drain comes after every send that was dropped, however low maxBackpressure is", async () => {
  const { socket, peer } = await server({ maxBackpressure: 1, slowConsumer: 'drop' })
  peer.stream.pause()
  while (socket.send(Buffer.alloc(256 * 1024)));
  expect(socket.send('dropped')).toBe(false)
  expect(socket.stats().dropped).toBe(1)
  const drained = [once(socket, 'drain'), socket.drained()]
  peer.stream.resume()
  await Promise.all(drained)
  expect(socket.send('taken')).toBe(true)
})

test('no drain after the end, whatever a Blob still does', async () => {
  const { client, server } = await pairOf()
  server.resume()
  const { blob, read } = slowBlob(1_000_000)
  const events: string[] = []
  client.on('drain', () => events.push('drain'))
  client.on('close', () => events.push('close'))
  client.send(blob)
  client.terminate()
  await client.closed
  read()
  await new Promise(setImmediate)
  expect(events).toEqual(['close'])
})

describe('a handler that fails', () => {
  test('gets nothing more: not what waits, not what follows', async () => {
    const seen: string[] = []
    const { socket, peer } = await server({
      handlers: {
        async message(_, data) {
          seen.push(String(data))
          await new Promise(setImmediate)
          throw new Error(`failed at ${data}`)
        },
      },
    })
    const error = await uncaught(() => peer.write(text('a'), text('b'), text('c')))
    expect((error as Error).message).toBe('failed at a')
    peer.write(text('d'))
    expect((await peer.read(4)).slice(4)).toBe('03f3')
    peer.stream.end()
    expect(await socket.closed).toMatchObject({ code: 1011, cause: { code: 'HANDLER_FAILED' } })
    await new Promise(setImmediate)
    expect(seen).toEqual(['a'])
  })

  test('after a clean close, too: the close event follows at once', async () => {
    const seen: string[] = []
    let fail = () => {}
    const { socket, peer } = await server({
      handlers: {
        message: (_, data) => {
          seen.push(String(data))
          return new Promise((_resolve, reject) => {
            fail = () => reject(new Error('failed'))
          })
        },
      },
    })
    peer.write(text('a'), text('b'), closeFrame)
    expect(await peer.rest()).toBe('880203e8')
    peer.stream.end()
    await socket.closed
    const closed = once(socket, 'close')
    await uncaught(fail)
    expect((await closed)[0].code).toBe(1000)
    expect(seen).toEqual(['a'])
  })
})

describe('while a handler is busy', () => {
  test('pings and the Close inside the read-ahead are answered, and the messages before it are delivered', async () => {
    const seen: string[] = []
    let finish = () => {}
    const { socket, peer } = await server({
      handlers: {
        message: (_, data) => {
          seen.push(String(data))
          return new Promise((resolve) => {
            finish = resolve
          })
        },
        close: (_, { code }) => void seen.push(`closed ${code}`),
      },
    })
    peer.write(text('a'), text('b'), ping('1'), closeFrame)
    expect(await peer.rest()).toBe('8a0131880203e8')
    peer.stream.end()
    await socket.closed
    expect(seen).toEqual(['a'])
    finish()
    await new Promise(setImmediate)
    expect(seen).toEqual(['a', 'b'])
    finish()
    await new Promise(setImmediate)
    expect(seen).toEqual(['a', 'b', 'closed 1000'])
  })
})

describe('the place of an iterator', () => {
  test('is free after a loop that ran to its end: what comes then is that there is nothing', async () => {
    const { client, server } = await pairOf()
    server.send('a')
    void server.close(1000)
    const seen: unknown[] = []
    for await (const message of client) seen.push(message)
    for await (const message of client) seen.push(message)
    client.on('message', (message) => seen.push(message))
    expect(seen).toEqual(['a'])
  })

  test('is given back once, also by an iterator that was asked for several messages at its end', async () => {
    const { client } = await pairOf()
    const first = client[Symbol.asyncIterator]()
    const ends = [first.next(), first.next()]
    client.terminate()
    await Promise.all(ends)
    const second = client[Symbol.asyncIterator]()
    await first.next()
    expect(() => client[Symbol.asyncIterator]()).toThrow('an iterator is in use already')
    await second.return?.()
  })
})
