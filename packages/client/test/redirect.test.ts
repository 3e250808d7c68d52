// Redirects, for those who ask for them: who is told what, and what is refused.

import type { Socket } from 'node:net'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ConnectOptions, connect, WebSocket } from '../src/index.ts'
import { handshakeFailure } from './support/failure.ts'
import { tunnellingProxy } from './support/proxy.ts'
import { closed, type Exchange, header, type RawServer, rawServer, switching } from './support/raw-server.ts'
import { event } from './support/script.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

const follow = { followRedirects: true } as const

function redirect({ socket }: Exchange, location: string, status = 302): void {
  socket.end(`HTTP/1.1 ${status} Elsewhere\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
}

/** A server that redirects each path to the one given for it, and takes all others. */
function signpost(signs: Record<string, string>, tls?: object, status?: number): Promise<RawServer> {
  return rawServer((exchange) => {
    const location = signs[pathOf(exchange.head)]
    if (location === undefined) exchange.socket.write(switching(exchange.accept))
    else redirect(exchange, location, status)
  }, tls)
}

const pathOf = (head: string): string => head.split(' ')[1] ?? ''
const pathsOf = ({ requests }: RawServer): string[] => requests.map(pathOf)

/** Connects, and ends the connection. */
async function visit(url: string, options: ConnectOptions = {}): Promise<void> {
  const socket = await connect(url, { ...follow, ...options })
  socket.terminate()
  await socket.closed
}

test('[C1] [A10] none is followed unless it is asked for', async () => {
  const server = await signpost({ '/': '/b' })
  expect(await handshakeFailure(connect(server.url))).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 302 })
  const socket = new WebSocket(server.url)
  await event(socket, 'close')
  expect(pathsOf(server)).toEqual(['/', '/'])
})

test.each([301, 302, 303, 307, 308])('[C1] status %i', async (status) => {
  const server = await signpost({ '/': '/b' }, undefined, status)
  await visit(server.url)
  expect(pathsOf(server)).toEqual(['/', '/b'])
  expect(server.requests[1]).toMatch(/^GET /)
})

test.each([300, 304, 305, 306])('status %i is no redirect', async (status) => {
  const server = await signpost({ '/': '/b' }, undefined, status)
  expect(await handshakeFailure(visit(server.url))).toMatchObject({ code: 'HANDSHAKE_STATUS', status })
})

test('each hop has a key of its own, and the socket before is closed', async () => {
  const server = await signpost({ '/': '/b' })
  await visit(server.url, { protocols: 'chat', headers: new Map([['X', 'y']]).entries() as never })
  const keys = server.requests.map((head) => header(head, 'Sec-WebSocket-Key'))
  expect(new Set(keys).size).toBe(2)
  expect(server.requests.map((head) => [header(head, 'X'), header(head, 'Sec-WebSocket-Protocol')])).toEqual([
    ['y', 'chat'],
    ['y', 'chat'],
  ])
  await closed(server.sockets[0] as Socket)
})

test('relative and absolute, with a query, http: for ws:', async () => {
  const last = await signpost({})
  const server = await signpost({ '/a/b?c': '../d', '/d': '?e', '/d?e': `http://127.0.0.1:${last.port}/f?g` })
  await visit(`${server.url}/a/b?c`)
  expect([...pathsOf(server), ...pathsOf(last)]).toEqual(['/a/b?c', '/d', '/d?e', '/f?g'])
})

test('the body of a redirect is not waited for', async () => {
  const server = await rawServer((exchange) => {
    if (exchange.index > 0) exchange.socket.write(switching(exchange.accept))
    else exchange.socket.write('HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 10\r\n\r\nabc')
  })
  await visit(server.url)
  await closed(server.sockets[0] as Socket)
})

test('the class, and messages there and back', async () => {
  const server = await signpost({ '/': '/b' })
  const socket = new WebSocket(server.url, follow)
  await event(socket, 'open')
  expect([socket.url, pathsOf(server)]).toEqual([`${server.url}/`, ['/', '/b']])
  server.sockets[1]?.end(Buffer.from('8800', 'hex'))
  await event(socket, 'close')
})

describe('what one origin is told', () => {
  const headers = { Authorization: 'Bearer x', cookie: 'a=b', 'Proxy-Authorization': 'y', Host: 'a.test', X: 'z' }
  const seen = ({ requests }: RawServer) =>
    requests.map((head) =>
      ['Authorization', 'Cookie', 'Proxy-Authorization', 'X'].map((name) => header(head, name) ?? ''),
    )

  test('stays with it', async () => {
    const server = await signpost({ '/': '/b' })
    await visit(server.url, { headers })
    expect(seen(server)).toEqual(Array(2).fill(['Bearer x', 'a=b', 'y', 'z']))
    expect(server.requests.map((head) => header(head, 'Host'))).toEqual(['a.test', 'a.test'])
  })

  test.each(['/b', '//127.0.0.1:PORT/b', 'ws://127.0.0.1:PORT/b'])(
    'credentials of the URL stay: %s',
    async (location) => {
      const signs: Record<string, string> = {}
      const server = await signpost(signs)
      signs['/'] = location.replace('PORT', String(server.port))
      await visit(`ws://u:p@127.0.0.1:${server.port}/`)
      expect(seen(server).map(([authorization]) => authorization)).toEqual(Array(2).fill('Basic dTpw'))
    },
  )

  test.each(['port', 'host'])('another %s is not told, nor the first one again', async (kind) => {
    const signs: Record<string, string> = {}
    const first = await signpost(signs)
    const other = kind === 'host' ? first : await signpost({ '/b': `ws://127.0.0.1:${first.port}/c` })
    signs['/'] = kind === 'host' ? `ws://localhost:${first.port}/b` : `ws://127.0.0.1:${other.port}/b`
    if (kind === 'host') signs['/b'] = `ws://127.0.0.1:${first.port}/c`
    await visit(`ws://127.0.0.1:${first.port}`, { headers })
    const all = kind === 'host' ? seen(first) : [...seen(first), ...seen(other)]
    expect(all.filter(([authorization]) => authorization !== '')).toHaveLength(1)
    expect(all.filter((told) => told.join() === ',,,z')).toHaveLength(2)
    expect(header(other.requests.at(-1) ?? '', 'Host')).not.toBe('a.test')
  })

  test('nor the same host by TLS', async () => {
    const secure = await signpost({}, certificates.server)
    const server = await signpost({ '/': `https://localhost:${secure.port}/b` })
    await visit(`ws://u:p@localhost:${server.port}/`, { ca: certificates.ca })
    expect(seen(server)[0]?.[0]).toBe('Basic dTpw')
    expect(seen(secure)[0]?.[0]).toBe('')
  })

  test('credentials in Location are not used', async () => {
    const other = await signpost({})
    const server = await signpost({ '/': `ws://x:y@127.0.0.1:${other.port}/` })
    await visit(server.url)
    expect(seen(other)[0]?.[0]).toBe('')
  })

  test("the client's certificate and servername are for one server", async () => {
    const asked: { authorized: boolean; name: unknown }[] = []
    const tls = { ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: false }
    const note = (exchange: Exchange): void => {
      const socket = exchange.socket as Socket & { authorized: boolean; servername: unknown }
      asked.push({ authorized: socket.authorized, name: socket.servername })
    }
    const other = await rawServer((exchange) => {
      note(exchange)
      exchange.socket.write(switching(exchange.accept))
    }, tls)
    const server = await rawServer((exchange) => {
      note(exchange)
      redirect(exchange, `wss://localhost:${other.port}/`)
    }, tls)
    const { ca, client } = certificates
    await visit(server.url, { ca, ...client, servername: 'LOCALHOST' })
    expect(asked).toEqual([
      { authorized: true, name: 'LOCALHOST' },
      { authorized: false, name: 'localhost' },
    ])
  })
})

describe('a redirect that is not followed', () => {
  async function refusal(url: string, options: ConnectOptions = {}) {
    const failure = await handshakeFailure(visit(url, options))
    expect(failure).toMatchObject({ code: 'HANDSHAKE_REDIRECT', status: 302 })
    return failure
  }

  test('TLS is not given up', async () => {
    const plain = await signpost({})
    for (const location of [`ws://127.0.0.1:${plain.port}/`, `http://127.0.0.1:${plain.port}/`]) {
      const server = await signpost({ '/': location }, certificates.server)
      const failure = await refusal(server.url, { ca: certificates.ca })
      expect(failure.message).toBe(
        `a redirect from "wss://localhost:${server.port}/" is not followed: "ws://127.0.0.1:${plain.port}/" is without TLS`,
      )
      expect(failure.headers?.location).toBe(location)
    }
    expect(plain.sockets).toEqual([])
  })

  test('nor after it has been taken up', async () => {
    const plain = await signpost({})
    const secure = await signpost({ '/': `ws://127.0.0.1:${plain.port}/` }, certificates.server)
    const server = await signpost({ '/': secure.url })
    await refusal(server.url, { ca: certificates.ca })
    expect(plain.sockets).toEqual([])
  })

  test('a loop', async () => {
    const server = await signpost({ '/': '/b', '/b': '/c', '/c': '/b' })
    const failure = await refusal(`ws://u:secret@127.0.0.1:${server.port}`)
    expect(failure.message).toBe(
      `a redirect from "${server.url}/c" is not followed: it leads back to "${server.url}/b"`,
    )
    expect(pathsOf(server)).toEqual(['/', '/b', '/c'])
    const itself = await signpost({ '/': '/' })
    await refusal(itself.url)
    expect(itself.requests).toHaveLength(1)
  })

  test.each([
    [undefined, 10],
    [3, 3],
    [1, 1],
    [0, 0],
  ])('too many: maxRedirects %j', async (maxRedirects, count) => {
    const server = await rawServer((exchange) => redirect(exchange, `/${exchange.index + 1}`))
    const failure = await refusal(server.url, { maxRedirects })
    expect(failure.message).toContain(`is not followed: there were ${count} before (maxRedirects)`)
    expect(server.requests).toHaveLength(count + 1)
  })

  test('as many as allowed', async () => {
    const server = await signpost({ '/': '/1', '/1': '/2' })
    await visit(server.url, { maxRedirects: 2 })
    expect(pathsOf(server)).toEqual(['/', '/1', '/2'])
  })

  test.each([
    ['http://', 'that is no URL'],
    ['ftp://127.0.0.1/', 'URL must begin with ws:, wss:, http: or https:; got "ftp://127.0.0.1/"'],
    ['ws+unix:/tmp/x:/', 'URL must begin with ws:, wss:, http: or https:; got "ws+unix:/tmp/x:/"'],
    ['mailto:a', 'URL must begin with ws:, wss:, http: or https:; got "mailto:a"'],
  ])('to %s', async (location, why) => {
    const server = await signpost({ '/': location })
    expect((await refusal(server.url)).message).toBe(
      `a redirect from "${server.url}/" is not followed: Location is "${location}"; ${why}`,
    )
  })

  test('to a fragment', async () => {
    const server = await signpost({ '/': '/b#c' })
    expect((await refusal(server.url)).message).toContain('URL must have no fragment')
  })

  test.each([
    ['none', ''],
    ['2', 'Location: /a\r\nLocation: /b\r\n'],
  ])('with %s Location headers', async (count, lines) => {
    const server = await rawServer(({ socket }) => socket.end(`HTTP/1.1 302 X\r\n${lines}Content-Length: 0\r\n\r\n`))
    expect((await refusal(server.url)).message).toContain(`expected one Location header; got ${count}`)
  })

  test('TLS options are checked although the first URL has no TLS', () => {
    expect(() => connect('ws://127.0.0.1:1', { ca: 'x', ...follow })).toThrow('option ca must be certificates in PEM')
  })
})

test('a proxy is asked for each hop', async () => {
  const last = await signpost({})
  const server = await signpost({ '/': `ws://other.test:${last.port}/` })
  const proxy = await tunnellingProxy()
  await visit(`ws://one.test:${server.port}/`, { proxy: `http://u:p@${proxy.address}` })
  expect(proxy.asked.map(({ target, headers }) => [target, headers['proxy-authorization']])).toEqual([
    [`one.test:${server.port}`, 'Basic dTpw'],
    [`other.test:${last.port}`, 'Basic dTpw'],
  ])
})

test('signal aborts the second hop', async () => {
  const controller = new AbortController()
  const last = await rawServer(() => controller.abort())
  const server = await signpost({ '/': last.url })
  await expect(visit(server.url, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
  await closed(last.sockets[0] as Socket)
})

test('the second hop fails: its own error', async () => {
  const last = await rawServer(({ socket }) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno'))
  const server = await signpost({ '/': last.url })
  const failure = await handshakeFailure(visit(server.url))
  expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 404 })
  expect(failure.message).toContain(`handshake with 127.0.0.1:${last.port} failed`)
})

test('a proxy of the environment that is none, for the scheme of the next hop: refused, with the answer that led there', async () => {
  const before = process.env.https_proxy
  process.env.https_proxy = 'socks5://127.0.0.1:1'
  onTestFinished(() => {
    if (before === undefined) delete process.env.https_proxy
    else process.env.https_proxy = before
  })
  const server = await signpost({ '/': 'wss://elsewhere.test/' })
  const failure = await handshakeFailure(visit(server.url, { proxy: 'env' }))
  expect(failure).toMatchObject({ code: 'HANDSHAKE_REDIRECT', status: 302 })
  expect(failure.message).toContain('https_proxy')
})
