// `bench`: what it measures is what happened.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { serve, serveEcho } from './support/peers.ts'
import { run, start, startOnTerminal } from './support/program.ts'

const SHORT = ['--duration', '0.3', '--warmup', '0.1']

async function measured(args: string[]) {
  const { code, stdout, stderr } = await run(['bench', ...args, '--json'])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

test('in flight: so many connections, so many messages of that size, and never more than that under way', async () => {
  let connections = 0
  let most = 0
  const { url, server } = await serve(undefined, { concurrency: 100 } as object)
  server.on('connection', (socket) => {
    connections++
    let underWay = 0
    socket.on('message', (data) => {
      expect(data.length).toBe(100)
      most = Math.max(most, ++underWay)
      setImmediate(() => {
        underWay--
        socket.send(data)
      })
    })
  })
  const results = await measured([url, '--connections', '3', '--in-flight', '4', '--size', '100', ...SHORT])
  expect([connections, most]).toEqual([3, 4])
  expect(results).toMatchObject({
    url: `${url}/`,
    connections: 3,
    inFlight: 4,
    size: 100,
    unsent: 0,
    unanswered: 0,
    unexpected: 0,
  })
  const { messages, messagesPerSecond, seconds, latency } = results
  expect(messages).toBeGreaterThan(0)
  expect(messagesPerSecond).toBe(Math.round(messages / seconds))
  const order = [latency.min, latency.p50, latency.p90, latency.p99, latency['p99.9'], latency.max]
  expect(order.toSorted((a, b) => a - b)).toEqual(order)
})

test('--rate: a stall is charged to all messages that were due in it, not to those alone that were under way', async () => {
  const STALL = 200
  let stalled = false
  const { url } = await serve({
    message: async (socket, data) => {
      if (!stalled) {
        stalled = true
        await sleep(STALL)
      }
      socket.send(data)
    },
  })
  const args = ['--connections', '1', '--rate', '500', '--duration', '0.5', '--warmup', '0']
  const { latency, messages, rate } = await measured([url, ...args])
  // Of 250 messages 100 were due in the stall; asked one by one, a client would have one slow answer.
  expect(rate).toBe(500)
  expect(messages).toBeGreaterThan(100)
  expect(latency.p90).toBeGreaterThan(STALL / 4)
})

test('in words', async () => {
  const { url } = await serveEcho()
  const { code, stdout } = await run(['bench', url, '--connections', '2', ...SHORT])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^2 connections, 64 bytes, 1 in flight on each, 0\.\d+ s\n\n\d+ messages\/s\nround trip in ms\n/,
  )
  for (const row of ['min', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${row.replace('.', '\\.')} +\\d+\\.\\d{3}$`, 'm'))
  }
})

test('progress on a terminal', async () => {
  const { url } = await serveEcho()
  const { stdout } = await startOnTerminal(['bench', url, '--duration', '1.5', '--warmup', '0']).ended
  expect(stdout).toMatch(/\d+ messages\/s, p99 \d+(\.\d+)? ms/)
})

test('a message of the server that is no answer is told, and is not taken for one', async () => {
  const { url, server } = await serveEcho()
  server.on('connection', (socket) => socket.send('welcome'))
  const { stdout, code } = await run(['bench', url, '--connections', '2', ...SHORT])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^2 messages came that were no answers$/m)
})

test('a server that does not echo', async () => {
  const { url } = await serve({ message: (socket) => void socket.send('something else') })
  expect(await run(['bench', url, '--connections', '1', ...SHORT])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: no message came back as it was sent: is it an echo server?\n',
  })
}, 60_000)

test('a server that ends a connection, or is not there', async () => {
  const { url } = await serve({ message: (socket) => void socket.close(1008, 'too fast') })
  expect(await run(['bench', url, ...SHORT])).toEqual({
    code: 5,
    stdout: '',
    stderr: 'error: the server ended a connection: 1008 too fast\n',
  })
  expect((await run(['bench', 'ws://127.0.0.1:1', ...SHORT])).code).toBe(3)
})

test('SIGINT: it prints what it has measured so far', async () => {
  const { url, server } = await serveEcho()
  const connected = once(server, 'connection')
  const program = start(['bench', url, '--connections', '1', '--warmup', '0', '--duration', '1000', '--json'])
  const [socket] = await connected
  while (socket.stats().messagesIn < 10) await socket.ping()
  program.process.kill('SIGINT')
  const { code, stdout } = await program.ended
  expect(code).toBe(130)
  expect(JSON.parse(stdout).messages).toBeGreaterThanOrEqual(9) // the tenth may be on its way back
})
