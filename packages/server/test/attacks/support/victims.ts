// Starts processes that are attacked, and connects attackers to them: plain sockets behind a proper opening handshake.

import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import net from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { upgradeRequest } from '../../support/raw-client.ts'
import { portOf } from '../../support/servers.ts'
import type { Command, Memory, Reports, Setup } from './victim.ts'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export class Victim {
  readonly role: Setup['role']
  readonly #child: ChildProcess
  readonly #reports: [name: keyof Reports, value: unknown][] = []
  readonly #ended: Promise<never>
  #wake = (): void => {}
  #port = 0

  private constructor(setup: Setup) {
    this.role = setup.role
    this.#child = fork(join(import.meta.dirname, 'victim.ts'), [JSON.stringify(setup)], {
      execArgv: ['--conditions=@ws/source', '--import', TSX, '--expose-gc'],
    })
    this.#child.on('message', (report: [keyof Reports, unknown]) => {
      this.#reports.push(report)
      this.#wake()
    })
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => {
      throw new Error(`the process has ended: ${code ?? signal}`)
    })
    this.#ended.catch(() => {}) // `next` tells
  }

  /** Starts a process; resolves when it is ready, its memory measured for the first time. Whoever starts it disposes of it. */
  static async start(setup: Setup): Promise<Victim> {
    const victim = new Victim(setup)
    victim.#port = await victim.next('listening')
    await victim.memory()
    return victim
  }

  /** Where a server listens. */
  get port(): number {
    return this.#port
  }

  /** The next report of a kind; rejects if the process ends, which no attack may bring about. */
  async next<Name extends keyof Reports>(name: Name): Promise<Reports[Name]> {
    for (;;) {
      const index = this.#reports.findIndex(([kind]) => kind === name)
      const [found] = index < 0 ? [] : this.#reports.splice(index, 1)
      if (found !== undefined) return found[1] as Reports[Name]
      const progress = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await Promise.race([progress, this.#ended])
    }
  }

  async memory(): Promise<Memory> {
    this.#command({ name: 'measure' })
    return await this.next('memory')
  }

  /** Has a client connect to a port so many times. */
  dial(port: number, times: number): void {
    this.#command({ name: 'dial', port, times })
  }

  async dispose(): Promise<void> {
    this.#child.kill()
    await this.#ended.catch(() => {})
  }

  #command(command: Command): void {
    this.#child.send(command)
  }
}

/** Connects an attacker: at the other end of an open connection of the victim, and reading nothing yet. */
export async function attacker(victim: Victim, ...extensions: string[]): Promise<net.Socket> {
  const add = extensions.map((extension) => `Sec-WebSocket-Extensions: ${extension}`)
  return victim.role === 'server' ? await intrude(victim, add) : await lure(victim, add)
}

async function intrude(victim: Victim, add: string[]): Promise<net.Socket> {
  const socket = owned(net.connect({ port: victim.port, host: '127.0.0.1' }))
  await once(socket, 'connect')
  socket.write(upgradeRequest({ add }))
  await readHead(socket)
  return socket
}

async function lure(victim: Victim, add: string[]): Promise<net.Socket> {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connected = once(server, 'connection')
  victim.dial(portOf(server), 1)
  const [socket] = (await connected) as [net.Socket]
  server.close()
  socket.write(switching(await readHead(owned(socket)), add))
  return socket
}

/** The 101 to a request. */
export function switching(request: string, add: readonly string[] = []): string {
  const key = /^Sec-WebSocket-Key: (.*)\r$/im.exec(request)?.[1]
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  return [...head, `Sec-WebSocket-Accept: ${accept}`, ...add, '', ''].join('\r\n')
}

/** Gives a socket back when the test ends. */
function owned(socket: net.Socket): net.Socket {
  socket.on('error', () => {}) // whom it attacks may reset it
  onTestFinished(async () => {
    socket.destroy()
    if (!socket.closed) await once(socket, 'close')
  })
  return socket
}

/** Reads up to the empty line and no further. */
export async function readHead(socket: net.Socket): Promise<string> {
  let head = ''
  while (!head.endsWith('\r\n\r\n')) {
    const byte = socket.read(1) as Buffer | null
    if (byte !== null) head += byte.toString('latin1')
    else if (socket.readableEnded || socket.destroyed) throw new Error(`ended after ${JSON.stringify(head)}`)
    else await Promise.race([once(socket, 'readable'), once(socket, 'close')])
  }
  return head
}

/** Writes bytes so many times, as fast as they are taken or until the other end is gone. */
export async function pour(socket: net.Socket, bytes: Uint8Array, times: number): Promise<void> {
  // Not by `once` of node:events, which rejects on the error of a reset.
  const next = (event: string) => new Promise((resolve) => socket.once(event, resolve))
  const gone = next('close')
  for (let count = 0; count < times && !socket.destroyed; count++) {
    if (!socket.write(bytes)) await Promise.race([next('drain'), gone])
  }
}
