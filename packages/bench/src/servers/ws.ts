// `ws` with its default options; where messages are compressed, without a threshold.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { deflateOptionsOf } from '../deflate.ts'
import { type Job, LARGEST } from '../job.ts'
import { assignment, run } from '../process/program.ts'
import { messageOf } from '../wire.ts'
import { SERVER_COMMANDS } from './commands.ts'
import { publishTurn, TopicRound, TopicSets } from './topics.ts'
import { oncePerTurn, times } from './turns.ts'

await run(async () => {
  const { job, tls } = assignment()
  const options = { perMessageDeflate: deflateOptionsOf(job), ...(job.work === 'bomb' && { maxPayload: LARGEST }) }
  const server = job.secure
    ? new WebSocketServer({
        ...options,
        server: createServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }).listen(0, '127.0.0.1'),
      })
    : new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  if (job.work === 'publish') publish(server, job)
  else if (job.work === 'alive') keepAlive(server, job)
  else serve(server, job)
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return { port, version: createRequire(import.meta.url)('ws/package.json').version, commands: SERVER_COMMANDS }
})

function serve(server: WebSocketServer, job: Job): void {
  const data = messageOf(job)
  const go = oncePerTurn(() =>
    times(job.perTurn, () => {
      for (const client of server.clients) client.send(data)
    }),
  )
  server.on('connection', (socket) => {
    socket.on('error', () => {}) // resets
    if (job.work === 'broadcast') socket.on('message', go)
    else if (job.payload === 'binary') socket.on('message', (message) => socket.send(message))
    else socket.on('message', (message) => socket.send(message.toString()))
  })
}

/** As its documentation shows: whoever has not answered the last ping is ended. */
function keepAlive(server: WebSocketServer, { interval }: Job): void {
  const alive = new WeakSet<WebSocket>()
  server.on('connection', (socket) => {
    alive.add(socket)
    socket.on('error', () => {}) // resets
    socket.on('pong', () => alive.add(socket))
  })
  setInterval(() => {
    for (const client of server.clients) {
      if (!alive.delete(client)) client.terminate()
      else client.ping()
    }
  }, interval)
}

function publish(server: WebSocketServer, job: Job): void {
  const data = messageOf(job)
  const round = new TopicRound(job)
  const topics = new TopicSets<WebSocket>()
  const go = oncePerTurn(() =>
    publishTurn(job, round, (topic) => {
      for (const client of topics.subscribers(topic)) client.send(data)
    }),
  )
  server.on('connection', (socket) => {
    socket.on('error', () => {}) // resets
    socket.on('close', topics.subscribe(round.ofNext(), socket))
    socket.on('message', go)
  })
}
