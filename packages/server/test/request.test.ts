import { expect, test } from 'vitest'
import { pathnameOf } from '../src/request.ts'

test.each([
  ['/', '/'],
  ['/updates', '/updates'],
  ['/updates?token=a?b#c', '/updates'],
  ['/updates#c', '/updates'],
  ['?x=1', '/'],
  ['', '/'],
  ['*', '*'],
  ['/a%2Fb/../c', '/a%2Fb/../c'],
  ['//host/path', '//host/path'],
  ['http://example.com/updates?x', '/updates'],
  ['ws://example.com', '/'],
  ['HTTP://example.com?x', '/'],
  ['/http://example.com/x', '/http://example.com/x'],
])('the path of %s is %s', (target, path) => {
  expect(pathnameOf(target)).toBe(path)
})
