// Origins are compared as text: no socket is needed to say who may connect.

import type { UpgradeRequest } from '@ws/protocol/node'
import { describe, expect, test } from 'vitest'
import { hostOf, isSameOrigin, normalised, originRule } from '../src/origin.ts'

const request = (headers: Record<string, string>) => ({ headers }) as unknown as UpgradeRequest

describe('[D9] isSameOrigin compares host and effective port, never the scheme', () => {
  test.each([
    ['http://example.com', 'example.com'],
    ['https://example.com', 'example.com'],
    ['http://example.com', 'example.com:80'],
    ['https://example.com', 'example.com:443'],
    ['http://example.com:80', 'example.com'],
    ['https://example.com:443', 'example.com'],
    ['https://example.com:443', 'example.com:443'],
    ['http://example.com:8080', 'example.com:8080'],
    // TLS may end at a proxy in front of us: the port is what tells origins apart.
    ['https://example.com:8080', 'example.com:8080'],
    ['http://EXAMPLE.com', 'example.COM'],
    ['HTTP://example.com', 'example.com'],
    ['http://example.com', 'example.com:'],
    ['http://[::1]:8080', '[::1]:8080'],
    ['http://[::1]', '[::1]'],
    ['http://127.0.0.1:3000', '127.0.0.1:3000'],
    ['http://a_b.example', 'a_b.example'],
    ['ws://example.com', 'example.com'],
    ['wss://example.com', 'example.com'],
    ['app://example.com:99', 'example.com:99'],
  ])('%s is the origin of %s', (origin, host) => {
    expect(isSameOrigin(origin, host)).toBe(true)
  })

  test.each([
    ['http://example.com', 'example.com:443'],
    ['https://example.com', 'example.com:80'],
    ['http://example.com:8080', 'example.com'],
    ['http://example.com', 'example.com:8080'],
    ['http://example.com', 'example.org'],
    ['http://good.evil.com', 'good'],
    ['http://evil.com', 'good.evil.com'],
    ['http://notexample.com', 'example.com'],
    ['http://example.com.evil.com', 'example.com'],
    ['http://example.com@evil.com', 'evil.com'],
    ['http://example.com', undefined],
    ['http://example.com', ''],
    ['http://example.com', 'example.com, evil.com'],
    ['http://example.com', 'example.com/path'],
    ['http://example.com/', 'example.com'],
    ['http://example.com/path', 'example.com'],
    ['http://example.com https://evil.com', 'example.com'],
    ['http://a, http://b', 'a'],
    ['//example.com', 'example.com'],
    ['example.com', 'example.com'],
    ['null', 'null'],
    ['', ''],
    ['http://', ''],
    ['http://example.com:', 'example.com'],
    ['http://example.com:123456', 'example.com:123456'],
    // The default port of an unknown scheme is unknown.
    ['app://example.com', 'example.com'],
  ])('%s is not the origin of %s', (origin, host) => {
    expect(isSameOrigin(origin, host)).toBe(false)
  })
})

describe('hostOf', () => {
  test.each([
    ['believes Host', { host: 'a', 'x-forwarded-host': 'b' }, false, 'a'],
    ['believes a trusted proxy', { host: 'a', 'x-forwarded-host': 'b' }, true, 'b'],
    ['takes the first of several proxies', { host: 'a', 'x-forwarded-host': ' b:81 , c' }, true, 'b:81'],
    ['falls back to Host', { host: 'a' }, true, 'a'],
    ['has nothing to say without Host', {}, false, undefined],
  ])('%s', (_, headers, trustProxy, host) => {
    expect(hostOf(headers, trustProxy)).toBe(host)
  })
})

test.each([
  ['HTTPS://Example.COM:443', 'https://example.com'],
  ['http://example.com:80', 'http://example.com'],
  ['https://example.com:80', 'https://example.com:80'],
  ['app://x:443', 'app://x:443'],
  ['null', undefined],
  ['http://example.com/', undefined],
])('normalised(%s) is %s', (origin, expected) => {
  expect(normalised(origin)).toBe(expected)
})

describe('originRule', () => {
  const ask = (rule: ReturnType<typeof originRule>, origin: string, headers: Record<string, string> = {}) =>
    rule(origin, request({ host: 'here.example', ...headers }))

  test('by default allows the same origin only', () => {
    const rule = originRule(undefined, false)
    expect(ask(rule, 'https://here.example')).toBe(true)
    expect(ask(rule, 'https://evil.example')).toBe(false)
    expect(ask(rule, 'null')).toBe(false)
    expect(ask(rule, 'https://evil.example', { 'x-forwarded-host': 'evil.example' })).toBe(false)
  })

  test('with trustProxy compares the host that the proxy was asked for', () => {
    const rule = originRule(undefined, true)
    expect(ask(rule, 'https://outside.example', { 'x-forwarded-host': 'outside.example' })).toBe(true)
    expect(ask(rule, 'https://here.example', { 'x-forwarded-host': 'outside.example' })).toBe(false)
    expect(ask(rule, 'https://here.example')).toBe(true)
  })

  test("'*' allows what comes", () => {
    const rule = originRule('*', false)
    for (const origin of ['https://evil.example', 'null', 'no origin at all']) expect(ask(rule, origin)).toBe(true)
  })

  test('a list allows exactly its origins', () => {
    const rule = originRule(['https://Good.example:443', 'http://localhost:8080', 'capacitor://localhost'], false)
    const allowed = ['https://good.example', 'HTTPS://GOOD.example', 'http://localhost:8080', 'capacitor://localhost']
    const others = [
      'http://good.example',
      'https://good.evil.com',
      'https://here.example',
      'http://localhost',
      'null',
      '',
    ]
    expect(allowed.map((origin) => ask(rule, origin))).toEqual([true, true, true, true])
    expect(others.map((origin) => ask(rule, origin))).toEqual([false, false, false, false, false, false])
  })

  test('a list may hold origins without a host', () => {
    const rule = originRule(['null', 'file://'], false)
    expect(['null', 'file://', 'http://null'].map((origin) => ask(rule, origin))).toEqual([true, true, false])
  })

  test('a function decides, but is not asked about what is no origin', () => {
    const asked: unknown[] = []
    const rule = originRule((origin, { headers }) => {
      asked.push([origin, headers.host])
      return origin.endsWith('.example')
    }, false)
    expect(ask(rule, 'https://a.example')).toBe(true)
    expect(ask(rule, 'https://evil.com')).toBe(false)
    expect(ask(rule, 'null')).toBe(false)
    expect(ask(rule, 'https://evil.com, https://a.example')).toBe(false)
    expect(asked).toEqual([
      ['https://a.example', 'here.example'],
      ['https://evil.com', 'here.example'],
      ['null', 'here.example'],
    ])
  })

  test('a function that answers a promise throws: it would allow everybody', () => {
    const rule = originRule((async () => false) as never, false)
    expect(() => ask(rule, 'https://a.example')).toThrow(
      'the answer of the function given as option origins must be a boolean; got an instance of Promise',
    )
  })

  test.each([
    ['an origin alone', 'https://a.example'],
    ['an empty string', ''],
    ['an object', {}],
    ['null', null],
  ])('%s is no rule', (_, option) => {
    expect(() => originRule(option as never, false)).toThrow(
      /^option origins must be a list of origins, '\*' or a function; got /,
    )
  })

  test.each(['https://a.example/', 'a.example', '*', '', 'https://münchen.example', 7, null])(
    '%j is no origin for a list',
    (entry) => {
      expect(() => originRule([entry as string], false)).toThrow(
        /^option origins must be a list of origins such as 'https:\/\/example.com' or 'http:\/\/localhost:8080'; got /,
      )
    },
  )
})
