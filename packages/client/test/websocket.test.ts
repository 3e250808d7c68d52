// The WHATWG interface: the constructor, the attributes, and the life of a connection.

import type net from 'node:net'
import v8 from 'node:v8'
import vm from 'node:vm'
import { afterEach, describe, expect, test } from 'vitest'
import { CloseEvent, ProtocolError, WebSocket } from '../src/index.ts'
import { closeFrame, frame } from './support/frames.ts'
import { echoPeer, peer } from './support/peer.ts'
import { closed, rawServer, switching, unusedPort } from './support/raw-server.ts'
import { event, FAILED, open, record, task } from './support/script.ts'

/** A port that answers nothing: what is written to it would be seen. */
async function silent() {
  return await rawServer(() => {})
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

  test('a Close glued to the 101: open comes first, while OPEN', async () => {
    const server = await rawServer(({ socket, accept }) => {
      socket.end(Buffer.concat([Buffer.from(switching(accept)), closeFrame(1000)]))
    })
    const socket = new WebSocket(server.url)
    const seen = record(socket)
    await event(socket, 'close')
    expect(seen).toEqual([
      ['open', 1],
      ['close', 3, true, 1000, ''],
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

  test('[R4] [R5] arguments are converted on the way', async () => {
    const { socket, reader, peerSocket } = await open()
    const code = { valueOf: () => 2999.5 }
    const reason = { toString: () => 'a\ud800' }
    socket.close(code as unknown as number, reason as unknown as string)
    expect((await reader.next()).payload.toString('hex')).toBe('0bb861efbfbd')
    peerSocket.end(closeFrame())
    await event(socket, 'close')
  })

  test('[R6] again, while CLOSING and in the events of the end: nothing', async () => {
    const { socket, reader, peerSocket, seen } = await open()
    socket.addEventListener('close', () => socket.close(3001))
    expect(socket.close(1000)).toBe(undefined)
    expect(socket.close(3000, 'other')).toBe(undefined)
    expect((await reader.next()).payload.readUInt16BE()).toBe(1000)
    peerSocket.end(closeFrame(1000))
    await event(socket, 'close')
    await task()
    expect(seen).toEqual([
      ['open', 1],
      ['close', 3, true, 1000, ''],
    ])
  })

  test("[R6] while the peer's Close is under way: its code stands", async () => {
    const { socket, reader, peerSocket } = await open()
    peerSocket.write(closeFrame(3001, 'mine'))
    await reader.next()
    expect(socket.readyState).toBe(2)
    socket.close(3002, 'yours')
    expect(socket.readyState).toBe(2)
    peerSocket.end()
    expect(await event(socket, 'close')).toMatchObject({ wasClean: true, code: 3001, reason: 'mine' })
  })

  test('[R6] in the open event: OPEN, then CLOSING', async () => {
    const server = await rawServer(({ socket, accept }) => socket.end(switching(accept) + closeFrame(1000)))
    const socket = new WebSocket(server.url)
    const states: number[] = []
    socket.onopen = () => {
      states.push(socket.readyState)
      socket.close()
      states.push(socket.readyState)
    }
    await event(socket, 'close')
    expect(states).toEqual([1, 2])
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

  test('[R18] asyncDispose ends although a listener stops the close event', async () => {
    const { url } = await peer()
    const socket = new WebSocket(url)
    await event(socket, 'open')
    socket.addEventListener('close', (one) => one.stopImmediatePropagation())
    await socket[Symbol.asyncDispose]()
    expect(socket.readyState).toBe(3)
  })

  test('[R18] asyncDispose while CONNECTING', async () => {
    const server = await silent()
    const socket = new WebSocket(server.url)
    const seen = record(socket)
    await socket[Symbol.asyncDispose]()
    expect(seen).toEqual(FAILED)
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

  test('is let go at the end, whatever listeners do', async () => {
    const { signal } = new AbortController()
    const listening = new Set<unknown>()
    const add = signal.addEventListener.bind(signal)
    signal.addEventListener = (type: string, listener: never) => {
      listening.add(listener)
      add(type, listener)
    }
    const remove = signal.removeEventListener.bind(signal)
    signal.removeEventListener = (type: string, listener: never) => {
      listening.delete(listener)
      remove(type, listener)
    }
    const { socket, peerSocket } = await open({ signal })
    expect(listening.size).toBe(1)
    socket.addEventListener('close', (one) => one.stopImmediatePropagation())
    const ended = event(socket, 'error').then(task)
    peerSocket.resetAndDestroy()
    await ended
    expect([socket.readyState, listening.size]).toEqual([3, 0])
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
