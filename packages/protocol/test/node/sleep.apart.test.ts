// A machine that sleeps: the wall clock jumps, Node's timers do not count the time. Here the clocks are faked; a process that
// is really stopped is in the server's tests.

import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Alarm } from '../../src/node/alarm.ts'
import { connected, type Setup, withPeer } from './support/connections.ts'

const PING = `8909${Buffer.from('heartbeat').toString('hex')}`

const open: Awaited<ReturnType<typeof connected>>['server'][] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
})

afterEach(async () => {
  for (const socket of open.splice(0)) {
    socket.terminate()
    await socket.closed
  }
  vi.advanceTimersByTime(2_000) // nothing is left to be watched for: the watch ends by itself
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** The wall clock goes on, all else stands still; then comes the moment in which that is noticed. */
async function sleep(milliseconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + milliseconds)
  vi.advanceTimersByTime(2_000)
  await nextTurn()
  await nextTurn()
}

async function server(setup: Setup) {
  const ends = await withPeer('server', setup)
  open.push(ends.socket)
  onTestFinished(ends.dispose)
  return ends
}

test('every alarm rings and is told; afterwards time is time again', async () => {
  const log: [number, boolean][] = []
  const alarms = [100, 30_000, 3_600_000].map((delay) => {
    const alarm: Alarm = new Alarm((slept) => {
      log.push([delay, slept])
      if (slept) alarm.set(delay)
    })
    alarm.set(delay + 10_000)
    return alarm
  })
  vi.advanceTimersByTime(2_000)
  await sleep(60_000)
  expect(log).toEqual([
    [100, true],
    [30_000, true],
    [3_600_000, true],
  ])
  vi.advanceTimersByTime(200)
  expect(log.slice(3)).toEqual([[100, false]])
  vi.advanceTimersByTime(32_000)
  expect(log.slice(4)).toEqual([[30_000, false]])
  for (const alarm of alarms) alarm.clear()
})

test('a clock that is set by little, or back, is no sleep', async () => {
  let rang = 0
  const alarm = new Alarm(() => rang++)
  alarm.set(30_000)
  await sleep(2_000)
  await sleep(-3_600_000)
  vi.advanceTimersByTime(20_000)
  expect(rang).toBe(0)
  alarm.clear()
})

test('without alarms nothing is watched', () => {
  const alarm = new Alarm(() => {})
  alarm.set(30_000)
  alarm.clear()
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(2_000)
  expect(vi.getTimerCount()).toBe(0)
})

test('heartbeat: a ping goes out at once, and its answer has its full time', async () => {
  const { socket, peer } = await server({ heartbeat: { interval: 3_600_000, timeout: 10_000 } })
  vi.advanceTimersByTime(2_000)
  await sleep(8 * 3_600_000)
  expect(await peer.read(11)).toBe(PING)
  await nextTurn()
  vi.advanceTimersByTime(9_900)
  await nextTurn()
  expect(socket.readyState).toBe(1)
  vi.advanceTimersByTime(1_000)
  expect(await socket.closed).toMatchObject({ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' } })
})

test('heartbeat: who owes an answer when we fall asleep is asked again, and lives if it answers', async () => {
  const { socket, peer } = await server({ heartbeat: true })
  vi.advanceTimersByTime(33_000)
  expect(await peer.read(11)).toBe(PING)
  await nextTurn()
  vi.advanceTimersByTime(9_000)
  await sleep(60_000)
  expect(await peer.read(11)).toBe(PING)
  const pong = once(socket, 'pong')
  peer.write('8a80', '00000000')
  await pong
  vi.advanceTimersByTime(11_000)
  await nextTurn()
  expect(socket.readyState).toBe(1)
})

test('a message in progress gets its time anew', async () => {
  const { socket, peer } = await server({})
  peer.write('81fe0400')
  while (socket.stats().bytesIn < 4) await nextTurn()
  vi.advanceTimersByTime(9_000)
  await sleep(60_000)
  vi.advanceTimersByTime(8_000)
  expect(socket.readyState).toBe(1)
  vi.advanceTimersByTime(4_000)
  expect(socket.readyState).toBe(2)
})

test('a Close that waits for its answer too', async () => {
  const { socket } = await server({})
  const closed = socket.close(1000)
  vi.advanceTimersByTime(9_000)
  await sleep(60_000)
  vi.advanceTimersByTime(8_000)
  await nextTurn()
  expect(socket.readyState).toBe(2)
  vi.advanceTimersByTime(4_000)
  expect((await closed).cause?.code).toBe('CLOSE_TIMEOUT')
})

test('while nobody reads, the ping only shows whether TCP is still there', async () => {
  const ends = await connected(undefined, { server: { heartbeat: true, maxReadAhead: 1 } })
  open.push(ends.client, ends.server)
  onTestFinished(ends.dispose)
  ends.client.send('nobody reads this')
  while (ends.server.stats().messagesIn < 1) await nextTurn()
  for (let round = 0; round < 3; round++) {
    await sleep(3_600_000)
    vi.advanceTimersByTime(33_000)
    await nextTurn()
  }
  expect([ends.client.readyState, ends.server.readyState]).toEqual([1, 1])
})
