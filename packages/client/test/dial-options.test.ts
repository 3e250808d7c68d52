import http from 'node:http'
import tls from 'node:tls'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, test } from 'vitest'
import { dialOptions } from '../src/dial-options.ts'
import { UsageError } from '../src/index.ts'

test('only what concerns the way to the server is taken', () => {
  const options = { family: 4, localAddress: '127.0.0.1', host: 'evil', method: 'POST', timeout: 1, servername: 'x' }
  expect(dialOptions(options as object, false)).toEqual({ family: 4, localAddress: '127.0.0.1' })
  expect(dialOptions(options as object, true)).toEqual({ family: 4, localAddress: '127.0.0.1', servername: 'x' })
})

test('TLS material is made into a secure context once', async () => {
  const { ca, client } = await makeCertificates()
  const options = dialOptions({ ca: [ca, Buffer.from(ca)], ...client }, true)
  expect(Object.keys(options).sort()).toEqual(['ca', 'cert', 'key', 'secureContext'])
  expect(dialOptions({ ca: new Uint8Array(Buffer.from(ca)) as Buffer }, true).secureContext).toBeDefined()
  const secureContext = tls.createSecureContext()
  expect(dialOptions({ ca, secureContext }, true).secureContext).toBe(secureContext)
  expect(dialOptions({ ca: 'whatever' }, false)).toEqual({})
})

describe('wrong options throw', () => {
  test.each([
    [{ agent: 5 }, 'option agent must be an http.Agent, an https.Agent or false; got 5'],
    [{ agent: null }, 'option agent must be an http.Agent, an https.Agent or false; got null'],
    [{ createConnection: 'x' }, 'option createConnection must be a function; got "x"'],
    [{ socketPath: '' }, 'option socketPath must be the path of a Unix socket; got ""'],
    [{ socketPath: 5 }, 'option socketPath must be the path of a Unix socket; got 5'],
    [{ ca: './ca.pem' }, 'option ca must be certificates in PEM (not the path of a file); got "./ca.pem"'],
    [{ ca: [5] }, 'option ca must be certificates in PEM (not the path of a file); got 5'],
    [
      { ca: Promise.resolve() },
      'option ca must be certificates in PEM (not the path of a file); got an instance of Promise',
    ],
    [{ cert: 'x' }, 'TLS options are not usable: error:0480006C:PEM routines::no start line'],
    [{ minVersion: 'x' }, 'TLS options are not usable: "x" is not a valid minimum TLS protocol version'],
  ])('%j', (options, message) => {
    expect(() => dialOptions(options as object, true)).toThrow(new UsageError(message))
  })
})

test('agents are taken', () => {
  const agent = new http.Agent()
  expect(dialOptions({ agent }, false)).toEqual({ agent })
  expect(dialOptions({ agent: false }, false)).toEqual({ agent: false })
})
