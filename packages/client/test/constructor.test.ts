// The WHATWG interface: what the constructor takes, and what it refuses before any I/O.

import { describe, expect, test } from 'vitest'
import { type CloseEvent, WebSocket, type WebSocketOptions } from '../src/index.ts'
import { closeFrame } from './support/frames.ts'
import { peer } from './support/peer.ts'
import { header, rawServer, switching } from './support/raw-server.ts'
import { event, FAILED, record } from './support/script.ts'

/** An iterable that is no array. */
function* listOf(...values: unknown[]): Generator<unknown> {
  yield* values
}

describe('[R1] the constructor', () => {
  test('needs new, and a URL', () => {
    expect(WebSocket.length).toBe(1)
    expect(() => (WebSocket as unknown as () => void)()).toThrow(TypeError)
    expect(() => new (WebSocket as unknown as new () => WebSocket)()).toThrow(TypeError)
  })

  test.each([
    'ws://h/#',
    'ws://h/#test',
    '#test',
    'ftp://h/',
    'about:blank',
    'blob:ws://h/1',
    'data:,a',
    'mailto:a@b',
    'javascript:1',
    'ws://a b/',
    'ws://h:65536/',
    'ws://[::1',
    'ws://1.2.3.256/',
    '//h/',
    '/relative',
    'h',
    '',
    'ws:',
    'ws://',
    undefined as never,
    null as never,
  ])('[A2] [A5] URL %j: SyntaxError at once', (url) => {
    expect(() => new WebSocket(url)).toThrow(
      expect.objectContaining({ name: 'SyntaxError', code: DOMException.SYNTAX_ERR }),
    )
  })

  test.each([
    [['a', 'A']],
    [['echo', 'chat', 'Echo']],
    [['a,b']],
    [['a', '']],
    [['a\x7f']],
    [['a\u00a0']],
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
    const server = await rawServer(() => {})
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
    [listOf('a', 5, null), 'a, 5, null'],
    [null, 'null'],
    [5, '5'],
    [new String('ab'), 'a, b'],
    [{ protocols: ['a'] }, 'a'],
    [{ protocols: 'a' }, 'a'],
    [[], undefined],
    [undefined, undefined],
    [{}, undefined],
  ])('offers the subprotocols of %j', async (protocols, expected) => {
    const server = await rawServer(({ socket }) => socket.end('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'))
    const socket = new WebSocket(server.url, protocols as string[])
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

  test.each([...'()<>@,;:\\"/[]?={} \t'])('[B6] a subprotocol with the separator %j: SyntaxError', (separator) => {
    expect(() => new WebSocket('ws://h', `a${separator}b`)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })

  test('a URL has a string: of an object, and none of a symbol', async () => {
    const { url } = await peer()
    const socket = new WebSocket({ toString: () => `${url}/a` } as unknown as string)
    expect(socket.url).toBe(`${url}/a`)
    await event(socket, 'open')
    socket.close()
    await event(socket, 'close')
    expect(() => new WebSocket(Symbol('ws://h') as unknown as string)).toThrow(TypeError)
  })

  test('arguments are converted before any is judged, each once, in order', () => {
    const order: string[] = []
    const text = (name: string, value: string) => ({
      toString() {
        order.push(name)
        return value
      },
    })
    const build = (...all: unknown[]) => new (WebSocket as unknown as new (...all: unknown[]) => WebSocket)(...all)
    expect(() => build(text('url', 'ftp://h'), [text('first', 'a'), text('second', 'b c')])).toThrow('URL must begin')
    expect(order).toEqual(['url', 'first', 'second'])
    const error = new Error('mine')
    const list = {
      [Symbol.iterator]() {
        throw error
      },
    }
    expect(() => build('ftp://h', list)).toThrow(error)
    expect(() => build('ftp://h', [Symbol('a')])).toThrow(TypeError)
    expect(() => build('ftp://h', Symbol('a'))).toThrow(TypeError)
  })

  test('[R2] a class of its own', async () => {
    class Mine extends WebSocket {}
    const { url } = await peer()
    const socket = new Mine(url)
    expect([socket.constructor, String(socket), Mine.OPEN]).toEqual([Mine, '[object WebSocket]', 1])
    await event(socket, 'open')
    expect(socket.readyState).toBe(1)
    socket.close()
    await event(socket, 'close')
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
    const server = await rawServer(() => {})
    const first = new WebSocket(server.url)
    const second = new WebSocket(server.url)
    second.close()
    expect((await event(second, 'close')) as CloseEvent).toMatchObject({ code: 1006 })
    first.close()
    await event(first, 'close')
    expect(server.requests.length).toBeLessThan(2)
  })

  test('[A6] to one IP address under two names, and under none', async () => {
    const order: string[] = []
    const server = await rawServer(({ socket, accept, head }) => {
      order.push(`request to ${header(head, 'Host')}`)
      setImmediate(() => {
        order.push('answer')
        socket.write(switching(accept))
      })
    })
    const lookup: WebSocketOptions['lookup'] = (_, __, callback) => callback(null, '127.0.0.1', 4)
    const hosts = ['one.test', 'two.test', '127.0.0.1'].map((name) => `${name}:${server.port}`)
    const sockets = hosts.map((host) => new WebSocket(`ws://${host}`, { lookup }))
    await Promise.all(sockets.map((socket) => event(socket, 'open')))
    expect(order.filter((_, at) => at % 2 === 1)).toEqual(['answer', 'answer', 'answer'])
    expect(order.filter((_, at) => at % 2 === 0).sort()).toEqual(hosts.map((host) => `request to ${host}`).sort())
    const closes = sockets.map((socket) => event(socket, 'close'))
    for (const peerSocket of server.sockets) peerSocket.end(closeFrame())
    await Promise.all(closes)
  })
})
