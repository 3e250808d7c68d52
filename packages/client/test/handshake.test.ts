// How an attempt fails before there is an answer, how it is ended, and that nothing stays behind.

import http from 'node:http'
import net from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { connect } from '../src/index.ts'
import { pass, stopClock } from './support/clock.ts'
import { handshakeFailure } from './support/failure.ts'
import { closed, rawServer, switching, unusedPort } from './support/raw-server.ts'

describe('[A9] no connection', () => {
  test('a port that nothing listens on', async () => {
    const port = await unusedPort()
    const failure = await handshakeFailure(connect(`ws://127.0.0.1:${port}`))
    expect(failure).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `cannot connect to 127.0.0.1:${port}: the connection was refused; is the server running, and on this port? (ECONNREFUSED)`,
      cause: { code: 'ECONNREFUSED' },
      status: undefined,
    })
    expect((await handshakeFailure(connect(`ws://[::1]:${port}`))).message).toContain(
      `cannot connect to [::1]:${port}: `,
    )
    expect((await handshakeFailure(connect(`ws://localhost:${port}`))).code).toBe('CONNECT_FAILED')
    expect((await handshakeFailure(connect(`wss://127.0.0.1:${port}`))).code).toBe('CONNECT_FAILED')
  })

  test('a name that does not exist', async () => {
    const lookup: net.LookupFunction = (hostname, _, callback) => {
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' })
      setImmediate(callback, error, '', 4)
    }
    const failure = await handshakeFailure(connect('ws://nowhere.invalid/', { lookup }))
    expect(failure).toMatchObject({
      code: 'CONNECT_FAILED',
      message: 'cannot connect to nowhere.invalid:80: the host name is not known (DNS) (ENOTFOUND)',
    })
  })

  test('a socket file that does not exist', async () => {
    const failure = await handshakeFailure(connect('ws://h/', { socketPath: '/nonexistent/socket' }))
    expect(failure.message).toBe('cannot connect to /nonexistent/socket: there is no such socket file (ENOENT)')
  })

  test('an agent for another scheme', async () => {
    const failure = await handshakeFailure(connect('wss://h/', { agent: new http.Agent() }))
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ERR_INVALID_PROTOCOL' } })
  })

  test('a createConnection that throws', async () => {
    const cause = new Error('no way')
    const createConnection = (): never => {
      throw cause
    }
    const failure = await handshakeFailure(connect('ws://h/', { createConnection }))
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', message: 'no answer from h:80: no way', cause })
  })
})

describe('the server leaves before it answers', () => {
  const words = 'the server closed the connection before it answered the handshake (ECONNRESET)'
  test('FIN', async () => {
    const server = await rawServer(({ socket }) => socket.end())
    const failure = await handshakeFailure(connect(server.url))
    expect(failure).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `no answer from 127.0.0.1:${server.port}: ${words}`,
    })
  })
  test('RST', async () => {
    const server = await rawServer(({ socket }) => socket.resetAndDestroy())
    const failure = await handshakeFailure(connect(server.url))
    expect(failure).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `no answer from 127.0.0.1:${server.port}: ${words}`,
    })
  })
  test('in the middle of the head', async () => {
    const server = await rawServer(({ socket }) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgr'))
    expect((await handshakeFailure(connect(server.url))).code).toBe('CONNECT_FAILED')
  })
})

describe('[C16] handshakeTimeout', () => {
  test('while the host does not accept', async () => {
    stopClock()
    const stuck = new Duplex({ read() {}, write() {} })
    const createConnection = () => Object.assign(stuck, { connecting: true }) as unknown as net.Socket
    const attempt = handshakeFailure(connect('ws://h/', { createConnection, handshakeTimeout: 20 }))
    await new Promise((resolve) => setImmediate(resolve))
    pass(19)
    expect(stuck.destroyed).toBe(false)
    pass(1)
    expect(await attempt).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: 'no connection to h:80 within 20 ms: the host has not accepted the connection',
    })
    expect(stuck.destroyed).toBe(true)
  })

  test('while an agent has no socket to give', async () => {
    stopClock()
    const server = await rawServer(() => {})
    const agent = new http.Agent({ maxSockets: 1 })
    const first = handshakeFailure(connect(server.url, { agent }))
    const second = handshakeFailure(connect(server.url, { agent, handshakeTimeout: 20, serialize: false }))
    pass(20)
    expect((await second).message).toContain('within 20 ms: no socket was to be had')
    pass(10_000)
    expect((await first).code).toBe('HANDSHAKE_TIMEOUT')
  })

  test('a lookup that never answers', async () => {
    stopClock()
    const attempt = handshakeFailure(connect('ws://nowhere.invalid', { lookup: () => {} }))
    pass(10_000)
    expect((await attempt).code).toBe('HANDSHAKE_TIMEOUT')
  })

  test('while the server is silent; 10 s by default', async () => {
    stopClock()
    const server = await rawServer(() => {
      pass(9_999)
      expect(server.sockets[0]?.destroyed).toBe(false)
      pass(1)
    })
    const failure = await handshakeFailure(connect(server.url))
    const message = `no connection to 127.0.0.1:${server.port} within 10000 ms: the server has not answered the handshake`
    expect(failure).toMatchObject({ code: 'HANDSHAKE_TIMEOUT', message })
    await closed(server.sockets[0] as net.Socket)
  })

  test('an answer that stops in its head', async () => {
    stopClock()
    const server = await rawServer(({ socket }) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgr', () => setImmediate(pass, 10_000))
    })
    expect((await handshakeFailure(connect(server.url))).code).toBe('HANDSHAKE_TIMEOUT')
    await closed(server.sockets[0] as net.Socket)
  })

  test('has no effect once the connection is open', async () => {
    stopClock()
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const connection = await connect(server.url)
    expect(vi.getTimerCount()).toBe(0)
    pass(10_000)
    expect(connection.readyState).toBe(1)
    connection.terminate()
    await connection.closed
  })
})

describe('signal', () => {
  test('aborted before: nothing is opened', async () => {
    const server = await rawServer(() => {})
    const reason = new Error('no need')
    await expect(connect(server.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(connect(server.url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    expect(server.sockets).toEqual([])
  })

  test('aborts while the server is silent: the socket is destroyed', async () => {
    const controller = new AbortController()
    const server = await rawServer(() => controller.abort())
    await expect(connect(server.url, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
    await closed(server.sockets[0] as net.Socket)
  })

  test('aborts while the body of a refusal comes', async () => {
    const controller = new AbortController()
    const server = await rawServer(({ socket }) => {
      socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 30\r\n\r\nabc', () => setImmediate(() => controller.abort()))
    })
    await expect(connect(server.url, { signal: controller.signal })).rejects.toBeInstanceOf(Error)
    await closed(server.sockets[0] as net.Socket)
  })

  test('aborts at once after the call', async () => {
    const controller = new AbortController()
    const attempt = connect(`ws://127.0.0.1:${await unusedPort()}/`, { signal: controller.signal })
    controller.abort('why')
    await expect(attempt).rejects.toBe('why')
  })

  test('aborts when the 101 is there already: no connection, no socket', async () => {
    const controller = new AbortController()
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    // The signal's listener is removed when the handshake has succeeded: the moment to abort.
    const signal = controller.signal
    signal.removeEventListener = (...parameters: Parameters<AbortSignal['removeEventListener']>) => {
      EventTarget.prototype.removeEventListener.apply(signal, parameters)
      controller.abort()
    }
    await expect(connect(server.url, { signal })).rejects.toMatchObject({ name: 'AbortError' })
    await closed(server.sockets[0] as net.Socket)
  })
})

test('an error of the socket after a refusal is no unhandled one', async () => {
  const sockets: net.Socket[] = []
  const server = await rawServer(({ socket }) => socket.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'))
  const createConnection = () => {
    const socket = net.connect(server.port, '127.0.0.1')
    sockets.push(socket)
    return socket
  }
  await handshakeFailure(connect(server.url, { createConnection }))
  expect(sockets[0]?.destroyed).toBe(true)
  sockets[0]?.emit('error', new Error('late'))
})

test('an error of the socket after a wrong 101 is no unhandled one', async () => {
  const sockets: net.Socket[] = []
  const server = await rawServer(({ socket }) => socket.write(switching('wrong')))
  const createConnection = () => {
    const socket = net.connect(server.port, '127.0.0.1')
    sockets.push(socket)
    return socket
  }
  await handshakeFailure(connect(server.url, { createConnection }))
  expect(sockets[0]?.destroyed).toBe(true)
  sockets[0]?.emit('error', new Error('late'))
})
