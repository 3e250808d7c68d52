// The options of connections: their defaults, and what a nonsensical value gets.

import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { type ConnectionOptions, connectionSettings } from '../../src/node/settings.ts'

test('defaults', () => {
  expect(connectionSettings({}, true)).toEqual({
    maxPayload: 16 * 1024 * 1024,
    maxFragments: 131_072,
    messageTimeout: 10_000,
    closeTimeout: 10_000,
    heartbeat: { interval: 30_000, timeout: 10_000 },
    idleTimeout: 0,
    highWaterMark: 64 * 1024,
    maxBackpressure: 16 * 1024 * 1024,
    slowConsumer: 'close',
    maxReadAhead: 256 * 1024,
    concurrency: 1,
    incoming: 'deliver',
    binary: 'owned',
  })
})

test('heartbeat: on, off, by default as the end has it, in part', () => {
  const heartbeat = (given: ConnectionOptions['heartbeat'], byDefault: boolean) =>
    connectionSettings({ heartbeat: given }, byDefault).heartbeat
  expect(heartbeat(undefined, false)).toBe(undefined)
  expect(heartbeat(false, true)).toBe(undefined)
  expect(heartbeat(true, false)).toEqual({ interval: 30_000, timeout: 10_000 })
  expect(heartbeat({ interval: 5 }, false)).toEqual({ interval: 5, timeout: 10_000 })
})

const NUMBERS = [
  'maxPayload',
  'maxFragments',
  'messageTimeout',
  'closeTimeout',
  'highWaterMark',
  'maxBackpressure',
  'maxReadAhead',
  'concurrency',
] as const

describe.each(NUMBERS)('%s', (name) => {
  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 1.5, '1', null, 2 ** 60])('%s is refused', (value) => {
    expect(() => connectionSettings({ [name]: value }, true)).toThrow(UsageError)
    expect(() => connectionSettings({ [name]: value }, true)).toThrow(`option ${name} must be an integer from `)
  })
})

test.each([
  [{ maxPayload: 2 ** 31 }, 'option maxPayload must be an integer from 0 to 536870888; got 2147483648'],
  [{ closeTimeout: 2 ** 31 }, 'option closeTimeout must be an integer from 1 to 2147483647; got 2147483648'],
  [{ heartbeat: 5 }, 'option heartbeat must be a boolean or { interval, timeout } in ms; got 5'],
  [{ heartbeat: null }, 'option heartbeat must be a boolean or { interval, timeout } in ms; got null'],
  [{ heartbeat: { interval: 0 } }, 'option heartbeat.interval must be an integer from 1 to 2147483647; got 0'],
  [{ heartbeat: { timeout: '1' } }, 'option heartbeat.timeout must be an integer from 1 to 2147483647; got "1"'],
  [{ slowConsumer: 'wait' }, "option slowConsumer must be 'close' or 'drop'; got \"wait\""],
  [{ incoming: true }, "option incoming must be 'deliver' or 'discard'; got true"],
])('%j', (options, message) => {
  expect(() => connectionSettings(options as ConnectionOptions, true)).toThrow(new UsageError(message))
})
