// Every option is judged at construction, by an error that names it, what was expected and what came.

import { EventEmitter } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { UsageError, WebSocketServer, type WebSocketServerOptions } from '@ws/server'
import { describe, expect, test } from 'vitest'
import { serverSettings } from '../src/options.ts'

const make = (options: unknown, handlers?: unknown) => () =>
  new WebSocketServer(options as WebSocketServerOptions, handlers as never)

describe('exactly one form', () => {
  const server = http.createServer()
  test.each([
    [{}, 0],
    [{ host: '127.0.0.1' }, 0],
    [{ noServer: false }, 0],
    [{ port: 0, noServer: true }, 2],
    [{ port: 0, socketPath: '/nowhere' }, 2],
    [{ server, noServer: true }, 2],
    [{ port: 0, server, noServer: true }, 3],
  ])('%#', (options, count) => {
    expect(make(options)).toThrow(
      new UsageError(`options must have exactly one of port, socketPath, server and noServer; got ${count} of them`),
    )
    expect(server.listenerCount('upgrade')).toBe(0)
  })

  test.each([[undefined], [null], [8080]])('%s is no options', (options) => {
    expect(make(options)).toThrow('options must be an object with one of port, socketPath, server and noServer')
  })

  test.each(['host', 'backlog', 'tls'])('%s is for a port of the server itself', (name) => {
    const value = { host: '::1', backlog: 1, tls: {} }[name]
    const message = `option ${name} needs option port or socketPath: it is for a server of its own`
    expect(make({ server, [name]: value })).toThrow(new UsageError(message))
    expect(make({ noServer: true, [name]: value })).toThrow(new UsageError(message))
  })
})

test.each([
  [{ port: -1 }, 'option port must be an integer from 0 to 65535; got -1'],
  [{ port: 65_536 }, 'option port must be an integer from 0 to 65535; got 65536'],
  [{ port: '8080' }, 'option port must be an integer from 0 to 65535; got "8080"'],
  [{ port: 1.5 }, 'option port must be an integer from 0 to 65535; got 1.5'],
  [{ port: 0, host: 7 }, 'option host must be a non-empty string; got 7'],
  [{ port: 0, host: '' }, 'option host must be a non-empty string; got ""'],
  [{ port: 0, backlog: 0 }, 'option backlog must be an integer from 1 to 2147483647; got 0'],
  [{ port: 0, tls: true }, 'option tls must be an object with options of https.createServer; got true'],
  [{ port: 0, tls: null }, 'option tls must be an object with options of https.createServer; got null'],
  [{ socketPath: '' }, 'option socketPath must be a non-empty string; got ""'],
  [{ noServer: 'yes' }, 'option noServer must be a boolean; got "yes"'],
  [{ server: {} }, 'option server must be an http.Server, an https.Server or a server of node:http2; got an object'],
  [{ server: null }, 'option server must be an http.Server, an https.Server or a server of node:http2; got null'],
])('%o', (options, message) => {
  expect(make(options)).toThrow(new UsageError(message))
})

test('a bare net.Server and an emitter are no HTTP servers', () => {
  expect(make({ server: net.createServer() })).toThrow(
    'option server must be an http.Server, an https.Server or a server of node:http2; got',
  )
  expect(make({ server: new EventEmitter() })).toThrow(
    'option server must be an http.Server, an https.Server or a server of node:http2; got',
  )
})

test.each([
  [
    { path: 'chat' },
    "option path must be a path such as '/chat', '/rooms/:room' or '/files/*', a URLPattern or a function; got \"chat\"",
  ],
  [
    { path: '/chat?x' },
    "option path must be a path such as '/chat', '/rooms/:room' or '/files/*', a URLPattern or a function; got \"/chat?x\"",
  ],
  [
    { path: '' },
    "option path must be a path such as '/chat', '/rooms/:room' or '/files/*', a URLPattern or a function; got \"\"",
  ],
  [
    { path: /chat/ },
    "option path must be a path such as '/chat', '/rooms/:room' or '/files/*', a URLPattern or a function; got an instance of RegExp",
  ],
  [{ protocols: 'chat' }, 'option protocols must be a list of subprotocols or a function; got "chat"'],
  [{ protocols: ['a b'] }, 'subprotocol must be a token (RFC 6455 §4.1); got "a b"'],
  [{ protocols: ['a', 'A'] }, 'subprotocols must be different from each other; got "A"'],
  [{ origins: 'https://a' }, 'option origins must be a list of origins, \'*\' or a function; got "https://a"'],
  [{ trustProxy: 'yes' }, 'option trustProxy must be a boolean or the number of proxies in front; got "yes"'],
  [{ trustProxy: 0 }, 'option trustProxy must be a boolean or the number of proxies in front; got 0'],
  [{ trustProxy: 1.5 }, 'option trustProxy must be a boolean or the number of proxies in front; got 1.5'],
  [{ hosts: 'a.example' }, 'option hosts must be a list of hosts; got "a.example"'],
  [{ hosts: [] }, 'option hosts must be a list of hosts; got an instance of Array'],
  [
    { hosts: ['https://a.example'] },
    "option hosts must be a list of hosts such as 'example.com', 'localhost:8080' or '[::1]'; got \"https://a.example\"",
  ],
  [{ maxConnections: 0 }, /^option maxConnections must be an integer from 1 to \d+; got 0$/],
  [{ maxConnections: '9' }, /^option maxConnections must be an integer from 1 to \d+; got "9"$/],
  [{ maxConnectionsPerAddress: -1 }, /^option maxConnectionsPerAddress must be an integer from 1 to \d+; got -1$/],
  [{ handshakeTimeout: 0 }, 'option handshakeTimeout must be an integer from 1 to 2147483647; got 0'],
  [{ handshakeTimeout: Number.NaN }, 'option handshakeTimeout must be an integer from 1 to 2147483647; got NaN'],
  [{ authenticate: true }, 'option authenticate must be a function; got true'],
  [{ clientTracking: 'no' }, 'option clientTracking must be a boolean; got "no"'],
  [{ maxPayload: -1 }, /^option maxPayload must be an integer from 0 to \d+; got -1$/],
  [{ heartbeat: { interval: 0 } }, /^option heartbeat.interval must be an integer from 1 to \d+; got 0$/],
])('%o', (options, message) => {
  expect(make({ noServer: true, ...options })).toThrow(message instanceof RegExp ? message : new UsageError(message))
})

test('handlers are functions', () => {
  expect(make({ noServer: true }, { message: 'echo' })).toThrow(
    new UsageError('option handlers.message must be a function; got "echo"'),
  )
  expect(make({ noServer: true }, null)).toThrow(
    new UsageError('option handlers must be an object with open, message, drain and close; got null'),
  )
})

test('a long wrong value is not repeated in full', () => {
  expect(make({ noServer: true, path: 'x'.repeat(1000) })).toThrow(/got "x{60}…"$/)
})

test('what Node would ignore is ignored', () => {
  expect(make({ noServer: true, perMessageDeflate: true, verifyClient: 1 })).not.toThrow()
})

test('the defaults', () => {
  const settings = serverSettings({ noServer: true })
  expect(settings).toMatchObject({
    handshakeTimeout: 10_000,
    trustProxy: false,
    proxies: 0,
    hostAllowed: undefined,
    maxConnections: Infinity,
    maxConnectionsPerAddress: Infinity,
    clientTracking: true,
    protocols: undefined,
  })
  expect(settings.connection).toMatchObject({
    heartbeat: { interval: 30_000, timeout: 10_000 },
    maxPayload: 16 * 1024 * 1024,
  })
})
