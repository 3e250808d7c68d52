// Processes that are really stopped, or busy, for longer than their heartbeat's timeout: whoever was late himself blames nobody for
// it. Time is what is tested, so here some of it passes.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pass } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { connect } from '@ws/client'
import type { WebSocketConnection } from '@ws/server'
import { expect, onTestFinished, test } from 'vitest'
import { connection, portOf, serve } from './support/servers.ts'

const TSX = pathToFileURL(createRequire(join(import.meta.dirname, '../../../package.json')).resolve('tsx')).href
const PROGRAM = join(import.meta.dirname, 'support/stoppable.ts')
const HEARTBEAT = { interval: 200, timeout: 400 }
/** Long enough for every ping to be due. */
const STOPPED = 1_000

/** Runs the program; yields it and its first line. */
async function run(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@ws/source', '--import', TSX, PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const printed: string[] = []
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  lines.on('line', (line) => printed.push(line))
  await once(lines, 'line')
  return { child, printed }
}

async function stop(child: ChildProcess, milliseconds = STOPPED): Promise<void> {
  child.kill('SIGSTOP')
  await pass(milliseconds)
  child.kill('SIGCONT')
}

async function echoes(socket: WebSocketConnection, text: string): Promise<boolean> {
  const message = once(socket, 'message')
  socket.send(text)
  return (await message)[0] === text
}

test('a server that was busy for longer than the timeout reads the answers before it judges', async () => {
  // So long an interval has all pings leave together.
  const { child, printed } = await run('busy', JSON.stringify({ interval: 1_000, timeout: 500 }))
  const url = `ws://127.0.0.1:${printed[0]?.split(' ')[1]}`
  const sockets = await Promise.all(Array.from({ length: 50 }, () => connect(url)))
  while (!printed.includes('was busy')) await once(child.stdout as NodeJS.ReadableStream, 'data')
  expect(await Promise.all(sockets.map((socket) => echoes(socket, 'still there')))).toEqual(Array(50).fill(true))
  await Promise.all(sockets.map((socket) => socket.close()))
}, 30_000)

test('a server that was stopped terminates no client that lives', async () => {
  const { child, printed } = await run('server', JSON.stringify(HEARTBEAT))
  const url = `ws://127.0.0.1:${printed[0]?.split(' ')[1]}`
  const sockets = await Promise.all(Array.from({ length: 20 }, () => connect(url)))
  for (let round = 0; round < 2; round++) {
    // Each has just been pinged, or is about to be: its answer lies there when the server goes on, and its time is over.
    await once(sockets[0] as WebSocketConnection, 'ping')
    await stop(child)
    expect(await Promise.all(sockets.map((socket) => echoes(socket, `round ${round}`)))).toEqual(Array(20).fill(true))
  }
  await Promise.all(sockets.map((socket) => socket.close()))
  expect(printed.filter((line) => line.includes('HEARTBEAT'))).toEqual([])
}, 30_000)

test('a client that was stopped does not give up a server that lives', async () => {
  const server = await serve({ heartbeat: false })
  const opened = connection(server)
  const { child, printed } = await run('client', JSON.stringify(HEARTBEAT), `ws://127.0.0.1:${portOf(server)}`)
  const { socket } = await opened
  for (let round = 0; round < 2; round++) {
    await once(socket, 'ping')
    await stop(child)
    expect(await echoes(socket, `round ${round}`)).toBe(true)
  }
  expect(printed).toEqual(['connected'])
}, 30_000)

test('a client that is stopped for less than the timeout lives, for longer is terminated', async () => {
  const server = await serve({ heartbeat: { interval: 50, timeout: 1_000 } })
  const opened = connection(server)
  const { child } = await run('client', 'false', `ws://127.0.0.1:${portOf(server)}`)
  const { socket } = await opened
  await once(socket, 'pong')
  await stop(child, 300)
  await once(socket, 'pong')
  expect(await echoes(socket, 'late, not too late')).toBe(true)
  child.kill('SIGSTOP')
  expect(await socket.closed).toMatchObject({ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' } })
}, 30_000)

test('after a long sleep a ping goes out at once, however long the interval', async () => {
  const { child, printed } = await run('server', JSON.stringify({ interval: 3_600_000, timeout: 10_000 }))
  const socket = await connect(`ws://127.0.0.1:${printed[0]?.split(' ')[1]}`)
  expect(await echoes(socket, 'open at both ends')).toBe(true)
  const pinged = once(socket, 'ping')
  await stop(child, 6_000)
  await pinged
  expect(await echoes(socket, 'awake')).toBe(true)
  await socket.close()
}, 30_000)
