// What the caller has in hand: the signal, one time limit for everything, and the ways to a server other than its name and port.

import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import net, { type LookupFunction, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { type Certificates, duplexPair, makeCertificates } from '@ws/testkit'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ConnectOptions, connect, WebSocket } from '../src/index.ts'
import { pass, stopClock } from './support/clock.ts'
import { handshakeFailure } from './support/failure.ts'
import { echoPeer, peer } from './support/peer.ts'
import { close, closed, type Exchange, header, listen, rawServer, switching, unusedPort } from './support/raw-server.ts'
import { event } from './support/script.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

const abortError = { name: 'AbortError' }

describe('signal', () => {
  test.each([true, false])('aborts while the name is looked up, with serialize %j', async (serialize) => {
    const controller = new AbortController()
    const lookup = (): void => void setImmediate(() => controller.abort())
    await expect(connect('ws://name.test', { lookup, serialize, signal: controller.signal })).rejects.toMatchObject(
      abortError,
    )
  })

  test('aborts while TLS is under way', async () => {
    const controller = new AbortController()
    const sockets: Socket[] = []
    const server = net.createServer((socket) => {
      sockets.push(socket)
      socket.once('data', () => controller.abort())
    })
    const port = await listen(server)
    onTestFinished(() => close(server, sockets))
    await expect(connect(`wss://127.0.0.1:${port}`, { signal: controller.signal })).rejects.toMatchObject(abortError)
    await closed(sockets[0] as Socket)
  })

  test('AbortSignal.timeout() rejects with a TimeoutError', async () => {
    const server = await rawServer(() => {})
    const attempt = connect(server.url, { signal: AbortSignal.timeout(20) })
    await expect(attempt).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test('after opening: the socket is destroyed, one error and one close tell why', async () => {
    const controller = new AbortController()
    const { url, connections } = await peer()
    const socket = await connect(url, { signal: controller.signal })
    const seen: unknown[] = []
    socket.on('error', ({ code }) => seen.push(['error', code]))
    socket.on('close', ({ code }) => seen.push(['close', code]))
    controller.abort()
    controller.abort()
    expect(socket.readyState).not.toBe(1)
    expect(await socket.closed).toMatchObject({ code: 1006, cause: { code: 'ABORTED', cause: abortError } })
    expect(await connections[0]?.closed).toMatchObject({ code: 1006, wasClean: false })
    expect(seen).toEqual([
      ['error', 'ABORTED'],
      ['close', 1006],
    ])
  })

  test('while closing: the end comes at once', async () => {
    const controller = new AbortController()
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const socket = await connect(server.url, { signal: controller.signal })
    const ended = socket.close(1000)
    controller.abort()
    expect(await ended).toMatchObject({ code: 1006, cause: { code: 'ABORTED' } })
    await closed(server.sockets[0] as Socket)
  })

  test('after the end: nothing', async () => {
    const controller = new AbortController()
    const { url } = await peer()
    const socket = await connect(url, { signal: controller.signal })
    const info = await socket.close(1000)
    controller.abort()
    expect(await socket.closed).toBe(info)
    expect(info.wasClean).toBe(true)
  })
})

describe('[C16] handshakeTimeout is for everything together', () => {
  const timeout = (port: number) =>
    `no connection to name.test:${port} within 10000 ms: the server has not answered the handshake`

  test('looking up and answering', async () => {
    stopClock()
    const lookup: LookupFunction = (_, __, callback) => {
      setImmediate(() => {
        pass(6_000)
        callback(null, [{ address: '127.0.0.1', family: 4 }])
      })
    }
    const server = await rawServer(() => {
      pass(3_999)
      expect(vi.getTimerCount()).toBe(1)
      pass(1)
    })
    const failure = await handshakeFailure(connect(`ws://name.test:${server.port}`, { lookup }))
    expect(failure).toMatchObject({ code: 'HANDSHAKE_TIMEOUT', message: timeout(server.port) })
  })

  test('redirects', async () => {
    stopClock()
    const lookup: LookupFunction = (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])
    const server = await rawServer(({ socket, index }) => {
      pass(4_000)
      if (index < 2) socket.end(`HTTP/1.1 302 X\r\nLocation: /${index}\r\nContent-Length: 0\r\n\r\n`)
    })
    const options = { lookup, followRedirects: true }
    const failure = await handshakeFailure(connect(`ws://name.test:${server.port}`, options))
    expect(failure).toMatchObject({ code: 'HANDSHAKE_TIMEOUT', message: timeout(server.port) })
    expect(server.requests).toHaveLength(3)
  })

  test('but not the time in line', async () => {
    stopClock()
    const server = await rawServer(({ socket, accept, index }) => {
      pass(9_000)
      if (index > 0) socket.write(switching(accept))
      else socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
    })
    const [first, second] = await Promise.allSettled([connect(server.url), connect(server.url)])
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled'])
    if (second?.status === 'fulfilled') second.value.terminate()
  })
})

describe('several addresses (Happy Eyeballs, as Node does it)', () => {
  const both: LookupFunction = (_, { all }, callback) => {
    const dead = { address: '127.0.0.2', family: 4 }
    if (all === true) callback(null, [{ address: '::1', family: 6 }, dead, { address: '127.0.0.1', family: 4 }])
    else callback(null, dead.address, dead.family)
  }

  test.each([true, false])('those where nobody listens are passed over, with serialize %j', async (serialize) => {
    const { port } = await echoPeer() // on 127.0.0.1 alone
    const socket = await connect(`ws://name.test:${port}`, { lookup: both, serialize, autoSelectFamily: true })
    const text = 'x'.repeat(200_000)
    socket.send(text)
    for await (const message of socket) {
      expect(message).toBe(text)
      break
    }
    expect(socket.remoteAddress).toBe('127.0.0.1')
    await socket.close()
  })

  test('over TLS', async () => {
    const { port } = await echoPeer({ tls: certificates.server })
    const options = { lookup: both, autoSelectFamily: true, ca: certificates.ca, servername: 'localhost' }
    const socket = await connect(`wss://name.test:${port}`, options)
    expect(socket.remoteAddress).toBe('127.0.0.1')
    await socket.close()
  })

  test('autoSelectFamily: false asks the first alone', async () => {
    const { port } = await echoPeer()
    const attempt = connect(`ws://name.test:${port}`, { lookup: both, autoSelectFamily: false })
    expect((await handshakeFailure(attempt)).code).toBe('CONNECT_FAILED')
  })

  test('none of them: one error that has all', async () => {
    const port = await unusedPort()
    const options = { lookup: both, autoSelectFamily: true }
    const failure = await handshakeFailure(connect(`ws://name.test:${port}`, options))
    expect(failure.message).toBe(
      `cannot connect to name.test:${port}: the connection was refused; is the server running, and on this port? (ECONNREFUSED)`,
    )
    expect((failure.cause as AggregateError).errors).toHaveLength(3)
  })
})

/** A server on a Unix socket. */
async function unixServer(answer: (exchange: Exchange) => void, options?: tls.TlsOptions) {
  const { port, requests } = await rawServer(answer, options)
  const folder = mkdtempSync(join(tmpdir(), 'ws-unix-'))
  const path = join(folder, 'a b.sock')
  const sockets: Socket[] = []
  const server = net.createServer((socket) => {
    const upstream = net.connect(port, '127.0.0.1')
    for (const one of [socket, upstream]) one.on('error', () => socket.destroy(void upstream.destroy()))
    socket.pipe(upstream).pipe(socket)
    sockets.push(socket, upstream)
  })
  server.listen(path)
  onTestFinished(async () => {
    await close(server, sockets)
    rmSync(folder, { recursive: true })
  })
  return { path, requests }
}

describe('Unix sockets', () => {
  const open = ({ socket, accept }: Exchange): void => void socket.write(switching(accept))

  test('a ws+unix: URL', async () => {
    const { path, requests } = await unixServer(open)
    for (const url of [`ws+unix:${path}:/b?c=d`, new URL(`ws+unix:${path}:/b?c=d`)]) {
      const socket = await connect(url)
      socket.terminate()
    }
    const [head = ''] = requests
    expect(head).toMatch(/^GET \/b\?c=d HTTP\/1\.1\r\n/)
    expect([header(head, 'Host'), requests.length]).toEqual(['localhost', 2])
  })

  test('socketPath, with TLS, and for the class', async () => {
    const { path, requests } = await unixServer(open, certificates.server)
    const options = { socketPath: path, ca: certificates.ca }
    const socket = await connect('wss://localhost/a', options)
    socket.terminate()
    const script = new WebSocket('wss://localhost/b', options)
    await event(script, 'open')
    script.close()
    expect(requests.map((head) => head.split(' ')[1])).toEqual(['/a', '/b'])
  })

  test('[A5] the class knows no ws+unix:', () => {
    expect(() => new WebSocket('ws+unix:/tmp/a:/b')).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })

  test('a URL and an option exclude each other', () => {
    expect(() => connect('ws+unix:/tmp/a:/', { socketPath: '/tmp/b' })).toThrow(
      'a ws+unix: URL and option socketPath exclude each other',
    )
  })

  test('nobody there', async () => {
    const failure = await handshakeFailure(connect('ws+unix:/nonexistent/socket:/'))
    expect(failure.message).toBe('cannot connect to /nonexistent/socket: there is no such socket file (ENOENT)')
  })

  test('the proxy of the environment is not asked', async () => {
    const { path } = await unixServer(open)
    vi.stubEnv('http_proxy', `http://127.0.0.1:${await unusedPort()}`)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const socket = await connect(`ws+unix:${path}:/`, { proxy: 'env' })
    socket.terminate()
  })

  test('redirects stay on it, or are refused', async () => {
    const { path, requests } = await unixServer((exchange) => {
      const locations = ['/b', 'ws://localhost/c', 'ws://127.0.0.1/d']
      exchange.socket.end(`HTTP/1.1 307 X\r\nLocation: ${locations[exchange.index]}\r\nContent-Length: 0\r\n\r\n`)
    })
    const failure = await handshakeFailure(connect(`ws+unix:${path}:/`, { followRedirects: true }))
    expect(failure).toMatchObject({ code: 'HANDSHAKE_REDIRECT', status: 307 })
    expect(failure.message).toContain('it leads away from the Unix socket')
    expect(requests.map((head) => head.split(' ')[1])).toEqual(['/', '/b', '/c'])
  })
})

describe('createConnection', () => {
  type Create = NonNullable<ConnectOptions['createConnection']>

  test('any stream', async () => {
    const { client, server, dispose } = duplexPair()
    onTestFinished(dispose)
    const http1 = http.createServer()
    http1.on('upgrade', (request: http.IncomingMessage, socket) => {
      expect(request.url).toBe('/a')
      socket.end('HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n')
    })
    http1.emit('connection', server)
    const failure = await handshakeFailure(connect('ws://h/a', { createConnection: () => client as Socket }))
    expect(failure.status).toBe(418)
    expect(client.destroyed).toBe(true)
  })

  test('for wss: TLS is what the function gives', async () => {
    const { url, port } = await echoPeer({ tls: certificates.server })
    const createConnection: Create = () => tls.connect({ port, host: '127.0.0.1', ca: certificates.ca })
    const socket = await connect(url, { createConnection })
    socket.send('a')
    for await (const message of socket) {
      expect(message).toBe('a')
      break
    }
    await socket.close()
  })

  test('asked later, by its callback', async () => {
    const { url, port } = await echoPeer()
    const createConnection: Create = (_, callback) => {
      setImmediate(() => callback(null, net.connect(port, '127.0.0.1')))
      return undefined
    }
    const socket = await connect(url, { createConnection })
    expect((await socket.close()).wasClean).toBe(true)
  })

  test('its callback says that there is none', async () => {
    const cause = new Error('no way')
    const createConnection: Create = (_, callback) => {
      setImmediate(() => callback(cause, undefined as never))
      return undefined
    }
    const failure = await handshakeFailure(connect('ws://h', { createConnection }))
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', cause })
  })

  test('one that aborts the attempt: its socket is destroyed, and nothing is asked', async () => {
    const server = await rawServer(() => {})
    const controller = new AbortController()
    const sockets: Socket[] = []
    const createConnection: Create = () => {
      const socket = net.connect(server.port, '127.0.0.1')
      sockets.push(socket)
      controller.abort()
      return socket
    }
    const attempt = connect(server.url, { createConnection, signal: controller.signal })
    await expect(attempt).rejects.toMatchObject(abortError)
    await closed(sockets[0] as Socket)
    expect(server.requests).toEqual([])
  })

  test('a socket that comes when nobody wants it any more is destroyed', async () => {
    const server = await rawServer(() => {})
    const controller = new AbortController()
    const late = net.connect(server.port, '127.0.0.1')
    let give = (): void => {}
    const createConnection: Create = (_, callback) => {
      give = () => callback(null, late)
      return undefined
    }
    const attempt = connect(server.url, { createConnection, signal: controller.signal })
    await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    await expect(attempt).rejects.toMatchObject(abortError)
    give()
    await closed(late)
  })
})
