import { describe, expect, test } from 'vitest'
import { bypasses } from '../src/no-proxy.ts'

test.each<[list: string, host: string, matches: boolean]>([
  ['', 'example.com', false],
  [' , ,', 'example.com', false],
  ['*', 'example.com', true],
  ['a.test *', '10.0.0.1', true],
  ['example.com', 'example.com', true],
  ['EXAMPLE.com', 'example.com', true],
  ['example.com.', 'example.com', true],
  ['example.com', 'example.com.', true],
  ['example.com', 'a.b.example.com', true],
  ['example.com', 'badexample.com', false],
  ['example.com', 'example.com.evil.test', false],
  ['.example.com', 'a.example.com', true],
  ['.example.com', 'example.com', false],
  ['*.example.com', 'a.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*ample.com', 'example.com', false],
  ['.', 'example.com', false],
  ['one.test,two.test', 'two.test', true],
  ['one.test two.test', 'two.test', true],
  ['one.test, two.test', 'three.test', false],
  ['localhost', '127.0.0.1', false],
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.1', '127.0.0.11', false],
  ['0.0.1', '127.0.0.1', false],
  ['127.0.0.1', 'name.test', false],
  ['10.0.0.0/8', '10.200.3.4', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.0.0.0/33', '10.0.0.1', false],
  ['10.0.0.0/', '10.0.0.1', false],
  ['10.0.0.0/x', '10.0.0.1', false],
  ['x/8', '10.0.0.1', false],
  ['0.0.0.0/0', '::1', false],
  ['::1', '::1', true],
  ['[::1]', '::1', true],
  ['0:0::1', '::1', true],
  ['::1', '::2', false],
  ['fd00::/8', 'fd12::1', true],
  ['fd00::/129', 'fd12::1', false],
])('%j and %s: %j', (list, host, matches) => {
  expect(bypasses(list, { host, port: 443 })).toBe(matches)
})

describe('with a port', () => {
  test.each<[list: string, host: string, port: number, matches: boolean]>([
    ['example.com:8080', 'example.com', 8080, true],
    ['example.com:8080', 'a.example.com', 8080, true],
    ['example.com:8080', 'example.com', 80, false],
    ['.example.com:8080', 'a.example.com', 8080, true],
    ['127.0.0.1:8080', '127.0.0.1', 8080, true],
    ['127.0.0.1:8080', '127.0.0.1', 8081, false],
    ['[::1]:8080', '::1', 8080, true],
    ['[::1]:8080', '::1', 80, false],
    ['example.com:x', 'example.com', 80, false],
  ])('%s and %s port %i: %j', (list, host, port, matches) => {
    expect(bypasses(list, { host, port })).toBe(matches)
  })
})
