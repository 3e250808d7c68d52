// What many heartbeats in one turn cost. What they do is in connection.test.ts.

import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connected } from './support/connections.ts'

test('pings that leave together share their memory', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const ends = await Promise.all(
    Array.from({ length: 100 }, () => connected(undefined, { server: { heartbeat: true } })),
  )
  onTestFinished(async () => {
    await Promise.all(ends.map((end) => end.dispose()))
  })
  const pongs = Promise.all(ends.map(({ server }) => once(server, 'pong')))
  const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow')
  onTestFinished(() => allocated.mockRestore())
  vi.advanceTimersByTime(33_000)
  await pongs
  expect(allocated.mock.calls.length).toBeLessThanOrEqual(16)
})
