// Our server with its default options, limits and UTF-8 checks included; where messages are compressed, without a threshold.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connectionSettings, type Handlers } from '@ws/protocol/node'
import { WebSocketServer } from '@ws/server'
import { deflateOptionsOf } from '../deflate.ts'
import type { Assignment, Job } from '../job.ts'
import { assignment, run, Unavailable } from '../process/program.ts'
import { messageOf } from '../wire.ts'
import { SERVER_COMMANDS } from './commands.ts'
import { http2ServerOf } from './http2.ts'
import { publishTurn, TopicRound } from './topics.ts'
import { oncePerTurn, times } from './turns.ts'

/** What a revision may have. */
interface Broadcasting {
  broadcast?(data: Uint8Array | string): unknown
}

await run(async () => {
  const given = assignment()
  if (given.job.work === 'publish' && !('publish' in WebSocketServer.prototype)) throw new Unavailable('no topics')
  if (given.job.borrowed && !knows('binary')) throw new Unavailable("there is no option binary: 'borrowed'")
  if (given.job.deflate !== 'none' && !knows('perMessageDeflate')) throw new Unavailable('there is no compression')
  if (given.job.streams > 0 && !('handleStream' in WebSocketServer.prototype))
    throw new Unavailable('there is no HTTP/2')
  let server: WebSocketServer | undefined
  const handlers =
    given.job.work === 'publish'
      ? publishing(given.job, () => server as WebSocketServer)
      : handlersOf(given.job, (data) => broadcast(server as WebSocketServer, data))
  if (given.job.streams > 0) {
    const http2 = http2ServerOf(given)
    server = new WebSocketServer({ server: http2, ...optionsOf(given) }, handlers)
    await once(http2.listen(0, '127.0.0.1'), 'listening')
  } else {
    server = await WebSocketServer.listen(
      { port: 0, host: '127.0.0.1', ...tlsOf(given), ...optionsOf(given) },
      handlers,
    )
  }
  return { port: (server.address() as AddressInfo).port, commands: SERVER_COMMANDS }
})

function handlersOf(job: Job, broadcast: (data: Uint8Array | string) => void): Handlers {
  if (job.work !== 'broadcast') return { message: (socket, data) => void socket.send(data) }
  const data = messageOf(job)
  return { message: oncePerTurn(() => times(job.perTurn, () => broadcast(data))) }
}

function publishing(job: Job, server: () => WebSocketServer): Handlers {
  const data = messageOf(job)
  const round = new TopicRound(job)
  return {
    open: (socket) => void socket.subscribe(round.ofNext()),
    message: oncePerTurn(() => publishTurn(job, round, (topic) => void server().publish(topic, data))),
  }
}

function broadcast(server: WebSocketServer & Broadcasting, data: Uint8Array | string): void {
  if (server.broadcast !== undefined) server.broadcast(data)
  else for (const socket of server.clients) socket.send(data)
}

function tlsOf({ job, tls }: Assignment): object {
  return { ...(job.secure && { tls: { key: readFileSync(tls.key), cert: readFileSync(tls.cert) } }) }
}

function optionsOf({ job }: Assignment): object {
  return {
    // A silent connection is pinged an interval after the timeout of the ping before.
    ...(job.interval > 0 && { heartbeat: { interval: job.interval / 2, timeout: job.interval / 2 } }),
    ...(job.borrowed && { binary: 'borrowed' }),
    perMessageDeflate: deflateOptionsOf(job),
  }
}

/** Whether this revision has an option. */
function knows(option: string): boolean {
  return Object.hasOwn(connectionSettings({ binary: 'borrowed' } as object, true), option)
}
