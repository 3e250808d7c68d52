// The limit of the platform: `node:net` (or `node:tls`, or `node:http2`) alone. It parses nothing: for so many bytes it answers so many prepared
// ones. It also serves the clients' rows, where it keeps them busy.

import { readFileSync } from 'node:fs'
import type { Http2Server } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import type { Assignment, Job } from '../job.ts'
import { assignment, run } from '../process/program.ts'
import { GO, repeat, replyOf } from '../wire.ts'
import { Answers } from './answers.ts'
import { SERVER_COMMANDS } from './commands.ts'
import { handshake } from './handshake.ts'
import { http2ServerOf } from './http2.ts'
import { TopicRound, TopicSets } from './topics.ts'
import { oncePerTurn } from './turns.ts'

/** How much is written at once to a client that takes all it can get. */
const BURST = 256 * 1024

await run(async () => {
  const given = assignment()
  const server = given.job.streams > 0 ? http2Server(given) : serverOf(given, serve(given.job))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, commands: SERVER_COMMANDS }
})

function serverOf({ job, tls }: Assignment, onSocket: (socket: Socket) => void): Server {
  if (!job.secure) return createServer({ noDelay: true }, onSocket)
  return createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert), noDelay: true }, onSocket)
}

/** Answers every request with 200, and on its stream as on a socket. */
function http2Server(given: Assignment): Http2Server {
  const onOpen = answering(given.job)
  return http2ServerOf(given).on('stream', (stream) => {
    stream.on('error', () => {}) // resets
    stream.respond({ ':status': 200 })
    onOpen(stream)
  })
}

/** Makes what takes the sockets of a job. */
function serve(job: Job): (socket: Socket) => void {
  const open = { broadcast: broadcasting, publish: publishing, burst: bursting }[job.work as string] ?? answering
  const onOpen = open(job)
  return (socket) => {
    socket.on('error', () => {}) // resets
    handshake(socket, () => onOpen(socket))
  }
}

function answering(job: Job): (socket: Duplex) => void {
  const answers = new Answers(job)
  return (socket) => {
    const answer = answers.counter((bytes) => void socket.write(bytes))
    socket.on('data', (chunk: Buffer) => answer(chunk.length))
  }
}

function broadcasting(job: Job): (socket: Socket) => void {
  const sockets: Socket[] = []
  const messages = repeat(replyOf(job), job.perTurn)
  const go = oncePerTurn(() => {
    for (const socket of sockets) socket.write(messages)
  })
  return (socket) => {
    sockets.push(socket)
    asking(socket, go)
  }
}

function publishing(job: Job): (socket: Socket) => void {
  const messages = repeat(replyOf(job), job.perTurn)
  const round = new TopicRound(job)
  const topics = new TopicSets<Socket>()
  const go = oncePerTurn(() => {
    for (const topic of round.next()) for (const socket of topics.subscribers(topic)) socket.write(messages)
  })
  return (socket) => {
    topics.subscribe(round.ofNext(), socket)
    asking(socket, go)
  }
}

/** Calls `go` for each message that comes: all are the same. */
function asking(socket: Socket, go: () => void): void {
  socket.on('data', (chunk) => {
    for (let left = chunk.length; left > 0; left -= GO.length) go()
  })
}

function bursting(job: Job): (socket: Socket) => void {
  const reply = replyOf(job)
  const burst = repeat(reply, Math.ceil(BURST / reply.length))
  return (socket) => {
    // Each in a turn of its own: where a write is complete at once, nothing else would ever come to its turn.
    const write = (): void => void socket.write(burst, (error) => error ?? setImmediate(write))
    socket.resume()
    write()
  }
}
