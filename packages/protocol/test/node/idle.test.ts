// The option `idleTimeout`: what counts as use, what makes the clock stand still, and how it ends.

import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { collect, connected, type Setup, withPeer } from './support/connections.ts'

const TIMEOUT = 60_000
/** The clock is moved in large steps. */
const PATIENT: Setup = { closeTimeout: 24 * 3_600_000 }
/** A quarter is between two looks, and each alarm may be a sixteenth late. */
const LATEST = TIMEOUT * 1.35

async function pairOf(server: Setup = {}, client: Setup = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const ends = await connected(undefined, {
    server: { idleTimeout: TIMEOUT, ...PATIENT, ...server },
    client: { ...PATIENT, ...client },
  })
  onTestFinished(async () => {
    vi.useRealTimers()
    await ends.dispose()
  })
  return ends
}

test('nobody says anything: 1001 with the reason, a clean close; never too early', async () => {
  const { client, server } = await pairOf()
  vi.advanceTimersByTime(TIMEOUT - 1)
  await nextTurn()
  expect([client.readyState, server.readyState]).toEqual([1, 1])
  vi.advanceTimersByTime(LATEST - TIMEOUT)
  const ended = { code: 1001, wasClean: true }
  expect(await server.closed).toMatchObject({ ...ended, initiator: 'local' })
  expect(await client.closed).toMatchObject({ ...ended, reason: 'no message for 60000 ms', initiator: 'remote' })
})

test('at the client too', async () => {
  const { client, server } = await pairOf({ idleTimeout: 0 }, { idleTimeout: TIMEOUT })
  vi.advanceTimersByTime(LATEST)
  expect(await server.closed).toMatchObject({ code: 1001, initiator: 'remote' })
  expect(await client.closed).toMatchObject({ code: 1001, initiator: 'local' })
})

test('by default never', async () => {
  const { client, server } = await pairOf({ idleTimeout: undefined })
  vi.advanceTimersByTime(24 * 3_600_000)
  await nextTurn()
  expect([client.readyState, server.readyState]).toEqual([1, 1])
})

test.each(['in', 'out'])('a message %s is use', async (direction) => {
  const { client, server } = await pairOf()
  const [from, to] = direction === 'in' ? [client, server] : [server, client]
  for (let count = 0; count < 5; count++) {
    vi.advanceTimersByTime(TIMEOUT - 1)
    const message = collect(to, 1)
    from.send('x')
    await message
  }
  expect(server.readyState).toBe(1)
  vi.advanceTimersByTime(LATEST)
  expect((await server.closed).code).toBe(1001)
})

test('pings and pongs are none', async () => {
  const { client, server } = await pairOf({ heartbeat: true })
  for (let round = 0; server.readyState === 1 && round < 10; round++) {
    vi.advanceTimersByTime(TIMEOUT / 4)
    if (server.readyState === 1) await Promise.all([client.ping(), server.ping()]).catch(() => {})
  }
  expect((await server.closed).code).toBe(1001)
})

test('a message that is on its way in is', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { socket, peer, dispose } = await withPeer('server', { idleTimeout: TIMEOUT, messageTimeout: 0, ...PATIENT })
  onTestFinished(dispose)
  peer.write('81fe0400')
  while (socket.stats().bytesIn < 4) await nextTurn()
  vi.advanceTimersByTime(10 * TIMEOUT)
  expect(socket.readyState).toBe(1)
})

test('the clock stands still while the loop over an iterator works on a message', async () => {
  const { client, server } = await pairOf()
  const messages = server[Symbol.asyncIterator]()
  client.send('work')
  await messages.next()
  vi.advanceTimersByTime(10 * TIMEOUT)
  await nextTurn()
  expect(server.readyState).toBe(1)
  const next = messages.next()
  vi.advanceTimersByTime(LATEST + TIMEOUT)
  expect(await next).toEqual({ done: true, value: undefined })
  expect((await server.closed).code).toBe(1001)
})

test('so is one that is sent in parts, and what waits for the peer', async () => {
  const { client, server } = await pairOf()
  let end = (): void => {}
  const sent = server.sendStream(
    (async function* () {
      yield 'the beginning'
      await new Promise<void>((resolve) => {
        end = resolve
      })
    })(),
  )
  await nextTurn()
  vi.advanceTimersByTime(10 * TIMEOUT)
  expect(server.readyState).toBe(1)
  const message = collect(client, 1)
  end()
  await sent
  expect(await message).toEqual(['the beginning'])
  client.pause()
  while (server.send(Buffer.alloc(64 * 1024)));
  vi.advanceTimersByTime(10 * TIMEOUT)
  expect(server.readyState).toBe(1)
  client.terminate()
  await server.closed
})

test('while a handler works the clock stands still, and begins again when it is done', async () => {
  let finish = (): void => {}
  const work = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { client, server } = await pairOf({ handlers: { message: () => work } })
  client.send('takes long')
  while (server.stats().messagesIn === 0) await nextTurn()
  vi.advanceTimersByTime(10 * TIMEOUT)
  expect(server.readyState).toBe(1)
  finish()
  await nextTurn()
  vi.advanceTimersByTime(TIMEOUT * 0.7)
  expect(server.readyState).toBe(1)
  vi.advanceTimersByTime(LATEST)
  expect((await server.closed).code).toBe(1001)
})

test('while the application has paused, too', async () => {
  const { server } = await pairOf()
  server.pause()
  vi.advanceTimersByTime(10 * TIMEOUT)
  await nextTurn()
  expect(server.readyState).toBe(1)
  server.resume()
  vi.advanceTimersByTime(LATEST)
  expect((await server.closed).code).toBe(1001)
})

test('a message that crosses our Close is delivered', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { socket, peer, dispose } = await withPeer('server', { idleTimeout: TIMEOUT, ...PATIENT })
  onTestFinished(dispose)
  const message = once(socket, 'message')
  vi.advanceTimersByTime(LATEST)
  expect(socket.readyState).toBe(2)
  peer.write('818100000000', '78', '888200000000', '03e9')
  expect(await message).toEqual(['x'])
  expect((await peer.rest()).slice(0, 8)).toBe('881903e9')
  peer.stream.end()
  expect(await socket.closed).toMatchObject({ code: 1001, wasClean: true, initiator: 'local' })
})
