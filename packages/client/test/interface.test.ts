// The WHATWG interface as scripts find it (Web IDL): constants, attributes, methods, and on which objects they work.

import { describe, expect, test } from 'vitest'
import { CloseEvent, WebSocket } from '../src/index.ts'
import { connecting } from './support/script.ts'

const READ_ONLY = ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol']
const ATTRIBUTES = ['onopen', 'onmessage', 'onerror', 'onclose', 'binaryType']

describe('[R2] the interface', () => {
  test('constants on class and prototype, read-only', () => {
    for (const holder of [WebSocket, WebSocket.prototype]) {
      for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
        const expected = { value, writable: false, enumerable: true, configurable: false }
        expect(Object.getOwnPropertyDescriptor(holder, name)).toEqual(expected)
      }
    }
  })

  test.each(READ_ONLY)('%s is a getter of the prototype', (name) => {
    const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)
    expect(property).toMatchObject({ set: undefined, enumerable: true, configurable: true })
    expect(() => property?.get?.call({})).toThrow(TypeError)
  })

  test.each(ATTRIBUTES)('%s is an attribute of the prototype', (name) => {
    const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)
    expect(property).toMatchObject({ get: expect.any(Function), set: expect.any(Function), enumerable: true })
  })

  test('names', () => {
    expect(WebSocket.name).toBe('WebSocket')
    expect(Object.prototype.toString.call(WebSocket.prototype)).toBe('[object WebSocket]')
    expect(WebSocket.prototype).toBeInstanceOf(EventTarget)
  })

  test('lengths are the numbers of required arguments', () => {
    expect([WebSocket.length, WebSocket.prototype.send.length, WebSocket.prototype.close.length]).toEqual([1, 1, 0])
  })

  test.each(['send', 'close'])('%s is a method of the prototype', (name) => {
    const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)
    expect(property).toMatchObject({ writable: true, enumerable: true, configurable: true })
    expect(property?.value.name).toBe(name)
  })

  test('a socket has no properties of its own; a loop sees the members', async () => {
    const socket = await connecting()
    expect(Reflect.ownKeys(socket).filter((key) => typeof key === 'string')).toEqual([])
    const members: string[] = []
    for (const name in socket) members.push(name)
    expect(members).toEqual(expect.arrayContaining([...READ_ONLY, ...ATTRIBUTES, 'send', 'close', 'OPEN']))
    expect(members).not.toContain('constructor')
  })

  test.each([...READ_ONLY, 'OPEN'])('%s cannot be assigned', async (name) => {
    const socket = (await connecting()) as unknown as Record<string, unknown>
    const before = socket[name]
    expect(() => {
      socket[name] = 'other'
    }).toThrow(TypeError)
    expect(socket[name]).toBe(before)
  })

  test.each([
    ['an object', {}],
    ['another target', new EventTarget()],
    ['the prototype', WebSocket.prototype],
    ['its heir', Object.create(WebSocket.prototype)],
    ['nothing', undefined],
  ])('every member is a TypeError on %s, before its arguments are looked at', (_, other) => {
    let looked = 0
    const argument = { toString: () => String(looked++), valueOf: () => looked++ }
    for (const name of [...READ_ONLY, ...ATTRIBUTES, 'send', 'close']) {
      const { get, set, value } = Object.getOwnPropertyDescriptor(WebSocket.prototype, name) ?? {}
      for (const member of [get, set, value]) {
        if (member !== undefined) expect(() => member.call(other, argument)).toThrow(TypeError)
      }
    }
    expect(looked).toBe(0)
  })

  test('names of accessors', () => {
    const { get, set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onopen') ?? {}
    expect([get?.name, set?.name]).toEqual(['get onopen', 'set onopen'])
  })

  test.each([
    [WebSocket, 'WebSocket'],
    [CloseEvent, 'CloseEvent'],
  ])('the tag of %O', (described, value) => {
    expect(Object.getOwnPropertyDescriptor(described.prototype, Symbol.toStringTag)).toEqual({
      value,
      writable: false,
      enumerable: false,
      configurable: true,
    })
  })
})
