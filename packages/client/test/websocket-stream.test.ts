// WebSocketStream, as the tests of the web platform describe it (stream/tentative).

import { type WebSocketConnection, WebSocketServer } from '@ws/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketStream, WebSocketStreamError } from '../src/index.ts'
import { closed as gone, rawServer, switching, unusedPort } from './support/raw-server.ts'

/** A server that sends every message back, or does something else with its connections. */
async function server(
  serve: (socket: WebSocketConnection) => void = (socket) => socket.on('message', (data) => socket.send(data)),
) {
  const connections: WebSocketConnection[] = []
  const ours = await WebSocketServer.listen({ port: 0, host: '127.0.0.1', protocols: ['a'] })
  ours.on('connection', (socket) => {
    connections.push(socket)
    serve(socket)
  })
  onTestFinished(async () => {
    await ours.close({ timeout: 0 })
  })
  return { url: `ws://127.0.0.1:${(ours.address() as { port: number }).port}`, connections }
}

const named = (name: string) => expect.objectContaining({ name })
const lost = expect.objectContaining({ name: 'WebSocketError', closeCode: 1006, reason: '' })

describe('[S1] the constructor', () => {
  test.each(['nowhere', 'ftp://localhost', 'ws://localhost/#a'])('the URL %s', (url) => {
    expect(() => new WebSocketStream(url)).toThrow(named('SyntaxError'))
  })
  test('protocols are a list of valid ones', () => {
    const make = (protocols: unknown) => new WebSocketStream('ws://localhost', { protocols: protocols as string[] })
    expect(() => make('a')).toThrow(TypeError)
    expect(() => make(['a b'])).toThrow(named('SyntaxError'))
    expect(() => make(['a', 'a'])).toThrow(named('SyntaxError'))
  })
  test('url is that of the URL standard', async () => {
    const { url } = await server()
    const stream = new WebSocketStream(url.replace('ws:', 'HTTP:'))
    expect(stream.url).toBe(`${url}/`)
    await stream.opened
    stream.close()
    await stream.closed
  })
})

describe('[S2] opened and closed', () => {
  test('what there is, and how it ended', async () => {
    const { url } = await server()
    const stream = new WebSocketStream(url, { protocols: ['b', 'a'] })
    const { readable, writable, protocol, extensions } = await stream.opened
    expect([protocol, extensions]).toEqual(['a', ''])
    const writer = writable.getWriter()
    await writer.write('text')
    await writer.write(new Uint8Array([1, 2]))
    await writer.write(new Uint8Array([0, 3, 0]).subarray(1, 2))
    await writer.write(new Uint8Array([4]).buffer)
    await writer.write(5)
    const reader = readable.getReader()
    const seen: unknown[] = []
    while (seen.length < 5) {
      const { value } = await reader.read()
      seen.push(typeof value === 'string' ? value : [...(value as Uint8Array)])
    }
    expect(seen).toEqual(['text', [1, 2], [3], [4], '5'])
    stream.close({ closeCode: 3000, reason: 'mine' })
    expect(await stream.closed).toEqual({ closeCode: 3000, reason: expect.any(String) })
    expect(await reader.read()).toEqual({ done: true, value: undefined })
  })

  test('no connection rejects both, with the cause', async () => {
    const stream = new WebSocketStream(`ws://127.0.0.1:${await unusedPort()}`)
    await expect(stream.opened).rejects.toEqual(lost)
    await expect(stream.closed).rejects.toEqual(lost)
    await expect(stream.opened).rejects.toMatchObject({ cause: { code: 'CONNECT_FAILED' } })
    const refused = new WebSocketStream((await server()).url, { protocols: ['unknown'] })
    await expect(refused.opened).rejects.toMatchObject({ cause: { code: 'HANDSHAKE_SUBPROTOCOL' } })
  })
})

describe('[S3] WebSocketError', () => {
  test('its defaults', () => {
    const error = new WebSocketStreamError()
    expect(error).toBeInstanceOf(DOMException)
    expect([error.name, error.code, error.message, error.closeCode, error.reason]).toEqual([
      'WebSocketError',
      0,
      '',
      null,
      '',
    ])
  })
  test.each([1000, 3000, 4999])('closeCode %i', (closeCode) => {
    expect(new WebSocketStreamError('a', { closeCode }).closeCode).toBe(closeCode)
  })
  test.each([999, 1001, 2999, 5000])('closeCode %i may not be sent', (closeCode) => {
    expect(() => new WebSocketStreamError('a', { closeCode })).toThrow(named('InvalidAccessError'))
  })
  test('a reason means 1000, and has at most 123 bytes', () => {
    expect(new WebSocketStreamError('', { reason: 'a' }).closeCode).toBe(1000)
    expect(() => new WebSocketStreamError('', { reason: 'ä'.repeat(62) })).toThrow(named('SyntaxError'))
  })
})

describe('[S4] closing', () => {
  /** An open stream, and how the server saw it end. */
  async function open() {
    const { url, connections } = await server()
    const stream = new WebSocketStream(url)
    const info = await stream.opened
    const seen = async () => {
      const { code, reason } = await (connections[0] as WebSocketConnection).closed
      return [code, reason]
    }
    return { stream, seen, ...info }
  }
  const mine = new WebSocketStreamError('', { closeCode: 3333, reason: 'mine' })

  test('close() checks its arguments', async () => {
    const { stream } = await open()
    expect(() => stream.close(true as never)).toThrow(TypeError)
    expect(() => stream.close({ closeCode: 1001 })).toThrow(named('InvalidAccessError'))
    expect(() => stream.close({ reason: 'a'.repeat(124) })).toThrow(named('SyntaxError'))
    stream.close()
    await stream.closed
  })
  test.each([
    [{}, [1005, '']],
    [{ reason: 'a' }, [1000, 'a']],
    [{ closeCode: 4000, reason: 'a' }, [4000, 'a']],
  ])('close(%j)', async (info, expected) => {
    const { stream, seen } = await open()
    stream.close(info)
    expect(await seen()).toEqual(expected)
  })
  test('the writer’s close() is done when the closing handshake is', async () => {
    const { stream, seen, writable } = await open()
    const writer = writable.getWriter()
    void writer.write('last')
    await writer.close()
    expect(await seen()).toEqual([1005, ''])
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' })
  })
  test.each<[string, unknown, unknown]>([
    ['an error of this kind', mine, [3333, 'mine']],
    ['one without a code', new WebSocketStreamError(), [1005, '']],
    ['all else', new Error('mine'), [1005, '']],
  ])('cancel() and abort() with %s', async (_name, reason, expected) => {
    const one = await open()
    await one.readable.cancel(reason)
    expect(await one.seen()).toEqual(expected)
    const two = await open()
    await two.writable.abort(reason)
    expect(await two.seen()).toEqual(expected)
    await one.stream.closed
    await two.stream.closed
  })
})

test('[S5] a closing handshake that is not completed rejects', async () => {
  const { url, connections } = await server()
  const stream = new WebSocketStream(url)
  const { readable, writable } = await stream.opened
  connections[0]?.terminate()
  await expect(stream.closed).rejects.toEqual(lost)
  await expect(readable.getReader().read()).rejects.toEqual(lost)
  await expect(writable.getWriter().write('late')).rejects.toEqual(lost)
})

test('[S6] a close of the peer: its code and reason; what came before is read, what is written fails', async () => {
  const { url } = await server((socket) => {
    socket.send('1')
    socket.send('2')
    socket.close(4001, 'theirs')
  })
  const stream = new WebSocketStream(url)
  const { readable, writable } = await stream.opened
  expect(await stream.closed).toEqual({ closeCode: 4001, reason: 'theirs' })
  const reader = readable.getReader()
  expect([await reader.read(), await reader.read(), await reader.read()].map(({ value }) => value)).toEqual([
    '1',
    '2',
    undefined,
  ])
  await expect(writable.getWriter().write('late')).rejects.toEqual(named('InvalidStateError'))
})

describe('[S7] signal', () => {
  test('aborted before and during the handshake', async () => {
    const before = new WebSocketStream((await server()).url, { signal: AbortSignal.abort() })
    await expect(before.opened).rejects.toEqual(named('AbortError'))
    await expect(before.closed).rejects.toEqual(named('AbortError'))
    const silent = await rawServer(({ index }) => index === 0 && controller.abort())
    const controller = new AbortController()
    const during = new WebSocketStream(silent.url, { signal: controller.signal })
    await expect(during.opened).rejects.toEqual(named('AbortError'))
    await gone(silent.sockets[0] as never)
  })
  test('has no effect once there is a connection', async () => {
    const controller = new AbortController()
    const stream = new WebSocketStream((await server()).url, { signal: controller.signal })
    const { readable, writable } = await stream.opened
    controller.abort()
    await writable.getWriter().write('a')
    expect((await readable.getReader().read()).value).toBe('a')
    stream.close()
    await stream.closed
  })
  test('close() before it is open rejects both', async () => {
    const silent = await rawServer(() => {})
    const stream = new WebSocketStream(silent.url)
    stream.close()
    await expect(stream.opened).rejects.toEqual(lost)
    await expect(stream.closed).rejects.toEqual(lost)
  })
})

describe('[S8] backpressure', () => {
  test('[S9] a write waits for a peer that does not read, and is rejected if it waits in vain', async () => {
    const raw = await rawServer(({ socket, accept }) => {
      socket.pause()
      socket.write(switching(accept))
    })
    const stream = new WebSocketStream(raw.url)
    const { writable } = await stream.opened
    const writer = writable.getWriter()
    let writes = 0
    let waiting = false
    let last: Promise<unknown> = Promise.resolve()
    const mebibyte = new Uint8Array(1024 * 1024)
    while (!waiting && writes < 100) {
      const written = writer.write(mebibyte).then(() => 'written')
      written.catch(() => {})
      last = written
      const first = await Promise.race([written, new Promise((resolve) => setTimeout(resolve, 200, 'waiting'))])
      waiting = first === 'waiting'
      writes++
    }
    expect(waiting).toBe(true)
    raw.sockets[0]?.destroy()
    await expect(stream.closed).rejects.toEqual(lost)
    await expect(last).rejects.toEqual(named('InvalidStateError'))
  })

  test('a peer waits for a reader that does not read', async () => {
    const { url, connections } = await server((socket) => {
      while (socket.send(new Uint8Array(65_536)));
    })
    const stream = new WebSocketStream(url)
    const { readable } = await stream.opened
    const socket = connections[0] as WebSocketConnection
    expect(socket.bufferedAmount).toBeGreaterThan(0)
    const { messagesOut } = socket.stats()
    const drained = socket.drained()
    const reader = readable.getReader()
    for (let count = 0; count < messagesOut; count++) expect((await reader.read()).value).toHaveLength(65_536)
    await drained
    await reader.cancel()
  })
})

describe('[S9] what can be written', () => {
  test.each<[string, () => unknown]>([
    ['what cannot be made text', () => Symbol('a')],
    ['a view of shared memory', () => new Uint8Array(new SharedArrayBuffer(1))],
    ['a resizable ArrayBuffer', () => Reflect.construct(ArrayBuffer, [1, { maxByteLength: 2 }])],
  ])('%s is refused', async (_name, make) => {
    const stream = new WebSocketStream((await server()).url)
    const { writable } = await stream.opened
    await expect(writable.getWriter().write(make())).rejects.toThrow(TypeError)
    stream.close()
    await stream.closed
  })
})
