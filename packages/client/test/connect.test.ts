import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { connect, type WebSocketConnection } from '../src/index.ts'
import { pass, stopClock } from './support/clock.ts'
import { handshakeFailure } from './support/failure.ts'
import { closeFrame, FrameReader, frame } from './support/frames.ts'
import { echoPeer, peer } from './support/peer.ts'
import { closed, rawServer, switching } from './support/raw-server.ts'

test('text and binary there and back, then a clean close', async () => {
  const { url, connections } = await echoPeer({ protocols: ['chat'] })
  const socket = await connect(url, { protocols: ['other', 'chat'] })
  expect([socket.readyState, socket.protocol, socket.extensions, socket.remoteAddress]).toEqual([
    1,
    'chat',
    '',
    '127.0.0.1',
  ])
  const messages: unknown[] = []
  const both = new Promise<void>((resolve) => {
    socket.on('message', (message) => {
      if (messages.push(message) === 2) resolve()
    })
  })
  socket.send('Grüße')
  socket.send(Uint8Array.of(1, 2, 3))
  await both
  expect(messages).toEqual(['Grüße', Buffer.of(1, 2, 3)])
  expect(await socket.close(1000, 'done')).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
  expect(await connections[0]?.closed).toEqual({ code: 1000, reason: 'done', wasClean: true, initiator: 'remote' })
})

test('a URL object and https-like schemes', async () => {
  const { url } = await peer()
  for (const given of [new URL(url), url.replace('ws:', 'http:')]) {
    const socket = await connect(given)
    await socket.close()
  }
})

test('handlers take everything, with data', async () => {
  const { url } = await echoPeer()
  const calls: unknown[] = []
  const socket = await connect<{ name: string }>(
    url,
    { data: { name: 'mine' } },
    {
      open: (connection) => {
        calls.push(['open', connection.data.name])
        connection.send('hello')
      },
      message: (connection, message) => {
        calls.push(['message', message])
        void connection.close(1000)
      },
      close: (_, info) => {
        calls.push(['close', info.code])
      },
    },
  )
  await socket.closed
  expect(calls).toEqual([
    ['open', 'mine'],
    ['message', 'hello'],
    ['close', 1000],
  ])
})

test('an iterator takes what came before it', async () => {
  const server = await rawServer(({ socket, accept }) => {
    socket.end(Buffer.concat([Buffer.from(switching(accept)), frame(0x81, 'a'), frame(0x81, 'b'), closeFrame(1000)]))
  })
  const connection = await connect(server.url)
  await connection.closed
  const messages: unknown[] = []
  for await (const message of connection) messages.push(message)
  expect(messages).toEqual(['a', 'b'])
})

test('connection options are in force', async () => {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
  const connection = await connect(server.url, { maxPayload: 3 })
  connection.resume()
  const reader = new FrameReader(server.sockets[0] as Socket)
  server.sockets[0]?.write(frame(0x81, 'four'))
  expect((await reader.next()).payload.readUInt16BE()).toBe(1009)
  server.sockets[0]?.end()
  expect(await connection.closed).toMatchObject({ code: 1009, wasClean: false, cause: { code: 'MESSAGE_TOO_BIG' } })
})

test('[H5] a masked frame of the server fails the connection', async () => {
  const server = await rawServer(({ socket, accept }) => {
    socket.write(Buffer.concat([Buffer.from(switching(accept)), Buffer.from('818500000000', 'hex')]))
  })
  const connection = await connect(server.url)
  const reader = new FrameReader(server.sockets[0] as Socket)
  const close = await reader.next()
  expect([close.first, close.payload.readUInt16BE()]).toEqual([0x88, 1002])
  server.sockets[0]?.end()
  expect(await connection.closed).toMatchObject({ code: 1002, cause: { code: 'MASK_UNEXPECTED' } })
})

describe('[L] closing', () => {
  async function open(options = {}) {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const connection = await connect(server.url, options)
    const socket = server.sockets[0] as Socket
    return { connection, socket, reader: new FrameReader(socket) }
  }

  test("[L7] the peer's code is answered, masked", async () => {
    const { connection, socket, reader } = await open()
    socket.write(closeFrame(3000, 'bye'))
    const { first, key, payload } = await reader.next()
    expect([first, key !== undefined, payload.toString('hex')]).toEqual([0x88, true, '0bb8'])
    socket.end()
    expect(await connection.closed).toEqual({ code: 3000, reason: 'bye', wasClean: true, initiator: 'remote' })
  })

  test('[L7] [L13] an empty Close is answered by an empty one and told as 1005', async () => {
    const { connection, socket, reader } = await open()
    socket.write(closeFrame())
    expect((await reader.next()).payload.length).toBe(0)
    socket.end()
    expect(await connection.closed).toMatchObject({ code: 1005, reason: '', wasClean: true })
  })

  test('[L12] the client waits for the server to end TCP', async () => {
    const { connection, socket, reader } = await open()
    const done = connection.close(1000)
    await reader.next()
    socket.write(closeFrame(1000))
    expect(connection.readyState).toBe(2)
    let ended = false
    socket.on('end', () => {
      ended = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(ended).toBe(false)
    socket.end()
    expect((await done).wasClean).toBe(true)
  })

  test('[L12] and destroys it past closeTimeout', async () => {
    const { connection, socket, reader } = await open({ closeTimeout: 30 })
    const done = connection.close(1000)
    await reader.next()
    expect(await done).toMatchObject({ code: 1006, wasClean: false, cause: { code: 'CLOSE_TIMEOUT' } })
    await closed(socket)
  })

  test('[L13] [L19] TCP ends without a Close', async () => {
    const { connection, socket } = await open()
    socket.end()
    expect(await connection.closed).toMatchObject({ code: 1006, wasClean: false, initiator: 'transport' })
  })
})

describe('signal after connecting', () => {
  test('terminates the connection', async () => {
    const { url, connections } = await peer()
    const controller = new AbortController()
    const socket = await connect(url, { signal: controller.signal })
    controller.abort()
    expect(await socket.closed).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' })
    expect(await connections[0]?.closed).toMatchObject({ code: 1006 })
  })

  test('forgets a connection that is over', async () => {
    const { url } = await peer()
    const controller = new AbortController()
    const listeners = new Set<unknown>()
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: (_: 'abort', listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: 'abort', listener: () => void) => void listeners.delete(listener),
    }
    const socket = await connect(url, { signal })
    expect(listeners.size).toBe(1)
    await socket.close(1000)
    expect(listeners.size).toBe(0)
    controller.abort()
  })
})

describe('[A6] serialize', () => {
  test('a handshake begins when the one before has settled, whatever its outcome', async () => {
    const events: string[] = []
    const server = await rawServer(({ socket, accept, index }) => {
      events.push(`request ${index}`)
      setImmediate(() => {
        events.push(`answer ${index}`)
        if (index === 1) socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
        else socket.write(switching(accept))
      })
    })
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => connect(server.url)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(events).toEqual(['request 0', 'answer 0', 'request 1', 'answer 1', 'request 2', 'answer 2'])
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') outcome.value.terminate()
  })

  test('switched off: all at once', async () => {
    let waiting: (() => void)[] = []
    const server = await rawServer(({ socket, accept }) => {
      waiting.push(() => socket.write(switching(accept)))
      if (waiting.length === 3) for (const answer of waiting) answer()
    })
    const sockets = await Promise.all([1, 2, 3].map(() => connect(server.url, { serialize: false })))
    waiting = []
    for (const socket of sockets) socket.terminate()
  })

  test('the time in line does not count', async () => {
    stopClock()
    const server = await rawServer(({ socket, accept, index }) => {
      if (index === 0) pass(10_000)
      else socket.write(switching(accept))
    })
    const [first, second] = await Promise.allSettled([connect(server.url), connect(server.url)])
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled'])
    if (second?.status === 'fulfilled') second.value.terminate()
  })

  test('a signal ends the waiting', async () => {
    stopClock()
    const server = await rawServer(() => pass(10_000))
    const controller = new AbortController()
    const first = handshakeFailure(connect(server.url))
    const second = connect(server.url, { signal: controller.signal })
    controller.abort('enough')
    await expect(second).rejects.toBe('enough')
    expect((await first).code).toBe('HANDSHAKE_TIMEOUT')
    expect(server.requests).toHaveLength(1)
  })
})

test('a thousand resets leave nothing behind', async () => {
  const server = await rawServer(({ socket, index }) => {
    if (index % 2 === 0) socket.resetAndDestroy()
    else socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
  })
  for (let batch = 0; batch < 10; batch++) {
    const attempts = Array.from({ length: 100 }, () => handshakeFailure(connect(server.url)))
    for (const { code } of await Promise.all(attempts)) expect(code).toMatch(/^(CONNECT_FAILED|HANDSHAKE_UPGRADE)$/)
  }
})

test('await using closes', async () => {
  const { url, connections } = await peer()
  const socket: WebSocketConnection = await connect(url)
  await socket[Symbol.asyncDispose]()
  expect(await connections[0]?.closed).toMatchObject({ code: 1000, wasClean: true })
})
