// A client that connects again: what it tells, what it sends, when it gives up. The waits are made short; how long they take is
// never looked at.

import { once } from 'node:events'
import { type WebSocketConnection, WebSocketServer } from '@ws/server'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type GaveUpEvent,
  type ReconnectingEventMap,
  ReconnectingWebSocket,
  type ReconnectingWebSocketOptions,
  WebSocket,
} from '../src/index.ts'
import { closeFrame, FrameReader, frame } from './support/frames.ts'
import { echoPeer, peer } from './support/peer.ts'
import { closed, header, rawServer, switching, unusedPort } from './support/raw-server.ts'

const QUICK: ReconnectingWebSocketOptions = { baseDelay: 1, maxDelay: 5 }
/** No test waits for an attempt that is made after this. */
const NEVER = 2_000_000

/** A client that is ended with the test, and its events from the beginning. */
function client(
  url: ConstructorParameters<typeof ReconnectingWebSocket>[0],
  options: ReconnectingWebSocketOptions = {},
) {
  const end = new AbortController()
  const socket = new ReconnectingWebSocket(url, { ...QUICK, signal: end.signal, ...options })
  const seen: string[] = []
  for (const type of ['open', 'reconnecting', 'gaveup', 'error', 'close']) {
    socket.addEventListener(type, () => seen.push(type))
  }
  const messages: unknown[] = []
  socket.addEventListener('message', ({ data }) => messages.push(data))
  onTestFinished(async () => {
    if (socket.readyState === 3) return
    const over = next(socket, 'close')
    end.abort()
    await over
  })
  return { socket, seen, messages }
}

function next<Name extends keyof ReconnectingEventMap>(
  socket: ReconnectingWebSocket,
  type: Name,
): Promise<ReconnectingEventMap[Name]> {
  return new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }))
}

/** A server that can go away and come back at its port. */
async function restartable(port = 0) {
  const connections: WebSocketConnection[] = []
  const received: unknown[] = []
  const start = async (at: number) => {
    const server = await WebSocketServer.listen({ port: at, host: '127.0.0.1' })
    server.on('connection', (socket) => {
      connections.push(socket)
      socket.on('message', (data) => received.push(String(data)))
    })
    return server
  }
  let server: WebSocketServer | undefined = await start(port)
  const address = server.address() as { port: number }
  const stop = async () => {
    await server?.close({ timeout: 0 })
    server = undefined
  }
  onTestFinished(stop)
  const restart = async () => {
    server = await start(address.port)
  }
  return { url: `ws://127.0.0.1:${address.port}`, connections, received, stop, restart }
}

test('the way it is used', async () => {
  const { url } = await echoPeer()
  const socket = new ReconnectingWebSocket(url)
  const seen: unknown[] = [socket.readyState, socket.url]
  await new Promise<void>((resolve) => {
    socket.onopen = () => seen.push(socket.send('hello'), socket.readyState)
    socket.onmessage = ({ data, origin }) => {
      seen.push(data, origin)
      socket.close(1000)
    }
    socket.onclose = ({ code, reason, wasClean }) => {
      seen.push(code, reason, wasClean, socket.readyState, socket.failure)
      resolve()
    }
    socket.onerror = socket.onreconnecting = socket.ongaveup = () => seen.push('unexpected')
  })
  expect(seen).toEqual([0, `${url}/`, 'sent', 1, 'hello', url, 1000, '', true, 3, undefined])
  expect([socket.onopen, socket.onmessage, socket.onclose, socket.onerror].map((handler) => typeof handler)).toEqual(
    Array(4).fill('function'),
  )
  expect([typeof socket.onreconnecting, typeof socket.ongaveup]).toEqual(['function', 'function'])
})

test('constants and attributes of the interface', async () => {
  const server = await peer({ protocols: ['a'] })
  const { socket } = client(server.url, { protocols: 'a', perMessageDeflate: false })
  expect([socket.protocol, socket.extensions, socket.bufferedAmount, socket.binaryType]).toEqual(['', '', 0, 'blob'])
  expect([ReconnectingWebSocket.CONNECTING, ReconnectingWebSocket.OPEN]).toEqual([0, 1])
  expect([socket.CLOSING, socket.CLOSED, ReconnectingWebSocket.CLOSING, ReconnectingWebSocket.CLOSED]).toEqual([
    2, 3, 2, 3,
  ])
  await next(socket, 'open')
  expect([socket.protocol, socket.extensions]).toEqual(['a', ''])
})

describe('a server that is away', () => {
  test('at the beginning: it is tried again until it is there, and no error is reported', async () => {
    const port = await unusedPort()
    const { socket, seen } = client(`ws://127.0.0.1:${port}`)
    const causes: unknown[] = []
    socket.onreconnecting = ({ attempt, info }) => causes.push([attempt, info.code, (info.cause as Error).message])
    await next(socket, 'reconnecting')
    await next(socket, 'reconnecting')
    await restartable(port)
    await next(socket, 'open')
    socket.onreconnecting = null // the server goes before the client
    expect(seen.filter((type) => type !== 'reconnecting')).toEqual(['open'])
    const refused = expect.stringContaining(`cannot connect to 127.0.0.1:${port}: the connection was refused`)
    expect(causes.slice(0, 2)).toEqual([
      [1, 1006, refused],
      [2, 1006, refused],
    ])
  })

  test('in the middle: what is sent meanwhile waits, in order, and nothing comes twice', async () => {
    const server = await restartable()
    const { socket, seen } = client(server.url)
    await next(socket, 'open')
    expect(socket.send('1')).toBe('sent')
    socket.send('2')
    await once(server.connections[0] as WebSocketConnection, 'message')
    await server.stop()
    expect(await next(socket, 'reconnecting')).toMatchObject({ attempt: expect.any(Number) })
    expect([socket.readyState, socket.send('3'), socket.send(new TextEncoder().encode('4'))]).toEqual([
      0,
      'queued',
      'queued',
    ])
    expect(socket.send(new Blob(['5']))).toBe('queued')
    expect(socket.bufferedAmount).toBe(3)
    socket.onopen = () => expect(socket.send('6')).toBe('sent')
    await server.restart()
    await next(socket, 'open')
    expect(socket.send('7')).toBe('sent')
    while (server.received.length < 7) await once(server.connections[1] as WebSocketConnection, 'message')
    expect(server.received).toEqual(['1', '2', '3', '4', '5', '6', '7'])
    expect(socket.bufferedAmount).toBe(0)
    expect(seen.filter((type) => type !== 'reconnecting')).toEqual(['open', 'open'])
  })

  test('bytes that wait are those of the call; binaryType holds for every connection', async () => {
    const server = await echoPeer()
    const { socket, messages } = client(server.url)
    socket.binaryType = 'arraybuffer'
    const bytes = new Uint8Array([9, 1, 2, 9])
    expect(socket.send(bytes.subarray(1, 3))).toBe('queued')
    expect(socket.send(bytes.buffer)).toBe('queued')
    bytes.fill(0)
    await next(socket, 'message')
    await next(socket, 'message')
    server.connections[0]?.terminate()
    await next(socket, 'open')
    socket.send('text')
    socket.send(new Uint8Array([3]))
    await next(socket, 'message')
    await next(socket, 'message')
    const bytesOf = (data: unknown) => (typeof data === 'string' ? data : [...new Uint8Array(data as ArrayBuffer)])
    expect(messages.map(bytesOf)).toEqual([[1, 2], [9, 1, 2, 9], 'text', [3]])
    socket.binaryType = 'other' as 'blob'
    expect(socket.binaryType).toBe('arraybuffer')
    socket.binaryType = 'blob'
    socket.send(new Uint8Array([4]))
    expect((await next(socket, 'message')).data).toBeInstanceOf(Blob)
  })
})

describe('maxQueue', () => {
  test('each message counts 64 bytes more than it has; what does not fit is dropped', async () => {
    const { socket } = client(`ws://127.0.0.1:${await unusedPort()}`, { maxQueue: 2 * 64 + 3 })
    expect([socket.send('ä'), socket.send('b'), socket.send('')]).toEqual(['queued', 'queued', 'dropped'])
    expect(socket.bufferedAmount).toBe(3)
  })

  test('above maxBackpressure it is refused, for what waits is handed over at once', () => {
    const url = 'ws://localhost'
    const refused = (message: string) => expect.objectContaining({ code: 'USAGE', message })
    const most = 'option maxQueue (1048576 by default) must be at most maxBackpressure'
    expect(() => new ReconnectingWebSocket(url, { maxQueue: 16_777_217 })).toThrow(
      refused(`${most}, 16777216; got 16777217`),
    )
    expect(() => new ReconnectingWebSocket(url, { maxBackpressure: 99 })).toThrow(refused(`${most}, 99; got 1048576`))
  })

  test('all of it goes out on one connection that takes as much', async () => {
    const server = await restartable()
    const size = 1_000
    const { socket, seen } = client(() => server.url, {
      maxQueue: 100 * (size + 64),
      maxBackpressure: 100 * (size + 64),
    })
    for (let index = 0; index < 100; index++) expect(socket.send(`${index}`.padEnd(size))).toBe('queued')
    expect(socket.send('')).toBe('dropped')
    await next(socket, 'open')
    while (server.received.length < 100) await once(server.connections[0] as WebSocketConnection, 'message')
    expect(server.received.map(Number)).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect(seen).toEqual(['open'])
  })

  test('what a socket does not take any more waits for the next one, in order', async () => {
    const server = await restartable()
    /** Takes one message, and ends. */
    class Narrow extends WebSocket {
      override send(data: string): void {
        super.send(data)
        this.close(4000)
      }
    }
    const { socket } = client(() => server.url, { WebSocket: Narrow })
    for (const data of ['1', '2', '3', '4']) expect(socket.send(data)).toBe('queued')
    for (let index = 0; index < 4; index++) {
      await next(socket, 'open')
      expect(socket.bufferedAmount).toBeGreaterThanOrEqual(3 - index)
    }
    while (server.received.length < 4) await once(server.connections[3] as WebSocketConnection, 'message')
    expect(server.received).toEqual(['1', '2', '3', '4'])
  })

  test('0 keeps nothing; a smaller message may still fit', async () => {
    const url = `ws://127.0.0.1:${await unusedPort()}`
    expect(client(url, { maxQueue: 0 }).socket.send('')).toBe('dropped')
    const { socket } = client(url, { maxQueue: 70 })
    expect([socket.send('a'.repeat(7)), socket.send('a'.repeat(6))]).toEqual(['dropped', 'queued'])
  })
})

describe('close()', () => {
  test('during the wait ends it: error and close, and no further attempt', async () => {
    const { socket, seen } = client(`ws://127.0.0.1:${await unusedPort()}`, { baseDelay: NEVER, maxDelay: NEVER })
    await next(socket, 'reconnecting')
    socket.send('lost')
    socket.close(3000, 'bye')
    expect([socket.readyState, socket.send('late'), seen]).toEqual([2, 'dropped', ['reconnecting']])
    const { code, reason, wasClean } = await next(socket, 'close')
    expect([code, reason, wasClean, socket.bufferedAmount]).toEqual([1006, '', false, 0])
    expect(seen).toEqual(['reconnecting', 'error', 'close'])
    expect(socket.failure).toMatchObject({ code: 'HANDSHAKE_ABORTED' })
    socket.close()
    expect(socket.readyState).toBe(3)
  })

  test('during an attempt ends that, and the server sees it', async () => {
    let asked = (): void => {}
    const request = new Promise<void>((resolve) => {
      asked = resolve
    })
    const server = await rawServer(() => asked())
    const { socket, seen } = client(server.url)
    await request
    socket.close()
    await next(socket, 'close')
    await closed(server.sockets[0] as never)
    expect(seen).toEqual(['error', 'close'])
    expect(server.sockets).toHaveLength(1)
  })

  test('while the URL is awaited', async () => {
    const { socket, seen } = client(() => new Promise<string>(() => {}))
    expect(socket.url).toBe('')
    socket.close()
    await next(socket, 'close')
    expect(seen).toEqual(['error', 'close'])
  })

  test('checks its arguments before anything happens', async () => {
    const { socket } = client((await echoPeer()).url)
    await next(socket, 'open')
    expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    expect(() => socket.close(1000, 'ä'.repeat(62))).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    expect(socket.readyState).toBe(1)
  })

  test('a connection that is lost while it closes is not tried again', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const { socket, seen } = client(server.url)
    await next(socket, 'open')
    socket.close(1000)
    expect(socket.readyState).toBe(2)
    server.sockets[0]?.destroy()
    expect(await next(socket, 'close')).toMatchObject({ code: 1006, wasClean: false })
    expect(seen).toEqual(['open', 'error', 'close'])
  })
})

describe('shouldReconnect may decide otherwise by itself', () => {
  test('close() in it: one end, and no connection', async () => {
    const server = await rawServer(({ socket, accept }) => socket.end(switching(accept)))
    const { socket, seen } = client(server.url, {
      shouldReconnect: () => {
        socket.close()
        return true
      },
    })
    await next(socket, 'close')
    expect([seen, socket.readyState]).toEqual([['open', 'error', 'close'], 3])
    expect(socket.failure).toMatchObject({ code: 'HANDSHAKE_ABORTED' })
    await new Promise((resolve) => setTimeout(resolve, 20)) // another attempt would come in this time
    expect([seen.length, server.sockets.length, socket.readyState]).toEqual([3, 1, 3])
  })

  test.each([true, false])('reconnect() in it, whatever it returns (%s): one more connection', async (again) => {
    const server = await restartable()
    const { socket, seen } = client(server.url, {
      shouldReconnect: () => {
        socket.reconnect()
        return again
      },
    })
    await next(socket, 'open')
    server.connections[0]?.terminate()
    await next(socket, 'open')
    await new Promise((resolve) => setTimeout(resolve, 20)) // a second one would come in this time
    expect(seen).toEqual(['open', 'reconnecting', 'open'])
    expect(server.connections).toHaveLength(2)
    expect(socket.send('still there')).toBe('sent')
    await once(server.connections[1] as WebSocketConnection, 'message')
  })
})

describe('reconnect()', () => {
  test('ends a wait', async () => {
    const server = await restartable()
    const { socket } = client(server.url, { baseDelay: NEVER, maxDelay: NEVER })
    await next(socket, 'open')
    server.connections[0]?.terminate()
    await next(socket, 'reconnecting')
    const told = next(socket, 'reconnecting')
    socket.reconnect()
    expect(await told).toMatchObject({ attempt: 0, delay: 0, info: { code: 1000, retryable: true } })
    await next(socket, 'open')
    expect(server.connections).toHaveLength(2)
  })

  test('closes an open connection, and begins the next when that is over: never two at once', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const { socket, seen } = client(server.url)
    await next(socket, 'open')
    const [first] = server.sockets
    const reader = new FrameReader(first as never)
    first?.write(frame(0x81, 'late'))
    socket.reconnect()
    expect(socket.readyState).toBe(0)
    expect(socket.send('for the next')).toBe('queued')
    expect((await reader.next()).payload.readUInt16BE()).toBe(1000)
    await new Promise((resolve) => setTimeout(resolve, 20)) // a second one would come in this time
    expect(server.sockets).toHaveLength(1)
    first?.end(closeFrame(1000))
    await next(socket, 'open')
    expect(seen).toEqual(['open', 'reconnecting', 'open'])
    expect(String((await new FrameReader(server.sockets[1] as never).next()).payload)).toBe('for the next')
  })

  test('of one that does not answer the Close waits for a time, and cuts it', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const { socket } = client(server.url)
    await next(socket, 'open')
    socket.reconnect()
    await next(socket, 'open')
    expect(server.sockets).toHaveLength(2)
    await closed(server.sockets[0] as never)
  })

  test('begins again after the end, and within the events of it', async () => {
    const server = await restartable()
    const { socket, seen } = client(server.url)
    await next(socket, 'open')
    socket.close()
    await next(socket, 'close')
    socket.reconnect()
    await next(socket, 'open')
    socket.ongaveup = () => socket.reconnect()
    server.connections[1]?.close(1000)
    await next(socket, 'open')
    expect(seen).toEqual(['open', 'close', 'reconnecting', 'open', 'gaveup', 'reconnecting', 'open'])
    socket.ongaveup = null
    socket.onerror = () => socket.reconnect()
    socket.addEventListener('reconnecting', () => socket.close(), { once: true })
    server.connections[2]?.terminate()
    await next(socket, 'open')
    expect(seen.slice(7)).toEqual(['reconnecting', 'error', 'reconnecting', 'open'])
    socket.onerror = null
  })

  test('takes back a close() that is under way', async () => {
    const server = await restartable()
    const { socket, seen } = client(server.url)
    await next(socket, 'open')
    socket.close()
    socket.reconnect()
    await next(socket, 'open')
    expect(seen).toEqual(['open', 'reconnecting', 'open'])
  })
})

describe('when it gives up', () => {
  const FINAL = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003]
  test.each(FINAL)('close code %i: gaveup and close', async (code) => {
    const server = await rawServer(({ socket, accept }) =>
      socket.end(Buffer.concat([Buffer.from(switching(accept)), closeFrame(code, 'why')])),
    )
    const { socket, seen } = client(server.url)
    const gaveUp = next(socket, 'gaveup')
    expect(await next(socket, 'close')).toMatchObject({ code, reason: 'why', wasClean: true })
    expect(seen).toEqual(['open', 'gaveup', 'close'])
    const { attempts, info } = (await gaveUp) as GaveUpEvent
    expect([attempts, info]).toEqual([
      1,
      { code, reason: 'why', wasClean: true, status: undefined, cause: undefined, retryable: false },
    ])
  })

  test.each([undefined, 1001, 1011, 1012, 1013, 1014, 3001, 4000, 4999])('close code %s: it goes on', async (code) => {
    const server = await rawServer(({ socket, accept, index }) => {
      socket.write(switching(accept))
      if (index === 0) socket.end(closeFrame(code))
    })
    const { socket } = client(server.url)
    const { info } = await next(socket, 'reconnecting')
    expect([info.code, info.wasClean, info.retryable]).toEqual([code ?? 1005, true, true])
    await next(socket, 'open')
  })

  test('a violation that we found ourselves is one as well', async () => {
    const server = await rawServer(({ socket, accept }) =>
      socket.write(Buffer.concat([Buffer.from(switching(accept)), frame(0x83)])),
    )
    const { socket, seen } = client(server.url)
    await next(socket, 'close')
    expect(seen).toEqual(['open', 'gaveup', 'error', 'close'])
    expect(socket.failure).toMatchObject({ code: 'RESERVED_OPCODE' })
  })

  const answer = (status: number, ...lines: string[]) =>
    [`HTTP/1.1 ${status} No`, 'Content-Length: 0', 'Connection: close', ...lines, '', ''].join('\r\n')

  test.each([400, 401, 403, 404, 426])('status %i: gaveup, error and close', async (status) => {
    const server = await rawServer(({ socket }) => socket.end(answer(status)))
    const { socket, seen } = client(server.url)
    const { info } = await next(socket, 'gaveup')
    expect([info.status, info.retryable, info.code]).toEqual([status, false, 1006])
    expect(seen).toEqual(['gaveup', 'error', 'close'])
    expect(socket.failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status })
  })

  test.each([302, 408, 425, 429, 500, 503])('status %i: it goes on', async (status) => {
    const server = await rawServer(({ socket }) => socket.end(answer(status)))
    const { info } = await next(client(server.url).socket, 'reconnecting')
    expect([info.status, info.retryable]).toEqual([status, true])
  })

  test('Retry-After is heeded; a date is not', async () => {
    const server = await rawServer(({ socket, index }) => {
      socket.end(answer(503, `Retry-After: ${index === 0 ? 'Wed, 21 Oct 2037 07:28:00 GMT' : '120'}`))
    })
    const { socket } = client(server.url, { baseDelay: 10, maxDelay: 10 })
    expect((await next(socket, 'reconnecting')).delay).toBeLessThanOrEqual(10)
    const { delay } = await next(socket, 'reconnecting')
    expect(delay).toBeGreaterThan(120_000) // chance comes on top, so that clients do not come back together
    expect(delay).toBeLessThan(120_010)
  })

  test.each([
    ['3601', 3_600_000],
    ['Infinity', 3_600_000],
    ['-5', 0],
  ])('Retry-After of %s seconds asks for %i ms', async (seconds, wait) => {
    const { url } = await rawServer(({ socket }) => socket.end(answer(503, `Retry-After: ${seconds}`)))
    const { delay } = await next(client(url, { baseDelay: 10 }).socket, 'reconnecting')
    expect(delay).toBeGreaterThanOrEqual(wait)
    expect(delay).toBeLessThan(wait + 10)
  })

  test('no wait is longer than a timer can be', async () => {
    const { url } = await rawServer(({ socket }) => socket.end(answer(503, 'Retry-After: 3600')))
    const longest = 2 ** 31 - 1
    vi.spyOn(Math, 'random').mockReturnValue(0.999_999_999)
    onTestFinished(() => void vi.restoreAllMocks())
    const { socket } = client(url, { baseDelay: longest, maxDelay: longest })
    expect((await next(socket, 'reconnecting')).delay).toBe(longest)
  })

  test('after maxAttempts in a row', async () => {
    const { socket, seen } = client(`ws://127.0.0.1:${await unusedPort()}`, { maxAttempts: 2 })
    expect(await next(socket, 'gaveup')).toMatchObject({ attempts: 3, info: { retryable: true } })
    expect(socket.readyState).toBe(3)
    expect(seen).toEqual(['reconnecting', 'reconnecting', 'gaveup', 'error', 'close'])
    expect(socket.failure).toMatchObject({ code: 'CONNECT_FAILED' })
  })

  test('when shouldReconnect says so, or throws', async () => {
    const { url } = await rawServer(({ socket, accept }) =>
      socket.end(Buffer.concat([Buffer.from(switching(accept)), closeFrame(4001)])),
    )
    const { socket } = client(url, { shouldReconnect: ({ code, retryable }) => retryable && code !== 4001 })
    expect((await next(socket, 'gaveup')).info.code).toBe(4001)
    const mistake = new Error('mine')
    const thrower = client(url, {
      shouldReconnect: () => {
        throw mistake
      },
    })
    expect((await next(thrower.socket, 'gaveup')).info).toMatchObject({ code: 4001, cause: mistake })
    expect(thrower.socket.failure).toBe(mistake)
    let asked = 0
    const stubborn = client(`ws://127.0.0.1:${await unusedPort()}`, { shouldReconnect: () => ++asked < 3 })
    await next(stubborn.socket, 'close')
    expect(stubborn.seen).toEqual(['reconnecting', 'reconnecting', 'gaveup', 'error', 'close'])
  })
})

describe('the waits', () => {
  test('full jitter: anything up to the doubled base, and never above the cap', async () => {
    const { socket } = client(`ws://127.0.0.1:${await unusedPort()}`, { baseDelay: 1, maxDelay: 6 })
    const delays: number[] = []
    socket.onreconnecting = ({ delay }) => delays.push(delay)
    for (let attempt = 0; attempt < 12; attempt++) await next(socket, 'reconnecting')
    for (const [index, delay] of delays.entries()) {
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThan(Math.min(6, 2 ** index))
    }
    expect(new Set(delays).size).toBeGreaterThan(6)
  })

  test.each([
    [0, [1, 1, 1]],
    [NEVER, [1, 2, 3]],
  ])('a connection that held for stableAfter (%i ms) begins them anew', async (stableAfter, attempts) => {
    const server = await rawServer(({ socket, accept }) =>
      socket.end(Buffer.concat([Buffer.from(switching(accept)), closeFrame(1001)])),
    )
    const { socket } = client(server.url, { stableAfter })
    const seen: number[] = []
    for (const _ of attempts) seen.push((await next(socket, 'reconnecting')).attempt)
    expect(seen).toEqual(attempts)
  })
})

describe('values for each attempt', () => {
  test('functions are called again, and may be asynchronous', async () => {
    const server = await rawServer(({ socket, accept, index }) => {
      socket.write(switching(accept, `Sec-WebSocket-Protocol: p${index}`))
      if (index === 0) socket.end(closeFrame(1001))
    })
    let calls = 0
    const { socket } = client(async () => `${server.url}/${calls++}`, {
      protocols: () => [`p${server.requests.length}`],
      headers: async () => ({ Authorization: `Bearer ${server.requests.length}` }),
    })
    await next(socket, 'open')
    await next(socket, 'open')
    expect(socket.url).toBe(`${server.url}/1`)
    expect(server.requests.map((head) => head.split(' ')[1])).toEqual(['/0', '/1'])
    const sent = (name: string) => server.requests.map((head) => header(head, name))
    expect(sent('Authorization')).toEqual(['Bearer 0', 'Bearer 1'])
    expect(sent('Sec-WebSocket-Protocol')).toEqual(['p0', 'p1'])
  })

  test('lists that can be gone through only once serve every attempt', async () => {
    const server = await rawServer(({ socket, accept, index }) => {
      socket.write(switching(accept, 'Sec-WebSocket-Protocol: a'))
      if (index === 0) socket.end(closeFrame(1001))
    })
    const { socket } = client(server.url, {
      protocols: ['a', 'b'].values(),
      headers: new Headers({ 'X-Own': 'mine' }).entries(),
    })
    await next(socket, 'open')
    await next(socket, 'open')
    expect(server.requests.map((head) => header(head, 'X-Own'))).toEqual(['mine', 'mine'])
    expect(server.requests.map((head) => header(head, 'Sec-WebSocket-Protocol'))).toEqual(['a, b', 'a, b'])
  })

  test('the function may be the second argument', async () => {
    const server = await peer({ protocols: ['a'] })
    const socket = new ReconnectingWebSocket(server.url, () => 'a')
    await next(socket, 'open')
    expect(socket.protocol).toBe('a')
    socket.close()
    await next(socket, 'close')
  })

  test('one that fails is a failed attempt, with its cause', async () => {
    const away = new Error('no token')
    const server = await echoPeer()
    let calls = 0
    const { socket } = client(() => {
      if (calls++ === 0) throw away
      return server.url
    })
    expect((await next(socket, 'reconnecting')).info).toMatchObject({ code: 1006, cause: away, retryable: true })
    await next(socket, 'open')
  })

  test('one that never gets done is a failed attempt', async () => {
    const { socket } = client(() => new Promise<string>(() => {}), { handshakeTimeout: 5 })
    expect((await next(socket, 'reconnecting')).info.cause).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: 'no connection within 5 ms',
    })
  })

  test.each<[string, () => unknown, ReconnectingWebSocketOptions]>([
    ['a URL', () => 'nowhere', {}],
    ['protocols', () => 'ws://localhost', { protocols: () => 'a b' }],
    ['a list of protocols', () => 'ws://localhost', { protocols: () => ({}) as string[] }],
    ['headers', () => 'ws://localhost', { headers: () => ({ 'Sec-WebSocket-Key': 'mine' }) }],
  ])('%s that cannot be meant ends it', async (_name, url, options) => {
    const { socket, seen } = client(url as () => string, options)
    expect((await next(socket, 'gaveup')).info).toMatchObject({ retryable: false, cause: expect.any(Error) })
    expect(seen).toEqual(['gaveup', 'error', 'close'])
  })
})

describe('heartbeat', () => {
  /** The first connection opens and is silent from then on. */
  async function silentFirst() {
    return await rawServer(({ socket, accept }) => socket.write(switching(accept)))
  }

  test('pings by default: a server that does not answer is left', async () => {
    const server = await silentFirst()
    const { socket } = client(server.url, { heartbeat: { interval: 5, timeout: 5 } })
    const { info } = await next(socket, 'reconnecting')
    expect(info).toMatchObject({ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' }, retryable: true })
    await closed(server.sockets[0] as never)
  })

  test('made of messages: a server that does not answer is left', async () => {
    const server = await silentFirst()
    const { socket } = client(server.url, { heartbeat: { interval: 5, timeout: 5, message: () => 'there?' } })
    await next(socket, 'open')
    const question = await new FrameReader(server.sockets[0] as never).next()
    expect(String(question.payload)).toBe('there?')
    const { info } = await next(socket, 'reconnecting')
    expect(info.cause).toMatchObject({
      code: 'HEARTBEAT_TIMEOUT',
      message: 'no message after the heartbeat',
    })
    await closed(server.sockets[0] as never)
    await next(socket, 'open')
  })

  test('a question that cannot be made: the connection is left for that cause', async () => {
    const server = await silentFirst()
    const mistake = new Error('mine')
    const message = () => {
      throw mistake
    }
    const { socket } = client(server.url, { heartbeat: { interval: 5, timeout: NEVER, message } })
    expect((await next(socket, 'reconnecting')).info).toMatchObject({ code: 1006, cause: mistake, retryable: true })
    await closed(server.sockets[0] as never)
  })

  test('a question never waits for a connection', async () => {
    const server = await silentFirst()
    let asked = 0
    /** Has begun to close when the question comes. */
    const message = () => {
      asked++
      raw.at(-1)?.close()
      return 'there?'
    }
    const raw: WebSocket[] = []
    class Known extends WebSocket {
      constructor(...given: ConstructorParameters<typeof WebSocket>) {
        super(...given)
        raw.push(this)
      }
    }
    const heartbeat = { interval: 5, timeout: 5, message }
    const { socket } = client(server.url, { WebSocket: Known, heartbeat, baseDelay: NEVER, maxDelay: NEVER })
    await next(socket, 'reconnecting')
    expect(asked).toBeGreaterThan(0)
    expect(socket.bufferedAmount).toBe(0)
  })

  test('answers keep it, and are no events', async () => {
    const server = await echoPeer()
    let asked = 0
    let done = (): void => {}
    const often = new Promise<void>((resolve) => {
      done = resolve
    })
    const message = () => {
      if (++asked === 5) done()
      return '?'
    }
    const heartbeat = { interval: 2, timeout: 5_000, message, isReply: (data: unknown) => data === '?' }
    const { socket, messages, seen } = client(server.url, { heartbeat })
    await often
    socket.send('mine')
    await next(socket, 'message')
    expect([messages, seen]).toEqual([['mine'], ['open']])
  })
})

describe('signal', () => {
  test('ends an open connection', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const controller = new AbortController()
    const { socket, seen } = client(server.url, { signal: controller.signal })
    await next(socket, 'open')
    controller.abort('enough')
    expect(socket.readyState).toBe(2)
    await next(socket, 'close')
    await closed(server.sockets[0] as never)
    expect(seen).toEqual(['open', 'error', 'close'])
    expect(socket.failure).toMatchObject({ code: 'ABORTED', cause: 'enough' })
  })

  test('aborted before: nothing is dialled, no function is called', async () => {
    const server = await rawServer(() => {})
    let calls = 0
    const asked = () => {
      calls++
      return server.url
    }
    for (const url of [server.url, asked]) {
      const { socket, seen } = client(url, { signal: AbortSignal.abort() })
      expect([socket.url, socket.readyState]).toEqual(['', 2])
      await next(socket, 'close')
      expect(seen).toEqual(['error', 'close'])
    }
    expect([calls, server.sockets.length]).toEqual([0, 0])
  })

  test('ends the wait, and was perhaps aborted before', async () => {
    const controller = new AbortController()
    const options = { signal: controller.signal, baseDelay: NEVER, maxDelay: NEVER }
    const url = `ws://127.0.0.1:${await unusedPort()}`
    const { socket } = client(url, options)
    await next(socket, 'reconnecting')
    controller.abort()
    await next(socket, 'close')
    expect(socket.failure).toMatchObject({ code: 'ABORTED' })
    const late = client(url, options)
    await next(late.socket, 'close')
    expect(late.seen).toEqual(['error', 'close'])
  })
})

describe('another class of sockets', () => {
  test('is called with URL and subprotocols', async () => {
    const server = await peer({ protocols: ['a'] })
    const { socket } = client(server.url, { WebSocket, protocols: ['a'] })
    await next(socket, 'open')
    expect(socket.protocol).toBe('a')
    server.connections[0]?.terminate()
    await next(socket, 'open')
  })

  test('its attempts are ended after handshakeTimeout', async () => {
    const { url, sockets } = await rawServer(() => {})
    const { socket } = client(url, { WebSocket, handshakeTimeout: 20 })
    expect((await next(socket, 'reconnecting')).info.cause).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: 'no connection within 20 ms',
    })
    for (const one of sockets.slice(0, 1)) await closed(one)
  })
})

describe('what is wrong is thrown at once', () => {
  test.each(['nowhere', '/path', 'ftp://localhost', 'ws://localhost/#a'])('the URL %s', (url) => {
    expect(() => new ReconnectingWebSocket(url)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })

  test.each(['a b', ['a', 'a'], ''])('the subprotocols %j', (protocols) => {
    const make = () => new ReconnectingWebSocket('ws://localhost', protocols)
    expect(make).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })

  const usage = (message: string) =>
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) })
  test.each<[string, object]>([
    ['option baseDelay must be an integer from 0', { baseDelay: -1 }],
    ['option maxAttempts must be', { maxAttempts: 1.5 }],
    ['option shouldReconnect must be a function; got 5', { shouldReconnect: 5 }],
    ['option signal.addEventListener must be a function; got undefined', { signal: 'now' }],
    ['option heartbeat', { heartbeat: { message: 'ping' } }],
    ['option heartbeat.interval', { heartbeat: { message: () => '', interval: 0 } }],
    ['heartbeat', { heartbeat: 5 }],
    ['option maxPayload', { maxPayload: -1 }],
    ['option headers must not be given with a WebSocket class', { WebSocket, headers: {} }],
  ])('%s', (message, options) => {
    expect(() => new ReconnectingWebSocket(() => 'ws://localhost', options)).toThrow(usage(message))
    expect(() => new ReconnectingWebSocket('ws://localhost', options)).toThrow(usage(message))
  })

  test('a wrong header', () => {
    const make = () => new ReconnectingWebSocket('ws://localhost', { headers: { 'a b': 'c' } })
    expect(make).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
