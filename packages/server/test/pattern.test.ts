// Paths with parts that vary: what a pattern means here it means to URLPattern, which is the oracle.

import { UsageError } from '@ws/server'
import { describe, expect, test } from 'vitest'
import { pathMatcher } from '../src/pattern.ts'
import { URLPattern } from './support/url-pattern.ts'

const PATTERNS = [
  '/',
  '/chat',
  '/chat/',
  '/rooms/:room',
  '/rooms/:room/',
  '/:tenant/rooms/:room',
  '/rooms/:_a$1',
  '/files/*',
  '/files*',
  '/*',
  '/*/end',
  '/:kind/*',
  '/*/:last',
  '/a*b/:c/d',
  '/v1.2/[x]|$',
  '/%41',
  '/café',
  '/日本/:x',
  "/a-b_c~d!e,f;g=h@i&j'k",
]
const PATHS = [
  '/',
  '/chat',
  '/Chat',
  '/chat/',
  '/chat/more',
  '/rooms',
  '/rooms/',
  '/rooms/7',
  '/rooms/7/',
  '/rooms/a%20b',
  '/rooms/a:b*c',
  '/acme/rooms/7',
  '/files',
  '/files/',
  '/files/a',
  '/files/a/b/c',
  '/files/a/end',
  '/filesystem',
  '/end',
  '/x/end',
  '/x/y/end',
  '/ab/c/d',
  '/axxb/c/d',
  '/a/x/b/c/d',
  '/v1.2/[x]|$',
  '/v1x2/[x]|$',
  '/%41',
  '/A',
  '/caf%C3%A9',
  '/%E6%97%A5%E6%9C%AC/1',
  "/a-b_c~d!e,f;g=h@i&j'k",
  '/__proto__',
]

describe.each(PATTERNS)('%s', (pattern) => {
  const match = pathMatcher(pattern)
  const oracle = new URLPattern({ pathname: pattern })

  test.each(PATHS)('%s', (pathname) => {
    const groups = oracle.exec({ pathname })?.pathname.groups
    expect(match(pathname)).toEqual(groups === undefined ? undefined : { ...groups })
  })
})

test('nothing is decoded or resolved: the path is matched as sent', () => {
  expect(pathMatcher('/a/*')('/a/../b%2F')).toEqual({ 0: '../b%2F' })
  expect(pathMatcher('/b')('/a/../b')).toBe(undefined)
})

test('names of what every object has are names', () => {
  expect(Object.entries(pathMatcher('/:__proto__/:constructor')('/a/b') ?? {})).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
})

describe('what is refused', () => {
  const EXPECTED = "a path such as '/chat', '/rooms/:room' or '/files/*', a URLPattern or a function"

  test.each(
    [
      ['', 'chat', 'https://a.example/chat', ':a'],
      ['/chat?x', '/chat#x', '/a b', '/a"b', '/a<b', '/a^b', '/a`b', '/\n', '/\ud800'],
    ].flat(),
  )('no path: %j', (path) => {
    expect(() => pathMatcher(path)).toThrow(
      new UsageError(`option path must be ${EXPECTED}; got ${JSON.stringify(path)}`),
    )
  })

  // What URLPattern understands, or refuses as well; here it is never taken for something else.
  test.each([
    '/(a|b)',
    '/a{/b}?',
    '/:a?',
    '/:a+',
    '/:a*',
    '/:a(\\d+)',
    '/\\:a',
    '/a+b',
    '/**',
    '/*/*',
    '/:a-:b',
    '/a:b',
    '/:a/:a',
    '/a:',
    '/:7',
    '/:é',
  ])('signs that are not spoken: %s', (path) => {
    expect(() => pathMatcher(path)).toThrow(
      new UsageError(`option path must be ${EXPECTED}; got ${JSON.stringify(path)}`),
    )
  })
})

test.each(['/*/:a/:b/x', '/:a/:b/:c/*', '/a*a', '/*/x/:a'])('[F8] %s takes linear time, whatever comes', (pattern) => {
  const match = pathMatcher(pattern)
  const time = (size: number): number => {
    const hostile = ['/'.repeat(size), '/a'.repeat(size), 'a'.repeat(size), '/x/a'.repeat(size)]
    const { user: start } = process.cpuUsage()
    for (let round = 0; round < 20; round++) for (const path of hostile) match(`/${path}\n`)
    return (process.cpuUsage().user - start) / 1000
  }
  time(1_000)
  // Quadratic time would be 256 times as long.
  expect(time(32_000)).toBeLessThan(128 * Math.max(time(2_000), 1))
})
