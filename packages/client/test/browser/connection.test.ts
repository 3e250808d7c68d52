// `connect` of the browser's build, over a class that has the standard's interface: ours, in place of the browser's.

import { getEventListeners, once } from 'node:events'
import { type WebSocketConnection, WebSocketServer } from '@ws/server'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import * as browser from '../../src/browser/index.ts'

/** By name, for the compiler's project of these tests does not see what is for Node. */
const NODE = '../../src/index.ts'
const { CloseEvent, WebSocket } = await import(NODE)

interface Options {
  /** What the server does with each connection. */
  serve?: (socket: WebSocketConnection) => void
  protocols?: string[]
}

/** A page whose server sends every message back. */
async function page({
  serve = (socket) => socket.on('message', (data) => socket.send(data)),
  protocols,
}: Options = {}) {
  vi.stubGlobal('WebSocket', WebSocket)
  vi.stubGlobal('CloseEvent', CloseEvent)
  const server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1', ...(protocols && { protocols }) })
  const connections: WebSocketConnection[] = []
  server.on('connection', (socket) => {
    connections.push(socket)
    serve(socket)
  })
  onTestFinished(async () => {
    await server.close({ timeout: 0 })
    vi.unstubAllGlobals()
  })
  const { port } = server.address() as { port: number }
  return { url: `ws://127.0.0.1:${port}`, connections, server }
}

const silent = () => {}
const next = async (messages: AsyncIterator<string | Uint8Array>) => (await messages.next()).value
const coded = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) })

describe('connect()', () => {
  test('what a connection tells', async () => {
    const { url } = await page({ protocols: ['a'] })
    const socket = await browser.connect(url, { protocols: ['b', 'a'], data: 5 })
    expect([socket.readyState, socket.protocol, socket.data, socket.bufferedAmount]).toEqual([1, 'a', 5, 0])
    expect(socket.extensions).toContain('permessage-deflate'.slice(0, socket.extensions.length))
    expect(await socket.close(1000)).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
    expect([socket.readyState, socket.bufferedAmount, await socket.close(), 'ping' in socket]).toEqual([
      3,
      0,
      await socket.closed,
      false,
    ])
  })

  test('rejects if there is no connection, in time or at all', async () => {
    const { url, server } = await page()
    await server.close()
    await expect(browser.connect(url)).rejects.toThrow(coded('CONNECT_FAILED', `no connection to ${url}/`))
    const slow = await import('node:net').then(({ createServer }) => createServer())
    slow.listen(0, '127.0.0.1')
    await once(slow, 'listening')
    slow.on('connection', (socket) => socket.on('error', () => {}).resume())
    onTestFinished(() => void slow.close())
    const { port } = slow.address() as { port: number }
    const attempt = browser.connect(`ws://127.0.0.1:${port}`, { handshakeTimeout: 20 })
    await expect(attempt).rejects.toThrow(coded('HANDSHAKE_TIMEOUT', 'within 20 ms'))
  })

  test('a signal ends the attempt, and the connection', async () => {
    const { url, connections } = await page()
    await expect(browser.connect(url, { signal: AbortSignal.abort('before') })).rejects.toBe('before')
    const during = new AbortController()
    const attempt = browser.connect(url, { signal: during.signal })
    during.abort('during')
    await expect(attempt).rejects.toBe('during')
    const after = new AbortController()
    const socket = await browser.connect(url, { signal: after.signal })
    after.abort('after')
    expect(await socket.closed).toMatchObject({
      code: 1006,
      initiator: 'local',
      cause: { code: 'ABORTED', cause: 'after' },
    })
    await connections.at(-1)?.closed
  })

  test.each<[string, unknown, object]>([
    ['URL and protocols must be what the browser takes', 'nowhere', {}],
    ['URL and protocols must be', 'ws://localhost', { protocols: 'a b' }],
    ['option protocols must be a string or an array', 'ws://localhost', { protocols: {} }],
    ['option headers must be absent', 'ws://localhost', { headers: {} }],
    ['option signal must be an AbortSignal', 'ws://localhost', { signal: 'now' }],
    ['option highWaterMark must be an integer', 'ws://localhost', { highWaterMark: -1 }],
    ['option handshakeTimeout must be an integer', 'ws://localhost', { handshakeTimeout: 0 }],
  ])('throws at once: %s', async (message, url, options) => {
    await page()
    expect(() => browser.connect(url as string, options)).toThrow(coded('USAGE', message))
  })
})

describe('messages', () => {
  test('of every kind', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    const messages = socket[Symbol.asyncIterator]()
    const bytes = new TextEncoder().encode('äb')
    socket.send('text')
    socket.send('text', { binary: true })
    socket.send(bytes)
    socket.send(bytes.buffer as ArrayBuffer)
    socket.send(bytes.subarray(2), { binary: false })
    socket.send(new Blob(['blob']))
    const seen: unknown[] = []
    for (let count = 0; count < 6; count++) seen.push(await next(messages))
    const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text))
    expect(seen).toEqual(['text', utf8('text'), utf8('äb'), utf8('äb'), 'b', utf8('blob')])
    expect(() => socket.send(5 as unknown as string)).toThrow(coded('USAGE', 'data to send must be'))
    expect(() => socket.send(Uint8Array.of(0xff), { binary: false })).toThrow(coded('USAGE', 'must be valid UTF-8'))
    expect(() => socket.send(new Blob([]), { binary: false })).toThrow(coded('USAGE', 'a Blob must be'))
    await socket.close()
  })

  test('wait for their consumer, of whom there is one', async () => {
    const { url } = await page({ serve: (socket) => ['1', '2', '3'].forEach((text) => void socket.send(text)) })
    const socket = await browser.connect(url)
    const iterator = socket[Symbol.asyncIterator]() as AsyncIterableIterator<string>
    expect(() => socket.on('message', silent)).toThrow(coded('USAGE', 'messages have one consumer'))
    expect(() => socket[Symbol.asyncIterator]()).toThrow(coded('USAGE'))
    expect(await next(iterator)).toBe('1')
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    const seen: unknown[] = []
    await new Promise<void>((resolve) => {
      socket.once('message', (data) => seen.push('once', data))
      socket.on('message', (data) => {
        seen.push(data)
        if (data === '3') resolve()
      })
    })
    expect(seen).toEqual(['once', '2', '2', '3'])
    await socket.close()
  })

  test('a listener that is removed hears no more, and gives its place back', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    const seen: unknown[] = []
    const listener = (data: unknown) => seen.push(data)
    socket.on('message', listener)
    socket.off('message', listener)
    socket.off('message', listener)
    socket.send('kept')
    for await (const message of { [Symbol.asyncIterator]: () => socket[Symbol.asyncIterator]() }) {
      expect([message, seen]).toEqual(['kept', []])
      break
    }
    await socket.close()
  })

  test('past maxReadAhead the connection is ended, for a page cannot stop reading', async () => {
    const { url } = await page({ serve: (socket) => void socket.send(new Uint8Array(1000)) })
    const socket = await browser.connect(url, { maxReadAhead: 1000 })
    expect(await socket.closed).toMatchObject({ code: 1006, cause: coded('SLOW_CONSUMER', 'more than 1000 bytes') })
  })

  test('calls of next() that wait get their messages in order, or the end', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    const iterator = socket[Symbol.asyncIterator]()
    const waiting = [next(iterator), next(iterator), next(iterator)]
    socket.send('1')
    socket.send('2')
    expect(await Promise.all(waiting.slice(0, 2))).toEqual(['1', '2'])
    waiting.push(next(iterator))
    await socket.close()
    expect(await Promise.all(waiting.slice(2))).toEqual([undefined, undefined])
  })

  test('return() ends a next() that waits; the next message is for the next consumer', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    const iterator = socket[Symbol.asyncIterator]() as AsyncIterableIterator<string>
    const waiting = iterator.next()
    await iterator.return?.()
    expect(await waiting).toEqual({ value: undefined, done: true })
    socket.send('kept')
    expect(await next(socket[Symbol.asyncIterator]())).toBe('kept')
    await socket.close()
  })

  test('the iterator yields what came before the end, then ends; close comes after it', async () => {
    const { url } = await page({
      serve: (socket) => {
        socket.send('1')
        socket.send('2')
        socket.close(4000, 'over')
      },
    })
    const socket = await browser.connect(url)
    const iterator = socket[Symbol.asyncIterator]()
    const order: unknown[] = []
    socket.on('close', ({ code }) => order.push(code))
    expect(await socket.closed).toMatchObject({ code: 4000, reason: 'over', initiator: 'remote', wasClean: true })
    for (let message = await next(iterator); message !== undefined; message = await next(iterator)) order.push(message)
    expect(order).toEqual(['1', '2', 4000])
  })
})

describe('output', () => {
  test('send says when to hold back; drain and drained() when to go on', async () => {
    const { url } = await page()
    const socket = await browser.connect(url, { highWaterMark: 1000 })
    expect(socket.send(new Uint8Array(500))).toBe(true)
    expect(socket.send(new Uint8Array(5000))).toBe(false)
    const drain = new Promise<void>((resolve) => {
      socket.once('drain', resolve)
    })
    await expect(socket.drained({ signal: AbortSignal.abort('mine') })).rejects.toBe('mine')
    const late = new AbortController()
    const aborted = socket.drained({ signal: late.signal })
    late.abort('late')
    await expect(aborted).rejects.toBe('late')
    await socket.drained()
    await drain
    expect(socket.bufferedAmount).toBe(0)
    await socket.drained()
    await socket.close()
  })

  test('onFlushed is called once, also for what was not sent', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    await new Promise<void>((resolve, reject) => {
      socket.send('text', { onFlushed: (error) => (error === undefined ? resolve() : reject(error)) })
    })
    socket.send('lost', { onFlushed: silent })
    socket.terminate()
    const refused = new Promise((resolve) => {
      expect(socket.send('late', { onFlushed: resolve })).toBe(false)
    })
    expect(await refused).toMatchObject({ code: 'NOT_OPEN' })
    await expect(socket.drained()).rejects.toThrow(coded('NOT_OPEN'))
    expect(await socket.closed).toMatchObject({ code: 1006, initiator: 'local', cause: { code: 'TERMINATED' } })
    socket.terminate()
  })

  test('past maxBackpressure the connection is ended', async () => {
    const { url } = await page()
    const socket = await browser.connect(url, { maxBackpressure: 1000 })
    expect(socket.send(new Uint8Array(2000))).toBe(true)
    expect(socket.send('one too many')).toBe(false)
    expect(await socket.closed).toMatchObject({
      cause: coded('SLOW_CONSUMER', 'more than 1000 bytes wait for the peer'),
    })
  })

  test('a message in parts arrives whole, and what is sent meanwhile behind it', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    const messages = socket[Symbol.asyncIterator]()
    async function* parts() {
      yield 'a'
      yield new TextEncoder().encode('ä').subarray(0, 1)
      yield new TextEncoder().encode('ä').subarray(1)
    }
    const sent = [
      socket.sendStream(parts()),
      socket.sendStream(new Blob(['stream']).stream()),
      socket.sendStream(parts(), { binary: true }),
    ]
    expect(socket.send('behind')).toBe(true)
    expect(socket.bufferedAmount).toBe(6)
    await Promise.all(sent)
    expect(await next(messages)).toBe('aä')
    expect(await next(messages)).toEqual(new TextEncoder().encode('stream'))
    expect(await next(messages)).toEqual(new TextEncoder().encode('aä'))
    expect(await next(messages)).toBe('behind')
    await socket.close()
  })

  test('a source that fails rejects, and the connection goes on; close() waits for one that does not', async () => {
    const { url, connections } = await page({ serve: silent })
    const socket = await browser.connect(url, { maxBackpressure: 10 })
    async function* failing() {
      yield 'a'
      throw new Error('mine')
    }
    await expect(socket.sendStream(failing())).rejects.toThrow(coded('SOURCE_FAILED'))
    await expect(socket.sendStream(new Blob(['a'.repeat(11)]).stream())).rejects.toThrow(coded('SOURCE_FAILED'))
    async function* wrong() {
      yield 5 as unknown as string
    }
    await expect(socket.sendStream(wrong())).rejects.toThrow(coded('SOURCE_FAILED'))
    const never = new ReadableStream()
    await expect(socket.sendStream(never, { signal: AbortSignal.abort('mine') })).rejects.toBe('mine')
    expect(() => socket.sendStream(5 as never)).toThrow(coded('USAGE', 'source must be'))
    const received = once(connections[0] as WebSocketConnection, 'message')
    const sent = socket.sendStream(new Blob(['whole']).stream(), { binary: false })
    const closed = socket.close(1000)
    expect([socket.readyState, String(await received)]).toEqual([2, 'whole'])
    await sent
    expect(await closed).toMatchObject({ code: 1000, wasClean: true })
    await expect(socket.sendStream(new ReadableStream())).rejects.toThrow(coded('NOT_OPEN'))
  })

  test('a signal that outlives its messages keeps nothing of them', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    const { signal } = new AbortController()
    await socket.sendStream(new Blob(['whole']).stream(), { signal })
    await expect(socket.sendStream(new Blob(['a']).stream(), { signal, binary: false })).resolves.toBeUndefined()
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await socket.close()
  })

  test('the end of the connection ends a message in parts', async () => {
    const { url } = await page()
    const socket = await browser.connect(url)
    const sent = socket.sendStream(new ReadableStream())
    socket.send('behind')
    socket.terminate('enough')
    await expect(sent).rejects.toThrow(coded('NOT_OPEN'))
    expect((await socket.closed).cause).toMatchObject({ code: 'ABORTED', cause: 'enough' })
  })
})

test('close() checks its arguments; error comes before close, if somebody listens', async () => {
  const { url, connections } = await page()
  const socket = await browser.connect(url)
  expect(() => socket.close(1001)).toThrow(coded('USAGE', 'close code and reason must be what a page may send'))
  const seen: unknown[] = []
  await new Promise<void>((resolve) => {
    socket.on('error', ({ code }) => seen.push(code))
    socket.on('close', ({ initiator }) => {
      seen.push(initiator)
      resolve()
    })
    connections[0]?.terminate()
  })
  expect(seen).toEqual(['CONNECTION_LOST', 'transport'])
})

test('ReconnectingWebSocket takes the browser’s class', async () => {
  const { url } = await page()
  const socket = new browser.ReconnectingWebSocket(url)
  await new Promise((resolve) => {
    socket.onopen = resolve
  })
  const closed = new Promise((resolve) => {
    socket.onclose = resolve
  })
  socket.close(1000)
  expect(await closed).toMatchObject({ code: 1000, wasClean: true })
  expect(() => new browser.ReconnectingWebSocket(url, { headers: {} } as object)).toThrow(
    coded('USAGE', 'option headers is not for browsers'),
  )
})
