// uWebSockets.js, from a package that is installed on demand. Its limits are raised to what ours are: by default it takes
// messages of 16 KiB at most and drops what would wait past 64 KiB.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Job, LARGEST } from '../job.ts'
import { assignment, run, Unavailable } from '../process/program.ts'
import { messageOf } from '../wire.ts'
import { SERVER_COMMANDS } from './commands.ts'
import { publishTurn, TopicRound } from './topics.ts'
import { oncePerTurn, times } from './turns.ts'

const TOPIC = 'all'

/** What is used of it here. */
interface Socket {
  send(message: ArrayBuffer | Uint8Array | string, isBinary: boolean, compress: boolean): number
  subscribe(topic: string): boolean
}

interface App {
  ws(pattern: string, behavior: object): App
  publish(topic: string, message: Uint8Array | string, isBinary: boolean, compress: boolean): boolean
  listen(host: string, port: number, callback: (socket: unknown) => void): App
}

interface Library {
  /** One compressor for all connections: without context takeover. */
  readonly SHARED_COMPRESSOR: number
  readonly DISABLED: number
  App(): App
  SSLApp(options: { key_file_name: string; cert_file_name: string }): App
  us_socket_local_port(socket: unknown): number
}

await run(async () => {
  const { job, tls, competitors } = assignment()
  const require = createRequire(join(competitors, 'package.json'))
  const library = load(require)
  const app = job.secure ? library.SSLApp({ key_file_name: tls.key, cert_file_name: tls.cert }) : library.App()
  const compression = job.deflate === 'none' ? library.DISABLED : library.SHARED_COMPRESSOR
  app.ws('/*', { maxPayloadLength: LARGEST, maxBackpressure: LARGEST, compression, ...behaviorOf(app, job) })
  const socket = await new Promise((resolve) => app.listen('127.0.0.1', 0, resolve))
  if (!socket) throw new Error('it cannot listen')
  const { version } = JSON.parse(readFileSync(join(competitors, 'node_modules/uwebsockets/package.json'), 'utf8'))
  return {
    port: library.us_socket_local_port(socket),
    version: `(package uwebsockets ${version})`,
    commands: SERVER_COMMANDS,
  }
})

function load(require: NodeJS.Require): Library {
  try {
    return require('uwebsockets')
  } catch (error) {
    throw new Unavailable(`no binary for this Node: ${(error as Error).message.split('\n', 1)}`)
  }
}

function behaviorOf(app: App, job: Job): object {
  if (job.work === 'broadcast') return broadcasting(app, job)
  if (job.work === 'publish') return publishing(app, job)
  const compress = job.deflate !== 'none'
  if (job.payload === 'binary') {
    return { message: (socket: Socket, message: ArrayBuffer) => void socket.send(message, true, compress) }
  }
  return {
    message: (socket: Socket, message: ArrayBuffer) =>
      void socket.send(Buffer.from(message).toString(), false, compress),
  }
}

function broadcasting(app: App, job: Job): object {
  const data = messageOf(job)
  const isBinary = job.payload === 'binary'
  const compress = job.deflate !== 'none'
  const go = oncePerTurn(() => times(job.perTurn, () => app.publish(TOPIC, data, isBinary, compress)))
  return { open: (socket: Socket) => void socket.subscribe(TOPIC), message: go }
}

function publishing(app: App, job: Job): object {
  const data = messageOf(job)
  const round = new TopicRound(job)
  const go = oncePerTurn(() => publishTurn(job, round, (topic) => void app.publish(topic, data, true, false)))
  return { open: (socket: Socket) => void socket.subscribe(round.ofNext()), message: go }
}
