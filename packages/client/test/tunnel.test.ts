// Through a proxy: `CONNECT` first (STANDARDS A8). The proxy is a real one, or one that misbehaves.

import net, { type Socket } from 'node:net'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ConnectOptions, connect, WebSocket } from '../src/index.ts'
import { pass, stopClock } from './support/clock.ts'
import { handshakeFailure } from './support/failure.ts'
import { echoPeer } from './support/peer.ts'
import { tunnellingProxy } from './support/proxy.ts'
import { closed, type Exchange, header, rawServer, switching, unusedPort } from './support/raw-server.ts'
import { event, FAILED, record } from './support/script.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

/** Sends a message through a new connection and waits for its echo. */
async function echoThrough(url: string, options: ConnectOptions): Promise<void> {
  const socket = await connect(url, options)
  const text = 'x'.repeat(100_000)
  socket.send(text)
  for await (const message of socket) {
    expect(message).toBe(text)
    break
  }
  expect(await socket.close(1000)).toMatchObject({ code: 1000, wasClean: true })
}

describe('[A8] a tunnel', () => {
  test.each([
    ['ws', 'http'],
    ['ws', 'https'],
    ['wss', 'http'],
    ['wss', 'https'],
  ])('%s through an %s proxy', async (scheme, proxyScheme) => {
    const peer = await echoPeer(scheme === 'wss' ? { tls: certificates.server } : {})
    const proxy = await tunnellingProxy(proxyScheme === 'https' ? certificates.server : undefined)
    const { ca } = certificates
    await echoThrough(`${scheme}://localhost:${peer.port}/path`, {
      proxy: `${proxyScheme}://user:p%20w@${proxy.address}`,
      proxyTls: { ca },
      ca,
    })
    const target = `localhost:${peer.port}`
    const authorization = `Basic ${Buffer.from('user:p w').toString('base64')}`
    expect(proxy.asked).toEqual([{ target, headers: { host: target, 'proxy-authorization': authorization } }])
  })

  test('the proxy is told nothing but host and port, and the server nothing of the proxy', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const proxy = await tunnellingProxy()
    const options = { proxy: `http://u:p@${proxy.address}`, headers: { Cookie: 'a=b' }, origin: 'http://o.test' }
    const socket = await connect(`ws://a:b@name.test:${server.port}/path`, options)
    socket.terminate()
    expect(Object.keys(proxy.asked[0]?.headers ?? {})).toEqual(['host', 'proxy-authorization'])
    const [head = ''] = server.requests
    expect(head).toMatch(/^GET \/path HTTP\/1\.1\r\n/)
    expect(header(head, 'Host')).toBe(`name.test:${server.port}`)
    expect(header(head, 'Cookie')).toBe('a=b')
    expect(head).not.toMatch(/^proxy/im)
  })

  test('an IPv6 target is in brackets', async () => {
    const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
    const proxy = await tunnellingProxy()
    const socket = await connect(`ws://[::1]:${server.port}/`, { proxy: `http://${proxy.address}` })
    socket.terminate()
    expect(proxy.asked[0]?.target).toBe(`[::1]:${server.port}`)
  })

  test('the class, by the environment', async () => {
    const peer = await echoPeer()
    const proxy = await tunnellingProxy()
    for (const name of ['HTTP_PROXY', 'no_proxy', 'NO_PROXY']) vi.stubEnv(name, undefined)
    vi.stubEnv('http_proxy', proxy.address)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const socket = new WebSocket(peer.url, { proxy: 'env' })
    await event(socket, 'open')
    socket.close()
    await event(socket, 'close')
    expect(proxy.asked).toHaveLength(1)
  })

  test('TLS options of the server do not reach the proxy, nor the other way', async () => {
    const peer = await echoPeer({ tls: certificates.server })
    const proxy = await tunnellingProxy(certificates.server)
    const options = { proxy: `https://${proxy.address}` }
    const { ca } = certificates
    expect(await handshakeFailure(connect(peer.url, { ...options, ca }))).toMatchObject({
      code: 'TLS_FAILED',
      message: `TLS with proxy ${proxy.address} failed: the issuer of the proxy's certificate is not known here; if you trust it, pass its certificate (PEM) as option proxyTls.ca (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
    })
    expect(proxy.asked).toEqual([])
    expect(await handshakeFailure(connect(peer.url, { ...options, proxyTls: { ca } }))).toMatchObject({
      code: 'TLS_FAILED',
      message: `TLS with localhost:${peer.port} (through proxy ${proxy.address}) failed: the issuer of the server's certificate is not known here; if you trust it, pass its certificate (PEM) as option ca (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
    })
    await Promise.all(proxy.sockets.map((socket) => closed(socket)))
  })

  test("[A7] the server's certificate is checked against the server's name", async () => {
    const peer = await echoPeer({ tls: certificates.wrongName })
    const proxy = await tunnellingProxy()
    const failure = await handshakeFailure(connect(peer.url, { proxy: `http://${proxy.address}`, ca: certificates.ca }))
    expect(failure).toMatchObject({ code: 'TLS_FAILED', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
  })

  test('[A6] names count for turns, as they are looked up elsewhere', async () => {
    const requests: Exchange[] = []
    const both = withResolvers()
    const server = await rawServer((exchange) => {
      if (requests.push(exchange) === 2) both.resolve()
    })
    const proxy = await tunnellingProxy()
    const options = { proxy: `http://${proxy.address}`, lookup: () => expect.unreachable() }
    const attempts = ['one.test', 'two.test'].map((name) => connect(`ws://${name}:${server.port}`, options))
    await both.promise // neither waits for the other
    for (const { socket, accept } of requests) socket.write(switching(accept))
    for (const socket of await Promise.all(attempts)) socket.terminate()
  })
})

function withResolvers() {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** The failure of an attempt through a proxy that answers so; it must see the client go. */
async function failureThrough(answer: (exchange: Exchange) => void, options: ConnectOptions = {}) {
  const proxy = await rawServer(answer)
  const failure = await handshakeFailure(
    connect('wss://server.test/', { proxy: `http://127.0.0.1:${proxy.port}`, ...options }),
  )
  await closed(proxy.sockets[0] as Socket)
  return Object.assign(failure, { port: proxy.port })
}

describe('[A8] a proxy that refuses: its answer is in the error', () => {
  const body = 'who are you?'
  test.each([
    ['with a length', `Content-Length: ${body.length}\r\n\r\n${body}`],
    ['with a length, more behind it', `Content-Length: ${body.length}\r\n\r\n${body}HTTP/1.1 200 OK\r\n\r\n`],
    ['in chunks', `Transfer-Encoding: chunked\r\n\r\n4\r\nwho \r\n8;x=y\r\nare you?\r\n0\r\n\r\n`],
  ])('%s, and the connection stays open', async (_, rest) => {
    const failure = await failureThrough(({ socket }) => {
      socket.write(`HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n${rest}`)
    })
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_PROXY',
      message: `handshake with proxy 127.0.0.1:${failure.port} failed: expected status 2xx; got 407`,
      status: 407,
      headers: { 'proxy-authenticate': 'Basic realm="x"' },
    })
    expect(String(failure.body)).toBe(body)
  })

  test('up to the end of the connection, in pieces', async () => {
    const failure = await failureThrough(({ socket }) => {
      socket.write('HTTP/1.1 503 Busy\r\n\r\nwho ')
      setImmediate(() => socket.end('are you?'))
    })
    expect([failure.status, String(failure.body)]).toEqual([503, body])
  })

  test('without a body', async () => {
    const failure = await failureThrough(({ socket }) => socket.write('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'))
    expect([failure.status, String(failure.body)]).toEqual([403, ''])
  })

  test.each(['Content-Length: 99999999999', 'Transfer-Encoding: chunked', 'X: y'])(
    'a body without end (%s): 64 KiB are read',
    async (line) => {
      const failure = await failureThrough(({ socket }) => {
        socket.write(`HTTP/1.1 403 No\r\n${line}\r\n\r\n10000\r\n`)
        const more = (): void => {
          while (!socket.destroyed && socket.write('x'.repeat(10_000)));
        }
        socket.on('drain', more)
        more()
      })
      expect(failure.status).toBe(403)
      expect(failure.body?.length).toBeGreaterThan(60_000)
      expect(failure.body?.length).toBeLessThanOrEqual(65_536)
    },
  )

  test('a body that stops: what came, when the time is over', async () => {
    const answer = 'HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nabc'
    const failure = await failureThrough(({ socket }) => socket.write(answer), { handshakeTimeout: 300 })
    expect([failure.code, failure.status, String(failure.body)]).toEqual(['HANDSHAKE_PROXY', 403, 'abc'])
  })

  test.each([100, 101, 302, 407, 599])('status %i is no tunnel', async (status) => {
    const failure = await failureThrough(({ socket }) =>
      socket.end(`HTTP/1.1 ${status} X\r\nUpgrade: websocket\r\n\r\n`),
    )
    expect([failure.code, failure.status]).toEqual(['HANDSHAKE_PROXY', status])
  })
})

test('the class tells of a refusal by one error and one close', async () => {
  const proxy = await rawServer(({ socket }) => socket.end('HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n'))
  const socket = new WebSocket('ws://server.test', { proxy: `http://127.0.0.1:${proxy.port}` })
  const seen = record(socket)
  await event(socket, 'close')
  expect(seen).toEqual(FAILED)
  expect(socket.failure).toMatchObject({ code: 'HANDSHAKE_PROXY', status: 407 })
})

describe('[A8] a proxy that is none', () => {
  test('nobody there', async () => {
    const port = await unusedPort()
    expect(await handshakeFailure(connect('ws://server.test', { proxy: `http://127.0.0.1:${port}` }))).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `cannot connect to proxy 127.0.0.1:${port}: the connection was refused; is the server running, and on this port? (ECONNREFUSED)`,
    })
  })

  test('its name is not known', async () => {
    const lookup: net.LookupFunction = (name, _, callback) => {
      setImmediate(callback, Object.assign(new Error(name), { code: 'ENOTFOUND' }), '', 4)
    }
    const failure = await handshakeFailure(connect('ws://server.test', { proxy: 'http://proxy.test', lookup }))
    expect(failure.message).toBe('cannot connect to proxy proxy.test:80: the host name is not known (DNS) (ENOTFOUND)')
  })

  test('garbage', async () => {
    const failure = await failureThrough(({ socket }) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    expect(failure.code).toBe('HANDSHAKE_MALFORMED')
    expect(failure.message).toContain(`the answer of proxy 127.0.0.1:${failure.port} is not valid HTTP`)
  })

  test('a head without end', async () => {
    const failure = await failureThrough(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = (): void => {
        while (!socket.destroyed && socket.write('X: y\r\n'.repeat(100)));
      }
      socket.on('drain', more)
      more()
    })
    expect(failure).toMatchObject({ code: 'HANDSHAKE_MALFORMED', cause: { code: 'HPE_HEADER_OVERFLOW' } })
  })

  test('it closes before it answers', async () => {
    const failure = await failureThrough(({ socket }) => socket.end())
    expect(failure).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `no answer from proxy 127.0.0.1:${failure.port}: the proxy closed the connection before it answered the handshake (ECONNRESET)`,
    })
  })

  test('it closes the tunnel at once', async () => {
    for (const url of ['ws://server.test', 'wss://server.test']) {
      const proxy = await rawServer(({ socket }) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
      const failure = await handshakeFailure(connect(url, { proxy: `http://127.0.0.1:${proxy.port}` }))
      expect(failure.code).toBe(url.startsWith('wss') ? 'TLS_FAILED' : 'CONNECT_FAILED')
      expect(failure.message).toContain(`(through proxy 127.0.0.1:${proxy.port})`)
    }
  })

  test('bytes behind its 200 are nobody’s', async () => {
    const failure = await failureThrough(({ socket }) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${switching('x')}`), {})
    expect(failure).toMatchObject({ code: 'HANDSHAKE_PROXY', status: 200 })
    expect(failure.message).toContain('expected nothing behind its status 200; got')
  })

  test('it speaks TLS, and was not asked so; and the other way', async () => {
    const secure = await tunnellingProxy(certificates.server)
    const first = await handshakeFailure(connect('ws://server.test', { proxy: `http://${secure.address}` }))
    expect(['CONNECT_FAILED', 'HANDSHAKE_MALFORMED']).toContain(first.code)
    const plain = await tunnellingProxy()
    const second = await handshakeFailure(connect('ws://server.test', { proxy: `https://${plain.address}` }))
    expect(second.message).toContain(
      `TLS with proxy ${plain.address} failed: the proxy does not speak TLS on this port; is it an http: URL?`,
    )
  })

  test('it is silent', async () => {
    stopClock()
    const failure = await failureThrough(() => pass(10_000))
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: `no connection to server.test:443 (through proxy 127.0.0.1:${failure.port}) within 10000 ms: the proxy has not answered the handshake`,
    })
  })

  test('it is silent during TLS', async () => {
    stopClock()
    const server = net.createServer((socket) => {
      onTestFinished(() => void socket.destroy())
      socket.on('error', () => {})
      socket.once('data', () => pass(10_000))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as net.AddressInfo
    const failure = await handshakeFailure(connect('ws://server.test', { proxy: `https://127.0.0.1:${port}` }))
    expect(failure.message).toContain('within 10000 ms: the TLS handshake with the proxy is not complete')
  })

  test('the server behind it is silent', async () => {
    stopClock()
    const server = await rawServer(() => pass(10_000))
    const proxy = await tunnellingProxy()
    const failure = await handshakeFailure(connect(server.url, { proxy: `http://${proxy.address}` }))
    expect(failure.message).toBe(
      `no connection to 127.0.0.1:${server.port} (through proxy ${proxy.address}) within 10000 ms: the server has not answered the handshake`,
    )
  })
})

describe('signal', () => {
  test('aborts while the proxy is silent, and while the server behind it is', async () => {
    for (const withTunnel of [false, true]) {
      const controller = new AbortController()
      const silent = await rawServer(() => controller.abort())
      const proxy = withTunnel ? await tunnellingProxy() : silent
      const url = `ws://server.test:${silent.port}`
      const attempt = connect(url, { proxy: `http://127.0.0.1:${proxy.port}`, signal: controller.signal })
      await expect(attempt).rejects.toMatchObject({ name: 'AbortError' })
      await Promise.all(proxy.sockets.map((socket) => closed(socket)))
    }
  })
})

test.each(['agent', 'createConnection', 'socketPath'])('a proxy and %s exclude each other', (name) => {
  const values = { agent: { addRequest: () => {} }, createConnection: () => {}, socketPath: '/tmp/x' }
  const options = { proxy: 'http://p.test', [name]: values[name as 'agent'] } as ConnectOptions
  expect(() => connect('ws://h', options)).toThrow(`options proxy and ${name} exclude each other`)
})
