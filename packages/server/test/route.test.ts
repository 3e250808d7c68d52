// Which requests are a server's, over real sockets.

import { type PathOption, type PathPattern, type ServerOptions, UsageError, WebSocketServer } from '@ws/server'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { RawClient, type RequestParts, SWITCHING } from './support/raw-client.ts'
import { connection, httpServer, portOf, refused, serve, share } from './support/servers.ts'
import { URLPattern } from './support/url-pattern.ts'

const target = (path: string, host = '127.0.0.1'): RequestParts => ({
  start: `GET ${path} HTTP/1.1`,
  replace: [`Host: ${host}`],
})

/** What the server knows of the path, or the status of its refusal. */
async function asked(options: ServerOptions<never>, parts: RequestParts) {
  const server = await serve(options)
  const outcome = Promise.race([
    connection(server).then(({ request }) => request.params),
    refused(server).then(({ code }) => code),
  ])
  await (await RawClient.connect(portOf(server))).upgrade(parts)
  return await outcome
}

describe('a path', () => {
  test.each<[string, string, unknown]>([
    ['/chat', '/chat?token=1', {}],
    ['/chat', 'http://127.0.0.1/chat?token=1', {}],
    ['/chat', '/chat/', 'REFUSED_PATH'],
    ['/rooms/:room', '/rooms/a%20b?c#d', { room: 'a%20b' }],
    ['/rooms/:room', '/rooms/', 'REFUSED_PATH'],
    ['/files/*', '/files/a/b', { 0: 'a/b' }],
  ])('%s: %s', async (path, url, expected) => {
    expect(await asked({ path }, target(url))).toEqual(expected)
  })

  test('what varies is known to the hook, and to what it decides', async () => {
    const server = await serve<string | undefined>({
      path: '/rooms/:room',
      authenticate: ({ params }) => ({ data: params.room }),
    })
    const opened = connection(server)
    await (await RawClient.connect(portOf(server))).upgrade(target('/rooms/7'))
    expect((await opened).socket.data).toBe('7')
  })

  test('without the option nothing varies', async () => {
    expect(await asked({}, target('/rooms/7'))).toEqual({})
  })
})

describe('a URLPattern', () => {
  test.each<[string, PathPattern, RequestParts, unknown]>([
    ['its path', new URLPattern({ pathname: '/rooms/:room(\\d+)' }), target('/rooms/7?x=1'), { room: '7' }],
    ['another path', new URLPattern({ pathname: '/rooms/:room(\\d+)' }), target('/rooms/x'), 'REFUSED_PATH'],
    ['a URL, resolved', new URLPattern({ pathname: '/b' }), target('/a/../b'), {}],
    ['its host', new URLPattern({ hostname: '*.a.example' }), target('/', 'x.a.example:8080'), { 0: '/' }],
    ['another host', new URLPattern({ hostname: '*.a.example' }), target('/', 'b.example'), 'REFUSED_PATH'],
    ['its query', new URLPattern({ pathname: '/', search: 'v=2' }), target('/?v=2'), {}],
    ['another query', new URLPattern({ pathname: '/', search: 'v=2' }), target('/?v=1'), 'REFUSED_PATH'],
    ['the scheme of the server', new URLPattern('ws://a.example/*'), target('/x', 'a.example'), { 0: 'x' }],
    ['an absolute target', new URLPattern({ pathname: '/b' }), target('http://a.example/b'), {}],
    ['a Host that would be a path', new URLPattern({ pathname: '/b' }), target('/', 'a/b?'), 'REFUSED_PATH'],
    ['a Host that is none', new URLPattern({ pathname: '/*' }), target('/', ''), 'REFUSED_PATH'],
    ['a target that is no path', new URLPattern({ hostname: 'a.b*' }), target('*', 'a.b'), 'REFUSED_PATH'],
  ])('%s', async (_, path, parts, expected) => {
    expect(await asked({ path }, parts)).toEqual(expected)
  })

  test('behind a proxy, the host that it was asked for', async () => {
    const path = new URLPattern({ hostname: 'a.example', pathname: '/' })
    const parts = { ...target('/', '127.0.0.1:9000'), add: ['X-Forwarded-Host: a.example'] }
    expect(await asked({ path, trustProxy: true }, parts)).toEqual({})
    expect(await asked({ path }, parts)).toBe('REFUSED_PATH')
  })

  test('one that throws is a fault of ours: 500', async () => {
    const exec = () => {
      throw new Error('of the pattern')
    }
    expect(await asked({ path: { exec, pathname: '/*' } }, target('/'))).toBe('REFUSED_HOOK_FAILED')
  })

  test('is what the option takes', () => {
    expectTypeOf<URLPattern>().toMatchTypeOf<PathOption>()
    expectTypeOf<RegExp>().not.toMatchTypeOf<PathOption>()
  })
})

test('several servers and patterns on one HTTP server; 404 when nobody claims a path', async () => {
  const http = await httpServer()
  const room = share(http, { path: '/rooms/:room' })
  const files = share(http, { path: '/files/*' })
  const other = share(http, { path: (pathname) => pathname.endsWith('.live') })
  const statusOf = async (path: string) => (await (await RawClient.connect(portOf(http))).upgrade(target(path)))[0]
  for (const path of ['/rooms/7', '/files/x.live', '/x.live']) expect(await statusOf(path)).toBe(SWITCHING[0])
  expect(await statusOf('/rooms/7/8')).toBe('HTTP/1.1 404 Not Found')
  expect([room, files, other].map((server) => server.stats().accepted)).toEqual([1, 1, 1])
})

test.each([[{}], [[]], [7], [null], [/a/], [{ exec: () => null }]])('%o is no path', (path) => {
  const wrong = () => new WebSocketServer({ noServer: true, path: path as never })
  expect(wrong).toThrow(UsageError)
  expect(wrong).toThrow(/^option path must be a path such as '\/chat', .*, a URLPattern or a function; got /)
})
