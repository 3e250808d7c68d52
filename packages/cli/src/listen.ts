// `listen PORT`: a server for trying things out. By itself it prints what comes and sends the standard input to
// everybody; with an option it echoes, passes on, or runs a program for each connection. Rules: it listens on this
// machine alone unless told otherwise, and there only under the names of this machine, so that no page can reach it by
// DNS rebinding; the slowest reader sets the pace of the input.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Handlers, type UpgradeRequest, type WebSocketConnection, WebSocketServer } from '@ws/server'
import { Child } from './child.ts'
import { EXIT, type ExitCode, exitCodeOf, Failure } from './exit.ts'
import { tellError } from './explain.ts'
import { Input } from './input.ts'
import { Output } from './output.ts'
import { Printer, type PrinterOptions } from './printer.ts'
import { sendTo } from './session.ts'
import { Signals } from './signals.ts'
import { Status, type StatusOptions } from './terminal.ts'

export interface ListenOptions extends StatusOptions, PrinterOptions {
  readonly host: string
  readonly echo?: boolean | undefined
  readonly broadcast?: boolean | undefined
  readonly exec?: string | undefined
  readonly protocol?: readonly string[] | undefined
  readonly origin?: readonly string[] | undefined
  /** PEM, both or neither. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** What is kept for a connection. */
interface Client {
  readonly id: number
  readonly request: UpgradeRequest
  readonly address: string
  child?: Child
}

type Socket = WebSocketConnection<Client>

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost']
/** For those that do not answer, in ms. */
const CLOSE_TIMEOUT = 3_000

export async function listenCommand(port: number, options: ListenOptions): Promise<ExitCode> {
  return new Listener(options).run(port)
}

class Listener {
  readonly #options: ListenOptions
  readonly #status: Status
  readonly #output = new Output()
  readonly #printer: Printer
  readonly #children = new Set<Child>()
  readonly #signals: Signals
  readonly #over: Promise<ExitCode>
  #end: (exitCode: ExitCode) => void = () => {}
  #connections = 0

  constructor(options: ListenOptions) {
    this.#options = options
    this.#status = new Status(options)
    this.#printer = new Printer(this.#output, this.#status, options)
    this.#over = new Promise((resolve) => {
      this.#end = resolve
    })
    // A signal is how a server is meant to end.
    this.#signals = new Signals(() => this.#end(EXIT.ok))
  }

  async run(port: number): Promise<ExitCode> {
    const { echo, broadcast, exec, cert, key } = this.#options
    if ((cert === undefined) !== (key === undefined))
      return this.#tell(
        new Failure(`expected --cert and --key together; got only --${key ? 'key' : 'cert'}`, EXIT.usage),
      )
    this.#output.gone.then(
      () => this.#end(EXIT.ok),
      (error) => this.#fail(error),
    )
    let server: WebSocketServer<Client>
    try {
      server = await WebSocketServer.listen(
        { port, ...this.#serverOptions() },
        this.#handlers(() => server),
      )
    } catch (error) {
      return this.#tell(error)
    }
    server.on('error', (error) => this.#fail(error))
    this.#announce(server)
    const input = echo || broadcast || exec !== undefined ? undefined : this.#sendInput(server)
    const exitCode = await this.#over
    input?.stop()
    await server.close({ code: 1001, timeout: CLOSE_TIMEOUT })
    await Promise.all([...this.#children].map((child) => child.ended))
    await this.#output.flushed()
    return exitCode
  }

  #serverOptions() {
    const { host, protocol, origin, cert, key } = this.#options
    const local = LOOPBACK.includes(host)
    if (!local && this.#options.exec !== undefined)
      this.#status.warning(
        `everybody who can reach ${host} on this port can have this command run; there is no password`,
      )
    return {
      host,
      protocols: protocol,
      origins: origin?.includes('*') ? ('*' as const) : origin,
      hosts: local ? ['localhost', '127.0.0.1', '[::1]'] : undefined,
      tls: cert === undefined ? undefined : { cert, key },
      authenticate: (request: UpgradeRequest) => {
        const address = request.remoteAddress ?? 'unknown'
        return { data: { id: ++this.#connections, request, address } }
      },
    }
  }

  #announce(server: WebSocketServer<Client>): void {
    const { address, family, port } = server.address() as AddressInfo
    const scheme = this.#options.cert === undefined ? 'ws' : 'wss'
    const url = `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
    this.#status.info(`listening at ${url}`)
    this.#printer.event('listening', { url })
    server.on('refused', ({ code, message, status, request }) => {
      const from = request.remoteAddress ?? 'unknown'
      this.#status.info(`refused ${from} (${status ?? 'no answer'}): ${code}: ${message}`)
      if (code === 'REFUSED_ORIGIN')
        this.#status.info("if that page is meant to connect: --origin 'https://its.origin'")
      this.#printer.event('refused', { address: from, status, code })
    })
  }

  #handlers(server: () => WebSocketServer<Client>): Handlers<Client> {
    return {
      open: (socket) => this.#opened(socket),
      message: this.#messageHandler(server),
      close: ({ data: { id, child } }, { code, reason }) => {
        child?.end()
        this.#status.info(`${id} closed with ${code}${reason === '' ? '' : `: ${reason}`}`)
        this.#printer.event('close', { connection: id, code, reason })
      },
    }
  }

  /** What becomes of a message: a promise holds its sender back. */
  #messageHandler(server: () => WebSocketServer<Client>): NonNullable<Handlers<Client>['message']> {
    const { echo, broadcast, exec } = this.#options
    if (echo) return (socket, data) => (socket.send(data) ? undefined : socket.drained().catch(() => {}))
    if (broadcast) return (socket, data) => void server().broadcast(data, { except: socket })
    if (exec !== undefined) return ({ data: { child } }, data) => child?.write(data)
    return ({ data: { id } }, data) => this.#printer.message(data, id)
  }

  #opened(socket: Socket): void {
    const { id, request, address } = socket.data
    const { protocol } = socket
    this.#status.info(
      `${id} connected from ${address}: ${request.url}${protocol === '' ? '' : `, subprotocol ${protocol}`}`,
    )
    this.#printer.event('open', { connection: id, address, url: request.url, protocol })
    const { exec, binary = false } = this.#options
    if (exec === undefined) return
    const failed = (error: unknown): void => tellError(this.#status, error)
    const child = new Child(socket as WebSocketConnection, { command: exec, binary, request, failed })
    socket.data.child = child
    this.#children.add(child)
    void child.ended.then(() => this.#children.delete(child))
  }

  /** While nobody is there the input waits. Its end is not that of the server. */
  #sendInput(server: WebSocketServer<Client>): Input {
    const { binary } = this.#options
    const input = new Input({ binary, status: this.#status, onInterrupt: this.#signals.interrupt })
    input
      .deliver(async (message) => {
        if (server.clients.size === 0) {
          this.#status.info('nobody is connected: the input waits')
          await once(server, 'connection')
        }
        await Promise.all([...server.clients].map((socket) => sendTo(socket as WebSocketConnection, message)))
      })
      .catch((error) => this.#fail(error))
    return input
  }

  #fail(error: unknown): void {
    this.#end(this.#tell(error))
  }

  #tell(error: unknown): ExitCode {
    const { code, message } = error as Partial<NodeJS.ErrnoException>
    this.#printer.event('error', { code, message })
    tellError(this.#status, error)
    return exitCodeOf(error)
  }
}
