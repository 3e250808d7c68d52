// The WHATWG interface: the constructor, the attributes, and the life of a connection.

import type net from 'node:net'
import v8 from 'node:v8'
import vm from 'node:vm'
import { afterEach, describe, expect, test } from 'vitest'
import { CloseEvent, ProtocolError, WebSocket, type WebSocketOptions } from '../src/index.ts'
import { closeFrame, FrameReader, frame } from './support/frames.ts'
import { echoPeer, peer } from './support/peer.ts'
import { closed, header, rawServer, switching, unusedPort } from './support/raw-server.ts'
import { event, FAILED, record } from './support/script.ts'

/** A port that answers nothing: what is written to it would be seen. */
async function silent() {
  return await rawServer(() => {})
}

/** A socket that is open, and the server's end of it. */
async function open(protocols: string | string[] | WebSocketOptions = [], ...lines: string[]) {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept, ...lines)))
  const socket = new WebSocket(server.url, protocols)
  const seen = record(socket)
  await event(socket, 'open')
  const peerSocket = server.sockets[0] as net.Socket
  return { socket, seen, server, peerSocket, reader: new FrameReader(peerSocket) }
}

test('the way it is used', async () => {
  const server = await echoPeer()
  const socket = new WebSocket(`${server.url}/updates`)
  const seen: unknown[] = []
  await new Promise<void>((resolve) => {
    socket.onopen = () => socket.send('hello')
    socket.onmessage = ({ data }) => {
      seen.push(data)
      socket.close(1000, 'done')
    }
    socket.onclose = ({ code, wasClean }) => {
      seen.push(code, wasClean)
      resolve()
    }
  })
  expect(seen).toEqual(['hello', 1000, true])
  expect(socket.failure).toBe(undefined)
})

describe('[R1] the constructor', () => {
  test('needs new, and a URL', () => {
    expect(WebSocket.length).toBe(1)
    expect(() => (WebSocket as unknown as () => void)()).toThrow(TypeError)
    expect(() => new (WebSocket as unknown as new () => WebSocket)()).toThrow(TypeError)
  })

  test.each(['ws://h/#', 'ws://h/#test', 'ftp://h/', '/relative', 'h', '', undefined as never, 'ws://'])(
    '[A2] [A5] URL %j: SyntaxError at once',
    (url) => {
      expect(() => new WebSocket(url)).toThrow(
        expect.objectContaining({ name: 'SyntaxError', code: DOMException.SYNTAX_ERR }),
      )
    },
  )

  test.each([
    [['a', 'A']],
    [['a', 'a']],
    [['a b']],
    [['/echo']],
    [['é']],
    [['']],
    [''],
    ['a,b'],
    ['\t'],
    [['\0']],
    [{ protocols: ['a', 'a'] }],
    [{ protocols: 'a b' }],
  ])('[B6] subprotocols %j: SyntaxError, and no I/O', async (protocols) => {
    const server = await silent()
    expect(() => new WebSocket(server.url, protocols)).toThrow(
      expect.objectContaining({ name: 'SyntaxError', constructor: DOMException }),
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(server.sockets).toEqual([])
  })

  test('a bad URL is told before bad subprotocols', () => {
    expect(() => new WebSocket('ftp://h', ['a', 'a'])).toThrow('URL must begin with')
  })

  test('another wrong option is a UsageError', () => {
    expect(() => new WebSocket('ws://h', { protocols: {} as string[] })).toThrow(
      'option protocols must be a string or a list of strings; got an object',
    )
    expect(() => new WebSocket('ws://h', { handshakeTimeout: -1 })).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test.each([
    ['a', 'a'],
    [['a', 'b'], 'a, b'],
    [new Set(['b', 'a']), 'b, a'],
    [{ protocols: ['a'] }, 'a'],
    [{ protocols: 'a' }, 'a'],
    [[], undefined],
    [undefined, undefined],
    [{}, undefined],
  ])('offers the subprotocols of %j', async (protocols, expected) => {
    const server = await rawServer(({ socket }) => socket.end('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'))
    const socket = new WebSocket(server.url, protocols)
    await event(socket, 'close')
    expect(header(server.requests[0] ?? '', 'Sec-WebSocket-Protocol')).toBe(expected)
  })

  test('options: headers, and what the standard fixes stays fixed', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const options = { headers: { 'X-A': '1' }, protocols: 'a', requireProtocol: false } as WebSocketOptions
    const socket = new WebSocket(server.url, options)
    const seen = record(socket)
    await event(socket, 'close')
    expect(header(server.requests[0] ?? '', 'X-A')).toBe('1')
    expect(seen).toEqual(FAILED)
  })

  test('further arguments are ignored', async () => {
    const { url } = await peer()
    const socket = new (WebSocket as unknown as new (...all: unknown[]) => WebSocket)(url, [], 'more')
    await event(socket, 'open')
    socket.close()
    await event(socket, 'close')
  })
})

describe('[R2] the interface', () => {
  test('constants on class and prototype, read-only', () => {
    for (const holder of [WebSocket, WebSocket.prototype]) {
      for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
        const expected = { value, writable: false, enumerable: true, configurable: false }
        expect(Object.getOwnPropertyDescriptor(holder, name)).toEqual(expected)
      }
    }
  })

  test.each(['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'])(
    '%s is a getter of the prototype',
    (name) => {
      const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)
      expect(property).toMatchObject({ set: undefined, enumerable: true, configurable: true })
      expect(() => property?.get?.call({})).toThrow(TypeError)
    },
  )

  test.each(['onopen', 'onmessage', 'onerror', 'onclose', 'binaryType'])(
    '%s is an attribute of the prototype',
    (name) => {
      const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)
      expect(property).toMatchObject({ get: expect.any(Function), set: expect.any(Function), enumerable: true })
    },
  )

  test('names', () => {
    expect(WebSocket.name).toBe('WebSocket')
    expect(Object.prototype.toString.call(WebSocket.prototype)).toBe('[object WebSocket]')
    expect(WebSocket.prototype).toBeInstanceOf(EventTarget)
  })
})

describe('[R3] [A5] before it is open', () => {
  test('url, readyState, extensions, protocol, bufferedAmount, binaryType', async () => {
    const server = await silent()
    const socket = new WebSocket(server.url.replace('ws:', 'HTTP:'))
    expect(socket.url).toBe(`${server.url}/`)
    expect([socket.readyState, socket.extensions, socket.protocol, socket.bufferedAmount]).toEqual([0, '', '', 0])
    expect([socket.binaryType, socket.failure]).toEqual(['blob', undefined])
    expect([socket.onopen, socket.onmessage, socket.onerror, socket.onclose]).toEqual([null, null, null, null])
    socket.close()
    await event(socket, 'close')
  })

  test('https counts as wss', async () => {
    const port = await unusedPort()
    const socket = new WebSocket(`https://u@127.0.0.1:${port}/a?b`)
    expect(socket.url).toBe(`wss://u@127.0.0.1:${port}/a?b`)
    await event(socket, 'close')
  })
})

describe('[R13] [R14] a life', () => {
  test('open, message, close: types, fields, states, each once', async () => {
    const { socket, peerSocket, server } = await open(['a', 'b'], 'Sec-WebSocket-Protocol: b')
    const events: Event[] = []
    for (const type of ['message', 'error', 'close']) socket.addEventListener(type, (one) => events.push(one))
    expect([socket.readyState, socket.protocol, socket.extensions]).toEqual([1, 'b', ''])
    peerSocket.write(Buffer.concat([frame(0x81, 'hi'), closeFrame(3001, 'bye')]))
    peerSocket.end()
    await event(socket, 'close')
    const [message, end, ...more] = events
    expect(more).toEqual([])
    expect(message).toBeInstanceOf(MessageEvent)
    expect(message).toMatchObject({
      type: 'message',
      data: 'hi',
      origin: `ws://127.0.0.1:${server.port}`,
      lastEventId: '',
    })
    expect(end).toBeInstanceOf(CloseEvent)
    expect(end).toMatchObject({ type: 'close', wasClean: true, code: 3001, reason: 'bye', target: socket })
    expect([socket.readyState, socket.protocol]).toEqual([3, 'b'])
  })

  test('the open event', async () => {
    const { url } = await peer()
    const socket = new WebSocket(url)
    const opened = await event(socket, 'open')
    expect([String(opened), opened.bubbles, opened.cancelable]).toEqual(['[object Event]', false, false])
    socket.close()
    await event(socket, 'close')
  })

  test('[C12] frames glued to the 101: open, messages, CLOSING, close, in that order', async () => {
    const server = await rawServer(({ socket, accept }) => {
      const frames = [frame(0x81, 'a'), frame(0x81, 'b'), Buffer.from('880603e950415353', 'hex')]
      socket.end(Buffer.concat([Buffer.from(switching(accept)), ...frames]))
    })
    const socket = new WebSocket(server.url)
    const seen = record(socket)
    await event(socket, 'close')
    expect(seen).toEqual([
      ['open', 1],
      ['message', 1, 'a'],
      ['message', 1, 'b'],
      ['close', 3, true, 1001, 'PASS'],
    ])
  })

  test('between two events all promises have their turn', async () => {
    const server = await rawServer(({ socket, accept }) => {
      socket.end(Buffer.concat([Buffer.from(switching(accept)), frame(0x81, 'a'), frame(0x81, 'b'), closeFrame(1000)]))
    })
    const socket = new WebSocket(server.url)
    const order: string[] = []
    const step = async (type: 'open' | 'message' | 'close') => {
      const one = await event(socket, type)
      for (let turn = 0; turn < 10; turn++) await null
      order.push(type === 'message' ? String((one as MessageEvent).data) : type)
    }
    await step('open')
    await step('message')
    await step('message')
    await step('close')
    expect(order).toEqual(['open', 'a', 'b', 'close'])
  })

  test("CLOSING while the peer's Close waits for the end of TCP", async () => {
    const { socket, peerSocket, reader, seen } = await open()
    peerSocket.write(closeFrame(1000))
    await reader.next()
    expect(socket.readyState).toBe(2)
    socket.send('too late')
    expect(socket.bufferedAmount).toBe(8)
    peerSocket.end()
    await event(socket, 'close')
    expect(seen).toEqual([
      ['open', 1],
      ['close', 3, true, 1000, ''],
    ])
  })

  test('no message after close() was called', async () => {
    const { socket, peerSocket, reader, seen } = await open()
    socket.close(1000)
    expect(socket.readyState).toBe(2)
    await reader.next()
    peerSocket.end(Buffer.concat([frame(0x81, 'late'), closeFrame(1000)]))
    await event(socket, 'close')
    expect(seen).toEqual([
      ['open', 1],
      ['close', 3, true, 1000, ''],
    ])
  })

  test('close() in the first of two messages drops the second', async () => {
    const { socket, peerSocket, seen } = await open()
    socket.onmessage = () => socket.close()
    peerSocket.end(Buffer.concat([frame(0x81, 'a'), frame(0x81, 'b'), closeFrame()]))
    await event(socket, 'close')
    expect(seen).toEqual([
      ['open', 1],
      ['message', 1, 'a'],
      ['close', 3, true, 1005, ''],
    ])
  })

  test('listeners: once, handleEvent, signal', async () => {
    const { socket, peerSocket } = await open()
    const calls: string[] = []
    const controller = new AbortController()
    socket.addEventListener('message', () => calls.push('once'), { once: true })
    socket.addEventListener('message', { handleEvent: () => calls.push('object') })
    socket.addEventListener('message', () => calls.push('signal'), { signal: controller.signal })
    controller.abort()
    peerSocket.write(frame(0x81, 'a'))
    await event(socket, 'message')
    peerSocket.write(frame(0x81, 'b'))
    await event(socket, 'message')
    expect(calls).toEqual(['once', 'object', 'object'])
    peerSocket.end(closeFrame())
    await event(socket, 'close')
  })
})

describe('[R13] [R14] [R16] failures look alike to scripts, and `failure` tells', () => {
  test.each([
    ['[C1] status', () => 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'HANDSHAKE_STATUS'],
    ['[A10] redirect', () => 'HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n', 'HANDSHAKE_STATUS'],
    ['[C4] accept', () => switching('wrong'), 'HANDSHAKE_ACCEPT'],
    ['[C6] extension', (accept: string) => switching(accept, 'Sec-WebSocket-Extensions: x'), 'HANDSHAKE_EXTENSION'],
    ['[C9] subprotocol', (accept: string) => switching(accept, 'Sec-WebSocket-Protocol: x'), 'HANDSHAKE_SUBPROTOCOL'],
    ['[C17] garbage', () => 'FOO BAR BAZ\r\n\r\n', 'HANDSHAKE_MALFORMED'],
  ])('%s', async (_, answer, code) => {
    const server = await rawServer(({ socket, accept }) => socket.write(answer(accept)))
    const socket = new WebSocket(server.url)
    const seen = record(socket)
    expect(String(await event(socket, 'error'))).toBe('[object Event]')
    expect(socket.failure?.code).toBe(code)
    await event(socket, 'close')
    expect(seen).toEqual(FAILED)
    await closed(server.sockets[0] as net.Socket)
  })

  test('[A9] nothing listens', async () => {
    const port = await unusedPort()
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    const seen = record(socket)
    await event(socket, 'close')
    expect(seen).toEqual(FAILED)
    expect(socket.failure?.code).toBe('CONNECT_FAILED')
  })

  test('[C11] [R19] subprotocols offered, none chosen', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const socket = new WebSocket(server.url, ['a'])
    const seen = record(socket)
    await event(socket, 'close')
    expect(seen).toEqual(FAILED)
    expect(socket.failure?.code).toBe('HANDSHAKE_SUBPROTOCOL')
  })

  test('a violation: our Close says 1002, the script sees 1006, messages before it are events', async () => {
    const { socket, peerSocket, reader, seen } = await open()
    peerSocket.write(Buffer.concat([frame(0x81, 'a'), frame(0x83, 'x')]))
    expect((await reader.next()).payload.readUInt16BE()).toBe(1002)
    peerSocket.end()
    await event(socket, 'close')
    expect(seen).toEqual([['open', 1], ['message', 1, 'a'], ...FAILED])
    expect(socket.failure).toBeInstanceOf(ProtocolError)
    expect(socket.failure?.code).toBe('RESERVED_OPCODE')
  })

  test('the connection is lost', async () => {
    const { socket, peerSocket, seen } = await open()
    peerSocket.resetAndDestroy()
    await event(socket, 'close')
    expect(seen).toEqual([['open', 1], ...FAILED])
    expect(socket.failure?.code).toBe('CONNECTION_LOST')
  })

  test('promises of error have their turn before close', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await unusedPort()}`)
    await event(socket, 'error')
    for (let turn = 0; turn < 10; turn++) await null
    expect(await event(socket, 'close')).toMatchObject({ code: 1006 })
  })
})

describe('[R4] [R5] [R6] [R7] close()', () => {
  test.each([
    [[], ''],
    [[undefined, ''], ''],
    [[1000], '03e8'],
    [[3000, 'bye'], '0bb8627965'],
    [[4999, 'ä'], '1387c3a4'],
    [[undefined, 'why'], '03e8776879'],
  ])('close(%j) sends %s', async (parameters, body) => {
    const { socket, reader, peerSocket } = await open()
    socket.close(...(parameters as [number?, string?]))
    const { first, payload } = await reader.next()
    expect([first, payload.toString('hex')]).toEqual([0x88, body])
    peerSocket.end(closeFrame())
    expect(await event(socket, 'close')).toMatchObject({ wasClean: true, code: 1005, reason: '' })
  })

  test('wrong arguments change nothing', async () => {
    const { socket, peerSocket } = await open()
    expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    expect(() => socket.close(1000, 'a'.repeat(124))).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    expect(socket.readyState).toBe(1)
    socket.close()
    expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    peerSocket.end(closeFrame())
    await event(socket, 'close')
    socket.close()
    expect(socket.readyState).toBe(3)
  })

  test('[R6] while CONNECTING, at once: no I/O, CLOSING now, error and close later', async () => {
    const server = await silent()
    const socket = new WebSocket(server.url)
    const seen = record(socket)
    socket.close()
    expect([socket.readyState, seen]).toEqual([2, []])
    await null
    expect(seen).toEqual([])
    await event(socket, 'close')
    expect(seen).toEqual(FAILED)
    expect(socket.failure?.code).toBe('HANDSHAKE_ABORTED')
    expect(server.sockets).toEqual([])
  })

  test('[R6] [C13] while the server is silent: nothing but the request was sent', async () => {
    let socket: WebSocket | undefined
    const server = await rawServer(() => socket?.close(3000, 'x'))
    socket = new WebSocket(server.url)
    const seen = record(socket)
    await event(socket, 'close')
    expect(seen).toEqual(FAILED)
    const peerSocket = server.sockets[0] as net.Socket
    await closed(peerSocket)
    expect(peerSocket.bytesRead).toBe(server.requests[0]?.length)
  })

  test('[R6] wrong arguments while CONNECTING change nothing', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await unusedPort()}`)
    expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    expect(socket.readyState).toBe(0)
    await event(socket, 'close')
  })

  test('[L18] both at once', async () => {
    const { socket, reader, peerSocket } = await open()
    peerSocket.write(closeFrame(3001))
    socket.close(3002)
    expect((await reader.next()).payload.readUInt16BE()).toBe(3002)
    peerSocket.end()
    expect(await event(socket, 'close')).toMatchObject({ wasClean: true, code: 3001 })
  })

  test('[R18] asyncDispose closes with 1000 and waits', async () => {
    const { url, connections } = await peer()
    const socket = new WebSocket(url)
    await event(socket, 'open')
    await socket[Symbol.asyncDispose]()
    expect(socket.readyState).toBe(3)
    expect(await connections[0]?.closed).toMatchObject({ code: 1000 })
    await socket[Symbol.asyncDispose]()
  })
})

describe('[A6] one handshake at a time', () => {
  test('to one address', async () => {
    let answer = (): void => {}
    const requested = new Promise<void>((resolve) => {
      answer = resolve
    })
    const server = await rawServer(({ socket, accept, index }) => {
      if (index > 0) return void socket.write(switching(accept))
      answer()
      setImmediate(() => socket.write(switching(accept)))
    })
    const sockets = [1, 2, 3].map(() => new WebSocket(server.url))
    const opened = Promise.all(sockets.map((socket) => event(socket, 'open')))
    await requested
    expect(server.sockets).toHaveLength(1)
    await opened
    expect(server.sockets).toHaveLength(3)
    for (const [index, socket] of sockets.entries()) {
      socket.close()
      server.sockets[index]?.end(closeFrame())
      await event(socket, 'close')
    }
  })

  test('close() while waiting leaves the line', async () => {
    const server = await silent()
    const first = new WebSocket(server.url)
    const second = new WebSocket(server.url)
    second.close()
    expect((await event(second, 'close')) as CloseEvent).toMatchObject({ code: 1006 })
    first.close()
    await event(first, 'close')
    expect(server.requests.length).toBeLessThan(2)
  })
})

describe('signal', () => {
  test('aborted before', async () => {
    const server = await silent()
    const socket = new WebSocket(server.url, { signal: AbortSignal.abort('why') })
    const seen = record(socket)
    await event(socket, 'close')
    expect(seen).toEqual(FAILED)
    expect(socket.failure).toMatchObject({ code: 'HANDSHAKE_ABORTED', cause: 'why' })
    expect(server.sockets).toEqual([])
  })

  test('aborts the handshake', async () => {
    const controller = new AbortController()
    const server = await rawServer(() => controller.abort('why'))
    const socket = new WebSocket(server.url, { signal: controller.signal })
    const seen = record(socket)
    await event(socket, 'close')
    expect(seen).toEqual(FAILED)
    expect(socket.failure?.cause).toBe('why')
  })

  test('aborts the connection', async () => {
    const controller = new AbortController()
    const { socket, seen, peerSocket } = await open({ signal: controller.signal })
    controller.abort('why')
    await event(socket, 'close')
    expect(seen).toEqual([['open', 1], ...FAILED])
    expect(socket.failure).toMatchObject({ code: 'ABORTED', cause: 'why' })
    await closed(peerSocket)
  })
})

describe('an exception in a handler', () => {
  const uncaught: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  afterEach(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  })

  test('is an uncaught exception, and the connection goes on', async () => {
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    const { socket, seen, peerSocket } = await open()
    const errors = [new Error('first'), new Error('second')]
    socket.onmessage = () => {
      throw errors[uncaught.length]
    }
    peerSocket.end(Buffer.concat([frame(0x81, 'a'), frame(0x81, 'b'), closeFrame(1000)]))
    await event(socket, 'close')
    expect(uncaught).toEqual(errors)
    expect(seen).toEqual([
      ['open', 1],
      ['message', 1, 'a'],
      ['message', 1, 'b'],
      ['close', 3, true, 1000, ''],
    ])
  })
})

describe('[R17] nobody holds it but its events', () => {
  test('an open socket with a listener is not collected', async () => {
    v8.setFlagsFromString('--expose-gc')
    const collect = vm.runInNewContext('gc') as () => void
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const data: unknown[] = []
    const ended = new Promise<void>((done) => {
      const socket = new WebSocket(server.url)
      socket.onmessage = (message) => data.push(message.data)
      socket.onclose = () => done()
    })
    const connecting = new WebSocket(server.url)
    const opened = event(connecting, 'open')
    collect()
    await opened
    collect()
    server.sockets[0]?.end(Buffer.concat([frame(0x81, 'a'), closeFrame()]))
    await ended
    expect(data).toEqual(['a'])
    connecting.close()
    server.sockets[1]?.end(closeFrame())
    await event(connecting, 'close')
  })
})
