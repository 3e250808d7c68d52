// All workers are replaced while clients come all the time: none is refused, none that has connected is forgotten, and those who are
// inside are told to come back.

import { once } from 'node:events'
import net, { type Socket } from 'node:net'
import { connect, type WebSocketConnection } from '@ws/client'
import { expect, onTestFinished, test } from 'vitest'
import { type Program, startExample } from './support/program.ts'

const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/** Starts it with two workers. */
async function started(): Promise<{ program: Program; url: string }> {
  const program = startExample('cluster', '0', '2')
  const [url] = await program.printed(/ws:\S+/)
  await program.printed(/2 workers/)
  return { program, url }
}

async function next(socket: WebSocketConnection): Promise<unknown> {
  for await (const message of socket) return message
  throw new Error('closed')
}

/** Connects, and says at which worker. */
async function enter(url: string): Promise<{ socket: WebSocketConnection; worker: unknown }> {
  const socket = await connect(url)
  return { socket, worker: await next(socket) }
}

/** A connection at each of the two workers: the system gives them out as it likes. */
async function atBoth(url: string): Promise<[WebSocketConnection, WebSocketConnection]> {
  const first = await enter(url)
  for (let left = 1_000; left > 0; left--) {
    const other = await enter(url)
    if (other.worker !== first.worker) return [first.socket, other.socket]
    await other.socket.close()
  }
  throw new Error('all connections went to one worker')
}

/** TCP connections that have not said anything yet. */
function halfway(url: string): Promise<Socket[]> {
  const { port } = new URL(url)
  const one = async (): Promise<Socket> => {
    const socket = net.connect(Number(port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  return Promise.all(Array.from({ length: 10 }, one))
}

test('what one says, all get, whichever worker they are at', async () => {
  const { program, url } = await started()
  const [one, other] = await atBoth(url)
  one.send('hello, all')
  expect([await next(one), await next(other)]).toEqual(['hello, all', 'hello, all'])
  program.terminate()
  expect(await Promise.all([one.closed, other.closed])).toMatchObject([{ code: 1012 }, { code: 1012 }])
  expect(await program.exit).toEqual({ code: 0, signal: null })
  expect(program.errors).toBe('')
}, 60_000)

test('the workers are replaced one by one, and nobody is refused', async () => {
  const { program, url } = await started()
  const old = await Promise.all((await atBoth(url)).map(async (socket) => ({ socket, closed: socket.closed })))
  const early = await halfway(url)

  let over = false
  let visits = 0
  /** Comes and goes until all is over; rejects if it is refused. */
  const visitor = async (): Promise<void> => {
    while (!over) {
      const { socket } = await enter(url)
      visits++
      socket.terminate()
    }
  }
  const visitors = Promise.all(Array.from({ length: 8 }, visitor))
  const whenReplaced = program.printed(/all replaced/)
  program.hangUp()

  // A worker no longer listens, but who had reached it is still let in.
  await program.printed(/leaves/)
  const answers = early.map(async (socket) => {
    socket.write(HANDSHAKE)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return String(answer).split('\r\n', 1)[0]
  })
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 101 Switching Protocols']))
  for (const socket of early) socket.destroy()

  await Promise.race([whenReplaced, visitors])
  expect(await Promise.all(old.map(({ closed }) => closed))).toMatchObject([
    { code: 1012, reason: 'a new version', wasClean: true },
    { code: 1012, reason: 'a new version', wasClean: true },
  ])
  over = true
  await visitors
  expect(visits).toBeGreaterThan(8)
  const lines = program.lines.map((line) => line.replace(/\d+ leaves/, 'n leaves'))
  expect(lines.slice(1)).toEqual(['2 workers', 'worker n leaves', 'worker n leaves', 'all replaced'])

  program.terminate()
  expect(await program.exit).toEqual({ code: 0, signal: null })
  expect(program.errors).toBe('')
}, 60_000)
