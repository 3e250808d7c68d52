// The WHATWG interface: the events as listeners get them, and the socket as an EventTarget (DOM).

import { describe, expect, test } from 'vitest'
import { CloseEvent, WebSocket } from '../src/index.ts'
import { closeFrame, frame } from './support/frames.ts'
import { rawServer, switching, unusedPort } from './support/raw-server.ts'
import { connecting, event, finish, open } from './support/script.ts'

/** `Event.AT_TARGET`, which Node's declarations lack. */
const AT_TARGET = 2

/** The fields that every event of a socket has while its first listener runs. */
function fieldsOf(one: Event) {
  const { type, target, currentTarget, eventPhase, bubbles, cancelable, composed, defaultPrevented } = one
  return {
    type,
    target,
    currentTarget,
    eventPhase,
    bubbles,
    cancelable,
    composed,
    defaultPrevented,
    path: one.composedPath(),
  }
}

function plain(socket: WebSocket, type: string): ReturnType<typeof fieldsOf> {
  const flags = { bubbles: false, cancelable: false, composed: false, defaultPrevented: false }
  return { type, target: socket, currentTarget: socket, eventPhase: AT_TARGET, ...flags, path: [socket] }
}

describe('[R13] the events', () => {
  test('open and message: a plain Event, and a MessageEvent whose other fields are empty', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const socket = new WebSocket(server.url)
    const seen: unknown[] = []
    socket.onopen = (one) => seen.push(Object.getPrototypeOf(one), fieldsOf(one))
    socket.onmessage = (one) => seen.push(Object.getPrototypeOf(one), fieldsOf(one))
    await event(socket, 'open')
    server.sockets[0]?.write(frame(0x81, 'hi'))
    const { data, origin, lastEventId, source, ports } = (await event(socket, 'message')) as MessageEvent
    expect(seen).toEqual([Event.prototype, plain(socket, 'open'), MessageEvent.prototype, plain(socket, 'message')])
    expect([data, origin, lastEventId, source, ports]).toEqual(['hi', `ws://127.0.0.1:${server.port}`, '', null, []])
    server.sockets[0]?.end(closeFrame())
    await event(socket, 'close')
  })

  test('error, then close: a plain Event and a CloseEvent', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await unusedPort()}`)
    const seen: unknown[] = []
    const states: number[] = []
    socket.onerror = (one) => {
      seen.push(Object.getPrototypeOf(one), fieldsOf(one))
      states.push(socket.readyState)
    }
    socket.onclose = (one) => {
      seen.push(Object.getPrototypeOf(one), fieldsOf(one))
      states.push(socket.readyState)
    }
    await event(socket, 'close')
    const close = plain(socket, 'close')
    expect(seen).toEqual([Event.prototype, plain(socket, 'error'), CloseEvent.prototype, close])
    expect(states).toEqual([3, 3])
  })

  test('scheme, host and port are the origin, and nothing else of the URL', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const socket = new WebSocket(`http://u:p@127.0.0.1:${server.port}/a?b`)
    await event(socket, 'open')
    server.sockets[0]?.write(frame(0x81, 'hi'))
    expect(((await event(socket, 'message')) as MessageEvent).origin).toBe(`ws://127.0.0.1:${server.port}`)
    server.sockets[0]?.end(closeFrame())
    await event(socket, 'close')
  })
})

describe('listeners', () => {
  test('once, handleEvent, signal', async () => {
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
    await finish({ socket, peerSocket })
  })

  test('the same function is one listener, for each of both phases', async () => {
    const { socket, peerSocket } = await open()
    let calls = 0
    const listener = () => calls++
    for (let time = 0; time < 2; time++) socket.addEventListener('message', listener)
    socket.addEventListener('message', listener, true)
    socket.addEventListener('message', listener, { capture: true })
    peerSocket.write(frame(0x81, 'a'))
    await event(socket, 'message')
    expect(calls).toBe(2)
    socket.removeEventListener('message', listener)
    peerSocket.write(frame(0x81, 'b'))
    await event(socket, 'message')
    expect(calls).toBe(3)
    socket.removeEventListener('message', listener, { capture: true })
    peerSocket.write(frame(0x81, 'c'))
    await event(socket, 'message')
    expect(calls).toBe(3)
    await finish({ socket, peerSocket })
  })

  test('[R15] listeners and handler, for each event in the order of registration', async () => {
    const { socket, peerSocket } = await open()
    const order: string[] = []
    for (const type of ['message', 'close'] as const) {
      socket.addEventListener(type, () => order.push(`${type} 1`))
      socket[`on${type}`] = () => order.push(`${type} 2`)
      socket.addEventListener(type, () => order.push(`${type} 3`))
    }
    peerSocket.end(Buffer.concat([frame(0x81, 'a'), closeFrame()]))
    await event(socket, 'close')
    expect(order).toEqual(['message 1', 'message 2', 'message 3', 'close 1', 'close 2', 'close 3'])
  })

  test('one that removes another, and stopImmediatePropagation', async () => {
    const { socket, peerSocket } = await open()
    const calls: string[] = []
    const removed = () => calls.push('removed')
    socket.addEventListener('message', () => socket.removeEventListener('message', removed))
    socket.addEventListener('message', removed)
    socket.addEventListener('close', (one) => one.stopImmediatePropagation(), { once: true })
    socket.addEventListener('close', () => calls.push('stopped'))
    peerSocket.write(frame(0x81, 'a'))
    await event(socket, 'message')
    peerSocket.end(closeFrame())
    await socket[Symbol.asyncDispose]()
    expect([calls, socket.readyState]).toEqual([[], 3])
  })

  test('no event can be canceled', async () => {
    const { socket, peerSocket } = await open()
    socket.onmessage = () => false
    socket.addEventListener('message', (one) => one.preventDefault(), { passive: true })
    peerSocket.write(frame(0x81, 'a'))
    expect((await event(socket, 'message')).defaultPrevented).toBe(false)
    await finish({ socket, peerSocket })
  })
})

describe("a script's own dispatch", () => {
  test('calls listeners and changes nothing', async () => {
    const socket = await connecting()
    const calls: string[] = []
    socket.onclose = () => calls.push('handler')
    for (const type of ['open', 'message', 'error', 'close'] as const) {
      socket.addEventListener(type, (one) => calls.push(one.type))
      expect(socket.dispatchEvent(new Event(type))).toBe(true)
    }
    expect([calls, socket.readyState]).toEqual([['open', 'message', 'error', 'handler', 'close'], 0])
  })

  test('a false of the handler cancels what can be canceled', async () => {
    const socket = await connecting()
    socket.onopen = () => false
    expect(socket.dispatchEvent(new Event('open', { cancelable: true }))).toBe(false)
  })

  test('a dispatchEvent of its own is not told of our events', async () => {
    const { socket, peerSocket } = await open()
    const told: string[] = []
    socket.dispatchEvent = ({ type }) => told.push(type) > 0
    peerSocket.end(Buffer.concat([frame(0x81, 'a'), closeFrame()]))
    await event(socket, 'close')
    expect(told).toEqual([])
  })
})
