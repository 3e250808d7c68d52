import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { UsageError } from '../src/index.ts'
import { proxyFor } from '../src/proxy.ts'
import { parseTarget } from '../src/url.ts'

const plain = parseTarget('ws://server.test/')
const secure = parseTarget('wss://server.test/')

test('none unless it is asked for', () => {
  environment({ http_proxy: 'http://p.test' })
  expect(proxyFor({}, plain)).toBeUndefined()
})

test.each([
  ['http://p.test', { secure: false, host: 'p.test', port: 80, address: 'p.test:80' }],
  ['http://p.test:3128/', { secure: false, host: 'p.test', port: 3128, address: 'p.test:3128' }],
  ['https://p.test', { secure: true, host: 'p.test', port: 443, address: 'p.test:443' }],
  ['http://[::1]:8', { secure: false, host: '::1', port: 8, address: '[::1]:8' }],
])('%s', (proxy, expected) => {
  const found = { ...expected, authorization: undefined, tls: {} }
  expect(proxyFor({ proxy }, plain)).toEqual(found)
  expect(proxyFor({ proxy: new URL(proxy) }, secure)).toEqual(found)
})

test('credentials become Basic authentication', () => {
  const { authorization } = proxyFor({ proxy: 'http://us%3Aer:p%40ss@p.test' }, plain) ?? {}
  expect(authorization).toBe(`Basic ${Buffer.from('us:er:p@ss').toString('base64')}`)
})

describe('what is no proxy throws', () => {
  const expected = 'must be an http: or https: URL without a path; got'
  test.each<[object, string]>([
    [{ proxy: 5 }, `option proxy ${expected} 5`],
    [{ proxy: null }, `option proxy ${expected} null`],
    [{ proxy: true }, `option proxy ${expected} true`],
    [{ proxy: '' }, `option proxy ${expected} what is no URL`],
    [{ proxy: 'u:secret@p:x' }, `option proxy ${expected} "u:"`],
    [{ proxy: 'http://u:secret@p:99999' }, `option proxy ${expected} what is no URL`],
    [{ proxy: 'socks5://u:secret@p.test:1080' }, `option proxy ${expected} "socks5:"`],
    [{ proxy: 'http://u:secret@p.test/path?x#y' }, `option proxy ${expected} "http://p.test/path?x#y"`],
    [{ proxyTls: 5 }, 'option proxyTls must be an object; got 5'],
    [{ proxyTls: { ca: 'x' } }, 'option proxyTls.ca must be certificates in PEM (not the path of a file); got "x"'],
    [
      { proxyTls: { minVersion: 'x' } },
      'TLS options in proxyTls are not usable: "x" is not a valid minimum TLS protocol version',
    ],
  ])('%j', (options, message) => {
    expect(() => proxyFor(options, plain)).toThrow(new UsageError(message))
  })
})

/** The environment's variables about proxies: these and no others. */
function environment(variables: Record<string, string>): void {
  const names = ['http_proxy', 'https_proxy', 'no_proxy']
  for (const name of [...names, ...names.map((name) => name.toUpperCase()), 'REQUEST_METHOD']) {
    vi.stubEnv(name, variables[name])
  }
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
}

describe("'env'", () => {
  const chosen = (variables: Record<string, string>, target = plain) => {
    environment(variables)
    return proxyFor({ proxy: 'env' }, target)?.address
  }

  test('http_proxy is for ws:, https_proxy for wss:', () => {
    const both = { http_proxy: 'http://one.test', https_proxy: 'http://two.test' }
    expect([chosen(both, plain), chosen(both, secure)]).toEqual(['one.test:80', 'two.test:80'])
    expect([chosen({ http_proxy: 'http://one.test' }, secure), chosen({})]).toEqual([undefined, undefined])
  })

  test('lower case counts before upper case; what is empty does not count', () => {
    expect(chosen({ HTTP_PROXY: 'http://upper.test' })).toBe('upper.test:80')
    expect(chosen({ http_proxy: 'http://lower.test', HTTP_PROXY: 'http://upper.test' })).toBe('lower.test:80')
    expect(chosen({ http_proxy: ' ', HTTP_PROXY: 'http://upper.test' })).toBe('upper.test:80')
  })

  test('without a scheme it is http:', () => {
    expect(proxyIn({ http_proxy: 'u:p@p.test:3128' })).toMatchObject({ secure: false, address: 'p.test:3128' })
  })

  test('HTTP_PROXY does not count in a CGI program, where clients set it', () => {
    expect(chosen({ HTTP_PROXY: 'http://evil.test', REQUEST_METHOD: 'GET' })).toBeUndefined()
    expect(chosen({ http_proxy: 'http://mine.test', REQUEST_METHOD: 'GET' })).toBe('mine.test:80')
    expect(chosen({ HTTPS_PROXY: 'http://mine.test', REQUEST_METHOD: 'GET' }, secure)).toBe('mine.test:80')
  })

  test('no_proxy', () => {
    const proxied = { http_proxy: 'http://p.test' }
    expect(chosen({ ...proxied, no_proxy: 'server.test' })).toBeUndefined()
    expect(chosen({ ...proxied, NO_PROXY: 'server.test:80' })).toBeUndefined()
    expect(chosen({ ...proxied, no_proxy: 'server.test:81' })).toBe('p.test:80')
    expect(chosen({ ...proxied, no_proxy: 'other.test', NO_PROXY: 'server.test' })).toBe('p.test:80')
  })

  test('what is no proxy throws, and names the variable', () => {
    const message = 'environment variable HTTP_PROXY must be an http: or https: URL without a path; got "socks5:"'
    expect(() => chosen({ HTTP_PROXY: 'socks5://u:secret@p.test' })).toThrow(new UsageError(message))
  })

  function proxyIn(variables: Record<string, string>) {
    environment(variables)
    return proxyFor({ proxy: 'env' }, plain)
  }
})
