import { describe, expect, test } from 'vitest'
import { type ConnectOptions, connect, UsageError } from '../src/index.ts'
import { makePlan } from '../src/plan.ts'
import { parseTarget } from '../src/url.ts'

const target = parseTarget('ws://h/')

test('defaults', () => {
  const { upgrade, settings, ...plan } = makePlan(target, {})
  expect(plan).toEqual({
    target,
    requireProtocol: false,
    timeout: 10_000,
    signal: undefined,
    dial: {},
    proxy: undefined,
    serialize: true,
    followRedirects: false,
    maxRedirects: 10,
    options: { protocols: [], headers: [] },
  })
  expect(upgrade.protocols).toEqual([])
  expect(settings).toMatchObject({ maxPayload: 16 * 1024 * 1024, heartbeat: undefined })
  expect(settings.perMessageDeflate?.offer).toEqual({
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  })
})

test('[B9] compression is offered unless it is switched off', () => {
  expect(makePlan(target, { perMessageDeflate: undefined }).upgrade.deflate).toBeDefined()
  const { upgrade, settings } = makePlan(target, { perMessageDeflate: false })
  expect([upgrade.deflate, settings.perMessageDeflate]).toEqual([undefined, undefined])
})

test("the caller's array of subprotocols is copied", () => {
  const protocols = ['a']
  const { upgrade } = makePlan(target, { protocols })
  protocols.push('b')
  expect(upgrade.protocols).toEqual(['a'])
})

describe('wrong arguments throw UsageError, before any I/O', () => {
  test.each([
    [{ protocols: [''] }, 'subprotocol must be a token (RFC 6455 §4.1); got ""'],
    [{ protocols: 'a b' }, 'subprotocol must be a token (RFC 6455 §4.1); got "a b"'],
    [{ protocols: ['a', 'A'] }, 'subprotocols must be different from each other; got "A"'],
    [{ protocols: 5 }, 'option protocols must be a string or an array of strings; got 5'],
    [{ protocols: [5] }, 'subprotocol must be a token (RFC 6455 §4.1); got 5'],
    [{ headers: 5 }, 'option headers must be an object or a list of [name, value]; got 5'],
    [{ headers: null }, 'option headers must be an object or a list of [name, value]; got null'],
    [{ headers: ['X: 1'] }, 'option headers must be an object or a list of [name, value]; got "X: 1"'],
    [{ headers: [['X']] }, 'option headers must be an object or a list of [name, value]; got an instance of Array'],
    [
      { headers: { X: 'a\r\nb' } },
      'value of header X must be a string without control characters or characters past U+00FF; got "a\\r\\nb"',
    ],
    [
      { headers: { X: undefined } },
      'value of header X must be a string without control characters or characters past U+00FF; got undefined',
    ],
    [
      { headers: { X: null } },
      'value of header X must be a string without control characters or characters past U+00FF; got null',
    ],
    [{ headers: { 'X Y': '1' } }, 'header name must be a token (RFC 9110 §5.6.2); got "X Y"'],
    [
      { headers: { 'Sec-WebSocket-Key': 'x' } },
      'header Sec-WebSocket-Key is written by the handshake itself and cannot be given',
    ],
    [{ headers: { upgrade: 'x' } }, 'header upgrade is written by the handshake itself and cannot be given'],
    [
      {
        headers: [
          ['Host', 'a'],
          ['host', 'b'],
        ],
      },
      'header host must be given once at most',
    ],
    [
      { origin: 'a\nb' },
      'value of header Origin must be a string without control characters or characters past U+00FF; got "a\\nb"',
    ],
    [{ origin: 'a', headers: { Origin: 'b' } }, 'header origin must be given once at most'],
    [{ requireProtocol: 1 }, 'option requireProtocol must be a boolean; got 1'],
    [{ serialize: 'yes' }, 'option serialize must be a boolean; got "yes"'],
    [{ handshakeTimeout: 0 }, 'option handshakeTimeout must be an integer from 1 to 2147483647; got 0'],
    [{ handshakeTimeout: Number.NaN }, 'option handshakeTimeout must be an integer from 1 to 2147483647; got NaN'],
    [{ handshakeTimeout: 2 ** 31 }, 'option handshakeTimeout must be an integer from 1 to 2147483647; got 2147483648'],
    [{ followRedirects: 1 }, 'option followRedirects must be a boolean; got 1'],
    [{ maxRedirects: -1 }, 'option maxRedirects must be an integer from 0 to 9007199254740991; got -1'],
    [{ proxy: 5 }, 'option proxy must be an http: or https: URL without a path; got 5'],
    [{ signal: 5 }, 'option signal must be an AbortSignal; got 5'],
    [{ signal: null }, 'option signal must be an AbortSignal; got null'],
    [{ maxPayload: -1 }, 'option maxPayload must be an integer from 0 to 536870888; got -1'],
    [
      { closeTimeout: Number.POSITIVE_INFINITY },
      'option closeTimeout must be an integer from 1 to 2147483647; got Infinity',
    ],
    [null, 'options must be an object'],
    ['chat', 'options must be an object'],
  ])('%j', (options, message) => {
    expect(() => connect('ws://127.0.0.1:1/', options as ConnectOptions)).toThrow(new UsageError(message))
  })

  test.each([
    ['a string', 'option handlers must be an object of functions; got "a string"'],
    [null, 'option handlers must be an object of functions; got null'],
    [{ message: 5 }, 'option handlers.message must be a function; got 5'],
  ])('handlers: %j', (handlers, message) => {
    expect(() => connect('ws://127.0.0.1:1/', {}, handlers as never)).toThrow(new UsageError(message))
  })

  test('the URL', () => {
    expect(() => connect('ftp://h/')).toThrow(
      new UsageError('URL must begin with ws:, wss:, http: or https:; got "ftp://h/"'),
    )
    expect(() => connect(undefined as never)).toThrow(UsageError)
  })
})
