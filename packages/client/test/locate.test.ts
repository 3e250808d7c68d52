import http from 'node:http'
import { describe, expect, test } from 'vitest'
import { TimeBudget } from '../src/budget.ts'
import type { ConnectOptions } from '../src/index.ts'
import { connect } from '../src/index.ts'
import { locate } from '../src/locate.ts'
import { makePlan } from '../src/plan.ts'
import { parseTarget } from '../src/url.ts'
import { pass, stopClock } from './support/clock.ts'
import { handshakeFailure } from './support/failure.ts'
import { peer } from './support/peer.ts'

type Lookup = NonNullable<ConnectOptions['lookup']>

const found: Lookup = (_, __, callback) =>
  callback(null, [
    { address: '127.0.0.2', family: 4 },
    { address: '::1', family: 6 },
  ])

/** Where this URL leads, and what the lookup then says to `question`. */
async function answerOf(url: string, options: ConnectOptions, question = {}) {
  const { addresses, dial } = await locate(makePlan(parseTarget(url), options), new TimeBudget(10_000))
  const answer = await new Promise((resolve) => {
    dial.lookup?.('h', question, (...all) => resolve(all))
  })
  return { addresses, answer }
}

describe('[A6] an address', () => {
  const agent = new http.Agent()

  test.each<[string, ConnectOptions, string]>([
    ['ws://127.0.0.1:5', {}, '127.0.0.1:5'],
    ['ws://0x7f.1:5', {}, '127.0.0.1:5'],
    ['ws://[::1]', {}, '::1:80'],
    ['ws://h:5', { socketPath: '/tmp/socket' }, '/tmp/socket'],
    ['ws://h:5', { agent }, 'h:5'],
    ['ws://h:5', { createConnection: () => undefined as never }, 'h:5'],
  ])('%s with %j: no lookup, %s', async (url, options, address) => {
    const plan = makePlan(parseTarget(url), { ...options, lookup: () => expect.unreachable() })
    expect(await locate(plan, new TimeBudget(10_000))).toEqual({ addresses: [address], dial: plan.dial })
  })

  test('all addresses of a name, looked up once', async () => {
    const questions: unknown[] = []
    const lookup: Lookup = (name, options, callback) => {
      questions.push([name, options])
      found(name, options, callback)
    }
    const { addresses, answer } = await answerOf('wss://name.test', { lookup, family: 4, agent: false }, { all: true })
    expect(addresses).toEqual(['127.0.0.2:443', '::1:443'])
    expect(questions).toEqual([['name.test', { family: 4, hints: undefined, all: true }]])
    const both = [
      { address: '127.0.0.2', family: 4 },
      { address: '::1', family: 6 },
    ]
    expect(answer).toEqual([null, both])
  })

  test('the first of them, where one is asked for', async () => {
    expect((await answerOf('ws://name.test', { lookup: found })).answer).toEqual([null, '127.0.0.2', 4])
  })

  test('a lookup that gives one', async () => {
    const lookup: Lookup = (_, __, callback) => callback(null, '127.0.0.3', 4)
    const { addresses, answer } = await answerOf('ws://name.test', { lookup }, { all: true })
    expect([addresses, answer]).toEqual([['127.0.0.3:80'], [null, [{ address: '127.0.0.3', family: 4 }]]])
  })

  test('a lookup that fails: the name, and the handshake tells the error', async () => {
    const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    const lookup: Lookup = (_, __, callback) => callback(error, '', 0)
    const { addresses, answer } = await answerOf('ws://name.test', { lookup })
    expect([addresses, answer]).toEqual([['name.test:80'], [error]])
    const failure = await handshakeFailure(connect('ws://name.test', { lookup, serialize: true }))
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', cause: error })
  })
})

describe('a lookup that does not end', () => {
  const lookup: Lookup = () => {}

  test('is not waited for longer than a handshake', async () => {
    stopClock()
    const attempt = handshakeFailure(connect('ws://name.test', { lookup, serialize: true, handshakeTimeout: 500 }))
    await null
    pass(500)
    expect(await attempt).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: 'no connection to name.test:80 within 500 ms: the host name was not looked up',
    })
  })

  test('is left when the signal aborts', async () => {
    const controller = new AbortController()
    const attempt = connect('ws://name.test', { lookup, serialize: true, signal: controller.signal })
    controller.abort('enough')
    await expect(attempt).rejects.toBe('enough')
  })

  test('is not begun after the signal aborted', async () => {
    const signal = AbortSignal.abort('before')
    const unreachable: Lookup = () => expect.unreachable()
    await expect(connect('ws://name.test', { lookup: unreachable, serialize: true, signal })).rejects.toBe('before')
  })
})

test.each([true, false])("the system's lookup, with autoSelectFamily %j", async (autoSelectFamily) => {
  const { port } = await peer()
  const socket = await connect(`ws://localhost:${port}`, { serialize: true, autoSelectFamily, family: 4 })
  expect(socket.remoteAddress).toBe('127.0.0.1')
  await socket.close()
})

test.each<[string, Lookup, string]>([
  ['gives no address', (_, __, callback) => callback(null, []), 'lookup gave no address for nowhere.test'],
  ['gives nothing', (_, __, callback) => callback(null, undefined as never), 'lookup gave no address for nowhere.test'],
  [
    'throws',
    () => {
      throw new Error('no resolver')
    },
    'no resolver',
  ],
])('a lookup that %s is a handshake that failed', async (_, lookup, message) => {
  const failure = await handshakeFailure(connect('ws://nowhere.test', { lookup }))
  expect(failure).toMatchObject({ code: 'CONNECT_FAILED', cause: { message } })
})
