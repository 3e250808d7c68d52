// What the option `http2` may be, and what it cannot stand beside: thrown at the call, before any I/O.

import http, { type Agent } from 'node:http'
import { describe, expect, test } from 'vitest'
import { http2Plan } from '../../src/http2/choice.ts'
import { identityOf } from '../../src/http2/identity.ts'
import { type ConnectOptions, connect, ReconnectingWebSocket, UsageError, WebSocket } from '../../src/index.ts'
import { parseTarget } from '../../src/url.ts'
import { http2Peer, ownSession } from '../support/http2-peer.ts'

const URL_ = 'wss://localhost:1'
const EXPECTED = "option http2 must be a boolean, 'auto' or a ClientHttp2Session of node:http2; got"

test.each<[unknown, string]>([
  ['yes', `${EXPECTED} "yes"`],
  [1, `${EXPECTED} 1`],
  [null, `${EXPECTED} null`],
  [{}, `${EXPECTED} an object`],
  [() => {}, `${EXPECTED} a function`],
])('http2: %j', (http2, message) => {
  const options = { http2 } as ConnectOptions
  expect(() => connect(URL_, options)).toThrow(new UsageError(message))
  expect(() => new WebSocket(URL_, options)).toThrow(new UsageError(message))
  expect(() => new ReconnectingWebSocket(URL_, options as object)).toThrow(new UsageError(message))
})

describe('ways to a server that are of HTTP/1.1', () => {
  const give = 'give a session of node:http2, made as you like, as option http2'
  test.each<[ConnectOptions, string]>([
    [{ agent: new http.Agent() as Agent }, `options http2 and agent exclude each other: ${give}`],
    [{ createConnection: () => undefined as never }, `options http2 and createConnection exclude each other: ${give}`],
    [{ ALPNProtocols: ['h2'] }, 'options http2 and ALPNProtocols exclude each other: http2 says what ALPN asks for'],
    [{ headers: { 'Keep-Alive': '1' } }, 'header keep-alive has no place in HTTP/2 (RFC 9113 §8.2.2)'],
  ])('%j', (options, message) => {
    for (const http2 of [true, 'auto'] as const) {
      for (const url of [URL_, 'ws://localhost:1'])
        expect(() => connect(url, { ...options, http2 })).toThrow(new UsageError(message))
    }
  })

  test('false is what they are for', () => {
    const given = { target: parseTarget(URL_), proxy: undefined, offer: {} }
    expect(http2Plan({ http2: false, agent: new http.Agent() }, given)).toBeUndefined()
    expect(http2Plan({}, given)).toBeUndefined()
  })
})

test('a session is there already: nothing says how to get there', async () => {
  const peer = await http2Peer()
  const http2 = await ownSession(peer)
  const refused = (name: string) =>
    new UsageError(`option ${name} cannot be given with a session as option http2, which is connected by you`)
  expect(() => connect(peer.url, { http2, ca: 'x' })).toThrow(refused('ca'))
  expect(() => connect(peer.url, { http2, socketPath: '/tmp/x' })).toThrow(refused('socketPath'))
  expect(() => connect('ws+unix:/tmp/x:/', { http2 })).toThrow(refused('socketPath'))
  expect(() => connect(peer.url, { http2, proxy: 'http://127.0.0.1:1' })).toThrow(refused('proxy'))
  expect(() => connect(peer.url, { http2, lookup: () => {} })).toThrow(refused('lookup'))
})

describe('who may share a session', () => {
  const identity = (options: object = {}, url = URL_) => identityOf(parseTarget(url), options, undefined)

  test('data counts by its content, and in any order of names', () => {
    expect(identity({ ca: 'a', cert: Buffer.from('b') })).toBe(identity({ cert: Buffer.from('b'), ca: 'a' }))
    expect(identity({ key: { pem: 'a', passphrase: 'b' } })).toBe(identity({ key: { passphrase: 'b', pem: 'a' } }))
    expect(identity({}, `${URL_}/a`)).toBe(identity({ protocols: 'x', headers: {} }, `${URL_}/b?c`))
  })

  test('all that is said of the way makes a difference, and no data looks like other data', () => {
    const lookup = () => {}
    const different = [
      {},
      { ca: 'a' },
      { ca: ['a'] },
      { ca: Buffer.from('a') },
      { ca: ['a', 'b'] },
      { ca: ['ab'] },
      { cert: 'a' },
      { family: 4 },
      { family: '4' },
      { rejectUnauthorized: false },
      { rejectUnauthorized: 'false' },
      { lookup },
      { lookup: () => {} },
      { key: { pem: 'a' } },
      { key: [['pem', 'a']] },
      { secureContext: new Map() },
      { secureContext: new Map() },
    ]
    expect(new Set(different.map((options) => identity(options))).size).toBe(different.length)
    expect(identity({ lookup })).toBe(identity({ lookup }))
    const urls = [URL_, 'ws://localhost:1', 'wss://localhost:2', 'wss://127.0.0.1:1']
    expect(new Set(urls.map((url) => identity({}, url))).size).toBe(urls.length)
  })

  test('nothing secret is in it', () => {
    expect(identity({ passphrase: 'secret' })).toMatch(/^[\w+/]{43}=$/)
  })
})
