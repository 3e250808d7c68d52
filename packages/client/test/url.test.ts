import { UsageError } from '@ws/protocol'
import { describe, expect, test } from 'vitest'
import { parseTarget, parseUnixTarget } from '../src/url.ts'

test('[A1] default ports', () => {
  expect(parseTarget('ws://h/')).toEqual({
    url: 'ws://h/',
    secure: false,
    host: 'h',
    port: 80,
    authority: 'h',
    path: '/',
    origin: 'ws://h',
    authorization: undefined,
  })
  expect(parseTarget('wss://h/')).toMatchObject({
    secure: true,
    host: 'h',
    port: 443,
    authority: 'h',
    origin: 'wss://h',
  })
})

test.each([
  ['ws://h:8080', 8080, 'h:8080'],
  ['ws://h:80', 80, 'h'],
  ['ws://h:443', 443, 'h:443'],
  ['wss://h:443', 443, 'h'],
  ['wss://h:80', 80, 'h:80'],
  ['http://h:443', 443, 'h:443'],
  ['ws://[::1]:9', 9, '[::1]:9'],
])('[B2] %s', (url, port, authority) => {
  expect(parseTarget(url)).toMatchObject({ port, authority })
})

test.each(['ws://h/#', 'ws://h/#test', 'ws://h#', 'wss://h/?a#b'])('[A2] a fragment is refused: %s', (url) => {
  expect(() => parseTarget(url)).toThrow(
    new UsageError(`URL must have no fragment (RFC 6455 §3); got ${JSON.stringify(new URL(url).href)}`),
  )
})

test.each([
  ['ws://h', '/'],
  ['ws://h?x=1', '/?x=1'],
  ['ws://h/a/b?c=d&e', '/a/b?c=d&e'],
  ['ws://h/?', '/'],
  ['ws://h/a b?ä', '/a%20b?%C3%A4'],
  ['ws://h/%23', '/%23'],
])('[A3] resource name of %s', (url, path) => {
  expect(parseTarget(url).path).toBe(path)
})

describe('[A4]', () => {
  test('scheme and host are case-insensitive', () => {
    expect(parseTarget('WS://EXAMPLE/Path')).toMatchObject({ url: 'ws://example/Path', host: 'example', path: '/Path' })
  })
  test('IDNA', () => {
    expect(parseTarget('ws://bücher.example:8080/')).toMatchObject({
      host: 'xn--bcher-kva.example',
      authority: 'xn--bcher-kva.example:8080',
    })
  })
  test.each(['ws://h/\0a', 'ws://h/%00a'])('NUL stays encoded: %j', (url) => {
    expect(parseTarget(url).path).toBe('/%00a')
  })
  test('an IPv6 address is connected to without its brackets', () => {
    expect(parseTarget('ws://[::1]/')).toMatchObject({ host: '::1', authority: '[::1]', origin: 'ws://[::1]' })
  })
})

test.each([
  ['http://h/a', 'ws://h/a'],
  ['https://h/', 'wss://h/'],
  ['HTTPS://h', 'wss://h/'],
  ['ws://h', 'ws://h/'],
  ['wss://h:444/x', 'wss://h:444/x'],
])('[A5] %s counts as %s', (given, url) => {
  expect(parseTarget(given).url).toBe(url)
  expect(parseTarget(new URL(given)).url).toBe(url)
})

test.each(['ftp://h/', 'file:///a', 'mailto:a@b', 'wss+x://h/'])('[A5] another scheme is refused: %s', (url) => {
  expect(() => parseTarget(url)).toThrow(
    new UsageError(`URL must begin with ws:, wss:, http: or https:; got ${JSON.stringify(url)}`),
  )
})

test.each(['', '/path', 'h:80:80', 'ws://', 'ws://h:99999/', 'ws://a b/', '//h/'])('[A5] no URL: %j', (url) => {
  expect(() => parseTarget(url)).toThrow(
    url === 'h:80:80'
      ? new UsageError('URL must begin with ws:, wss:, http: or https:; got "h:80:80"')
      : new UsageError(`URL must be absolute and valid, like ws://host:port/path; got ${JSON.stringify(url)}`),
  )
})

test('a long URL is cut in the message', () => {
  expect(() => parseTarget(`ws://h/${'a'.repeat(300)}#`)).toThrow(`got "ws://h/${'a'.repeat(193)}…"`)
})

test.each([
  ['ws://u:p@h/', 'u:p'],
  ['ws://u@h/', 'u:'],
  ['ws://:p@h/', ':p'],
  ['ws://u%40x:p%3Aq@h/', 'u@x:p:q'],
  ['ws://ü:%zz@h/', 'ü:%zz'],
])('[A10] credentials of %s', (url, credentials) => {
  const target = parseTarget(url)
  expect(target.authorization).toBe(`Basic ${Buffer.from(credentials).toString('base64')}`)
  expect(target.authority).toBe('h')
})

describe('ws+unix:', () => {
  test.each([
    ['ws+unix:/run/a.sock:/b?c=d', '/run/a.sock', '/b?c=d'],
    ['ws+unix:///run/a.sock:/b', '/run/a.sock', '/b'],
    ['WS+UNIX:/run/a.sock', '/run/a.sock', '/'],
    ['ws+unix:/run/a.sock:', '/run/a.sock', '/'],
    ['ws+unix:/run/a.sock?c', '/run/a.sock', '/?c'],
    ['ws+unix:/run/a.sock:b:c', '/run/a.sock', '/b:c'],
    ['ws+unix:/run/a.sock://other.test/b', '/run/a.sock', '/other.test/b'],
    ['ws+unix:/run/a%3Ab%20c.sock:/d%20e', '/run/a:b c.sock', '/d%20e'],
    ['ws+unix:/run/ü.sock:/ü', '/run/ü.sock', '/%C3%BC'],
  ])('%s', (url, socketPath, path) => {
    expect(parseUnixTarget(url)).toMatchObject({ socketPath, path, secure: false, authority: 'localhost' })
    expect(parseUnixTarget(new URL(url))?.socketPath).toBe(socketPath)
  })

  test.each(['ws+unix:', 'ws+unix:/', 'ws+unix:./a.sock:/b', 'ws+unix:a:/b', 'ws+unix://host/a:/b', 'ws+unix:/a:/b#c'])(
    'names no socket: %s',
    (url) => {
      expect(() => parseUnixTarget(url)).toThrow(
        new UsageError(`URL must be of the form ws+unix:/path/of/socket:/path?query; got ${JSON.stringify(url)}`),
      )
    },
  )

  test('other schemes are not its business; for the standard it is another scheme', () => {
    expect(parseUnixTarget('ws://h/')).toBeUndefined()
    expect(parseUnixTarget('wss+unix:/a:/b')).toBeUndefined()
    expect(() => parseTarget('ws+unix:/a:/b')).toThrow('URL must begin with ws:, wss:, http: or https:')
  })
})

test.each([
  'ftp://user:secret@host/',
  'wss://user:secret@host/#fragment',
  'wss://user:secret@',
  'ws+unix://user:secret@host/x',
])('%s: the error has no password', (url) => {
  const read = (): unknown => parseUnixTarget(url) ?? parseTarget(url)
  expect(read).toThrow(UsageError)
  expect(read).toThrow('//user@')
  expect(read).not.toThrow('secret')
})
