// A process that is attacked from outside, at either end, and says over IPC how much memory that took. What is measured is
// the resident set of a process that does nothing else, at its highest: a heap that grows and shrinks again is seen too.
// Nothing is caught here: an exception or an unhandled rejection ends the process, and with it the test.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect } from '@ws/client'
import { type ConnectionOptions, type Handlers, type WebSocketConnection, WebSocketServer } from '@ws/server'
import { BYSTANDER_PATH } from './bystander-path.ts'

/** What the application does: with each message, or `flood` when a connection opens: it sends 1 GiB. */
type Behaviour = 'echo' | 'stuck' | 'flood'

export interface Setup {
  readonly role: 'server' | 'client'
  readonly behaviour?: Behaviour
  readonly options?: ConnectionOptions & { readonly handshakeTimeout?: number }
  /** The server's hook never decides about upgrades to this path. */
  readonly pendingPath?: string
}

export type Command =
  | { readonly name: 'measure' }
  /** Connects so many times, one after the other, and waits for the end of each. */
  | { readonly name: 'dial'; readonly port: number; readonly times: number }

export interface Memory {
  /** The highest resident set so far, over that of the first report, in bytes. */
  readonly growth: number
  /** What is left after a collection of garbage, in bytes. */
  readonly held: number
  /** What keeps the process busy. */
  readonly handles: number
}

export interface Reports {
  listening: number
  memory: Memory
  /** How a connection ended that was no bystander's. */
  closed: { code: number; cause: string | undefined }
  flooded: { sent: number; dropped: number }
  /** How often connecting ended how. */
  dialled: Record<string, number>
}

const MIB = 1024 * 1024
const FLOOD = 1024

const setup = JSON.parse(process.argv[2] ?? '{}') as Setup
const { role, behaviour = 'echo', options = {}, pendingPath } = setup

let base = 0
let peak = 0

function sample(): void {
  peak = Math.max(peak, process.memoryUsage.rss())
}

function report<Name extends keyof Reports>(name: Name, value: Reports[Name]): void {
  process.send?.([name, value])
}

async function measure(): Promise<void> {
  sample()
  await nextTurn() // what was closed in this turn is let go in the next
  globalThis.gc?.()
  await nextTurn()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  if (base === 0) base = peak = rss
  report('memory', { growth: peak - base, held: heapUsed + external, handles: process.getActiveResourcesInfo().length })
}

/** Sends 1 GiB to a peer, in messages of 1 MiB, and never asks whether it takes them. */
async function flood(socket: WebSocketConnection): Promise<void> {
  for (let count = 0; count < FLOOD; count++) {
    socket.send(Buffer.alloc(MIB, count))
    sample()
    await nextTurn()
  }
  const { messagesOut, dropped } = socket.stats()
  report('flooded', { sent: messagesOut, dropped })
}

const handlers: Handlers = {
  open(socket) {
    if (behaviour === 'flood' && socket.data !== BYSTANDER_PATH) void flood(socket)
  },
  message(socket, data) {
    if (behaviour === 'stuck' && socket.data !== BYSTANDER_PATH) return new Promise(() => {})
    socket.send(data)
    return undefined
  },
  close(socket, { code, cause }) {
    if (socket.data !== BYSTANDER_PATH) report('closed', { code, cause: cause?.code })
  },
}

async function serve(): Promise<void> {
  const server = await WebSocketServer.listen(
    {
      port: 0,
      host: '127.0.0.1',
      ...options,
      authenticate: ({ url }) => (url === pendingPath ? new Promise<never>(() => {}) : { data: url }),
    },
    handlers as Handlers<string>,
  )
  report('listening', (server.address() as { port: number }).port)
}

async function dial(port: number, times: number): Promise<void> {
  const outcomes: Record<string, number> = {}
  for (let count = 0; count < times; count++) {
    const outcome = await connect(`ws://127.0.0.1:${port}`, options, handlers).then(
      async (socket) => `${(await socket.closed).code}`,
      (error: { code: string }) => error.code,
    )
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  report('dialled', outcomes)
}

setInterval(sample, 2)
process.on('message', (command: Command) => {
  if (command.name === 'measure') void measure()
  else void dial(command.port, command.times)
})
if (role === 'server') await serve()
else report('listening', 0)
