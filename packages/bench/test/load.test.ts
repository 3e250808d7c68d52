// The load against servers of this test: right answers count, a wrong byte fails, wherever it comes.

import { once } from 'node:events'
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { type Assignment, type Job, job, TOPICS_A_TURN } from '../src/job.ts'
import { alive } from '../src/load/alive.ts'
import { bomb } from '../src/load/bomb.ts'
import { connectAndReset, hold } from '../src/load/connect.ts'
import { echo } from '../src/load/echo.ts'
import type { Load } from '../src/load/load.ts'
import { paced } from '../src/load/paced.ts'
import { broadcast } from '../src/load/receive.ts'
import { answerTo, KEY, replyOf, requestOf } from '../src/wire.ts'

const MASKING_KEY = [0x12, 0x34, 0xab, 0xcd]

type Start = (assignment: Assignment, onFailure: (error: unknown) => void) => Promise<Load>

interface Server {
  /** The answer to the opening handshake. */
  readonly head?: string
  /** Whether answers go to the first connection, whoever asked. */
  readonly toFirst?: boolean
  /** What becomes of a connection behind each answer. */
  readonly end?: (socket: Socket) => void
}

/** Runs a load against a server that answers each request of `job` with what `answer` makes of its number. */
async function run(
  start: Start,
  work: Job,
  answer: (index: number) => Buffer,
  { head = answerTo(KEY), toFirst = false, end = () => {} }: Server = {},
) {
  const { length } = requestOf(work)
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    let bytes = 0
    let index = 0
    socket.on('error', () => {}) // the load ends with a reset
    socket.once('data', () => {
      socket.write(head)
      socket.on('data', (chunk) => {
        bytes += chunk.length
        for (; bytes >= length; bytes -= length) {
          ;(toFirst ? sockets[0] : socket)?.write(answer(index++))
          end(socket)
        }
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let fail: (error: unknown) => void = () => {}
  const failure = new Promise<Error>((resolve) => {
    fail = resolve as typeof fail
  })
  const load = start({ job: work, port, tls: { ca: '', key: '', cert: '' }, competitors: '' }, fail)
  return {
    load,
    failure,
    end: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition() && turn < 1e6; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(condition()).toBe(true)
}

test('messages that come back are counted, fragmented ones too', async () => {
  const work = job('echo', 3, 1000, { inFlight: 4, fragments: 4 })
  const { load, end } = await run(echo, work, () => replyOf(work))
  const running = await load
  await until(() => running.count() >= 1000)
  expect(() => running.check?.()).not.toThrow()
  running.end()
  await end()
})

test.each([
  ['header', 0],
  ['length', 3],
  ['payload', 1003],
])('a reply that is wrong in its %s fails', async (_, at) => {
  const work = job('echo', 1, 1000)
  const reply = replyOf(work)
  const { load, failure, end } = await run(echo, work, () => changed(reply, at))
  const wrong = changed(reply, at)[at]
  expect((await failure).message).toBe(`a reply differs at byte ${at} of 1004: expected ${reply[at]}, got ${wrong}`)
  ;(await load).end()
  await end()
})

test('a server that is right at first and wrong from then on fails', async () => {
  const work = job('echo', 1, 64)
  const reply = replyOf(work)
  const { load, failure, end } = await run(echo, work, (index) => (index < 1000 ? reply : changed(reply, 60)))
  expect((await failure).message).toMatch(/^a reply differs at byte 60 of 66: /)
  ;(await load).end()
  await end()
})

test('a server that sends more than it was asked for fails', async () => {
  const work = job('echo', 1, 64)
  const twice = Buffer.concat([replyOf(work), replyOf(work)])
  const { load, failure, end } = await run(echo, work, () => twice)
  expect((await failure).message).toBe('expected 1 messages at most; got 2')
  ;(await load).end()
  await end()
})

test('a server that never answers is noticed', async () => {
  const work = job('echo', 2, 64)
  const { load, end } = await run(echo, work, () => Buffer.alloc(0))
  const running = await load
  expect(() => running.check?.()).toThrow('2 of 2 connections got no whole message')
  running.end()
  await end()
})

test('an answer without the right accept value fails', async () => {
  const work = job('echo', 1, 64)
  const { failure, end } = await run(echo, work, () => replyOf(work), { head: answerTo('another key') })
  expect((await failure).message).toMatch(/^expected a 101 with s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=; got "HTTP\/1\.1 101 /)
  await end()
})

test('pings are answered with what they say, also those that come in pieces, and counted', async () => {
  const pings = [Buffer.from([0x89, 0]), Buffer.from([0x89, 2, 0x68, 0x69])]
  const pongs = Buffer.from([0x8a, 0x80, ...MASKING_KEY, 0x8a, 0x82, ...MASKING_KEY, 0x68 ^ 0x12, 0x69 ^ 0x34])
  const got: Buffer[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {}) // the load ends with a reset
    socket.once('data', () => {
      socket.write(answerTo(KEY))
      const [first, second] = pings as [Buffer, Buffer]
      socket.write(Buffer.concat([first, second.subarray(0, 3)]))
      socket.on('data', (chunk) => {
        got.push(chunk)
        if (Buffer.concat(got).length === 6) socket.write(second.subarray(3))
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const work = job('alive', 1, 0)
  const running = await alive({ job: work, port, tls: { ca: '', key: '', cert: '' }, competitors: '' }, () => {})
  await until(() => Buffer.concat(got).length >= pongs.length)
  expect(Buffer.concat(got)).toEqual(pongs)
  expect(running.count()).toBe(2)
  expect(() => running.check?.()).not.toThrow()
  running.end()
  server.close()
  await once(server, 'close')
})

test('round trips are taken in microseconds, in order', async () => {
  const work = job('paced', 2, 64, { perSecond: 2000 })
  const { load, end } = await run(paced, work, () => replyOf(work))
  const running = await load
  await until(() => running.count() >= 100)
  const { p50, p99, p999 } = running.roundTrips?.() ?? { p50: 0, p99: 0, p999: 0 }
  expect(p50).toBeGreaterThan(0)
  expect(p99).toBeGreaterThanOrEqual(p50)
  expect(p999).toBeGreaterThanOrEqual(p99)
  running.end()
  await end()
})

const COMPRESSED = job('echo', 2, 100, { inFlight: 4, payload: 'json', deflate: 'noTakeover' })

function answerWith(extension: string): string {
  return answerTo(KEY).replace('\r\n\r\n', `\r\nSec-WebSocket-Extensions: ${extension}\r\n\r\n`)
}

test('compressed messages are counted if the extension was taken as it was offered, in whatever order', async () => {
  const head = answerWith('permessage-deflate;server_no_context_takeover; client_no_context_takeover')
  const { load, end } = await run(echo, COMPRESSED, () => replyOf(COMPRESSED), { head })
  const running = await load
  await until(() => running.count() >= 1000)
  expect(() => running.check?.()).not.toThrow()
  running.end()
  await end()
})

test.each([
  ['not taken', answerTo(KEY), 'none'],
  ['taken otherwise', answerWith('permessage-deflate'), 'permessage-deflate'],
])('an extension that is %s fails', async (_, head, taken) => {
  const { failure, end } = await run(echo, COMPRESSED, () => replyOf(COMPRESSED), { head })
  const offered = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'
  expect((await failure).message).toBe(`expected the extension ${offered} to be taken; got ${taken}`)
  await end()
})

test('an extension that was not offered fails', async () => {
  const work = job('echo', 1, 64)
  const { failure, end } = await run(echo, work, () => replyOf(work), { head: answerWith('permessage-deflate') })
  expect((await failure).message).toBe('expected the extension none to be taken; got permessage-deflate')
  await end()
})

test('a broadcast is asked for again once an earlier one has come', async () => {
  const work = job('broadcast', 1, 1)
  const { load, end } = await run(broadcast, work, () => replyOf(work), { toFirst: true })
  const running = await load
  await until(() => running.count() >= 100)
  expect(() => running.check?.()).not.toThrow()
  running.end()
  await end()
})

test('what is published in a turn is asked for again once an earlier turn has come', async () => {
  // To 100 of 100 topics in a turn: two messages for the one connection.
  const work = job('publish', 1, 1, { topics: TOPICS_A_TURN, perTurn: 2 })
  const turn = Buffer.concat([replyOf(work), replyOf(work)])
  const { load, end } = await run(broadcast, work, () => turn, { toFirst: true })
  const running = await load
  await until(() => running.count() >= 100)
  expect(() => running.check?.()).not.toThrow()
  running.end()
  await end()
})

test('connections are opened and reset, again and again', async () => {
  const work = job('connect', 2, 0)
  const { load, end } = await run(connectAndReset, work, () => replyOf(work))
  const running = await load
  await until(() => running.count() >= 10)
  running.end()
  await end()
})

test('as many connections are held as asked for', async () => {
  const work = job('hold', 5, 0)
  const { load, end } = await run(hold, work, () => replyOf(work))
  const running = await load
  await running.hold?.(3)
  await running.hold?.(2)
  expect(running.count()).toBe(5)
  running.end()
  await end()
})

test('connections are held after a message each', async () => {
  const work = job('hold', 3, 64)
  let answered = 0
  const { load, end } = await run(hold, work, () => {
    answered++
    return replyOf(work)
  })
  const running = await load
  await running.hold?.(3)
  expect(answered).toBe(3)
  running.end()
  await end()
})

const BOMB = job('bomb', 3, 100_000, { payload: 'ascii', deflate: 'noTakeover' })
const BOMB_ANSWER = answerWith('permessage-deflate; client_no_context_takeover; server_no_context_takeover')
const TOO_BIG = Buffer.from([0x88, 2, 0x03, 0xf1])

test.each([
  ['a Close with 1009', TOO_BIG, () => {}],
  ['the end', Buffer.alloc(0), (socket: Socket) => void socket.end()],
  ['a reset', Buffer.alloc(0), (socket: Socket) => void socket.resetAndDestroy()],
])('peers with bombs count %s, and come back', async (_, answer, over) => {
  const { load, failure, end } = await run(bomb, BOMB, () => answer, { head: BOMB_ANSWER, end: over })
  const failed = failure.then((error) => error.message)
  const running = await load
  await until(() => running.count() > 10 * BOMB.connections)
  running.end()
  await end()
  expect(await Promise.race([failed, 'none'])).toBe('none')
})

test.each([
  ['a reply', replyOf(BOMB), /^expected a Close with 1009; got c1/],
  ['another Close', Buffer.from([0x88, 2, 0x03, 0xea]), /^expected a Close with 1009; got 880203ea$/],
])('%s to a bomb fails', async (_, answer, message) => {
  const { load, failure, end } = await run(bomb, BOMB, () => answer, { head: BOMB_ANSWER })
  expect((await failure).message).toMatch(message)
  ;(await load).end()
  await end()
})

/** Answers each request of a stream with `reply`. */
async function http2Server(work: Job, reply: Buffer, settings = { enableConnectProtocol: true }) {
  const sessions: ServerHttp2Session[] = []
  const server = createHttp2Server({ settings })
  server.on('session', (session) => sessions.push(session))
  server.on('stream', (stream) => {
    let bytes = 0
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      for (; bytes >= requestOf(work).length; bytes -= requestOf(work).length) stream.write(reply)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const end = async (): Promise<void> => {
    for (const session of sessions) session.destroy()
    server.close()
    await once(server, 'close')
  }
  return { sessions, end, assignment: { job: work, port, tls: { ca: '', key: '', cert: '' }, competitors: '' } }
}

test('streams share sessions of HTTP/2, and what comes back on them is counted', async () => {
  const work = job('echo', 5, 100, { inFlight: 4, streams: 2 })
  const { sessions, assignment, end } = await http2Server(work, replyOf(work))
  const load = await echo(assignment, (error) => expect.unreachable(String(error)))
  expect(sessions.length).toBe(3)
  await until(() => load.count() >= 1000)
  expect(() => load.check?.()).not.toThrow()
  load.end()
  await end()
})

test('a wrong byte on a stream of HTTP/2 fails', async () => {
  const work = job('echo', 1, 100, { streams: 1 })
  const { assignment, end } = await http2Server(work, changed(replyOf(work), 3))
  const failure = new Promise<Error>((resolve) => void echo(assignment, (error) => resolve(error as Error)))
  expect((await failure).message).toMatch(/^a reply differs at byte 3 of 102: /)
  await end()
})

test('a server that offers no extended CONNECT fails', async () => {
  const work = job('echo', 1, 100, { streams: 1 })
  const { assignment, end } = await http2Server(work, replyOf(work), { enableConnectProtocol: false })
  await expect(echo(assignment, () => {})).rejects.toThrow('expected extended CONNECT to be offered')
  await end()
})
