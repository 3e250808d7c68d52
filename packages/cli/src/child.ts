// A program for a connection, as websocketd and inetd run it: messages become lines of its input, lines of its output
// messages. Rules:
// - The program ends: the connection closes, with 1000 if it ended well, with 1011 otherwise. The connection ends: so
//   does the program's input; if the program goes on, it is told to end with all that it has started (SIGTERM), then made
//   to (SIGKILL).
// - Both directions hold the other back. Nothing that the peer sends is part of the command.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { UpgradeRequest, WebSocketConnection } from '@ws/server'
import { linesOf } from './lines.ts'
import { sendTo } from './session.ts'

export interface ChildOptions {
  /** Of the shell. */
  readonly command: string
  readonly binary: boolean
  readonly request: UpgradeRequest
  /** Told what went wrong here: the peer only learns that something did. */
  readonly failed: (error: unknown) => void
}

/** From the end of its input to SIGTERM, and from there to SIGKILL, in ms. */
const PATIENCE = 1_000
const NORMAL = 1000
const UNSUPPORTED_DATA = 1003
const INTERNAL_ERROR = 1011
/** Windows has no process groups: there only the shell is ended. */
const GROUPS = process.platform !== 'win32'

export class Child {
  /** When it has ended, however. */
  readonly ended: Promise<void>
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #socket: WebSocketConnection
  readonly #binary: boolean
  #timer: NodeJS.Timeout | undefined

  constructor(socket: WebSocketConnection, { command, binary, request, failed }: ChildOptions) {
    const env = { ...process.env, REMOTE_ADDR: request.remoteAddress ?? '', REQUEST_URI: request.url }
    this.#process = spawn(command, { shell: true, detached: GROUPS, stdio: ['pipe', 'pipe', 'inherit'], env })
    this.#process.stdin.on('error', () => {}) // it does not read: its own affair
    this.#socket = socket
    this.#binary = binary
    const closed = once(this.#process, 'close') // rejects if it could not be started
    this.ended = this.#forward(closed)
      .catch((error) => {
        failed(error)
        void socket.close(INTERNAL_ERROR, 'the program failed')
        this.end()
        return closed.catch(() => {})
      })
      .then(() => clearTimeout(this.#timer))
  }

  /** @returns when it takes more; undefined means now */
  write(message: string | Uint8Array): Promise<void> | undefined {
    const { stdin } = this.#process
    if (!this.#binary && typeof message !== 'string') return void this.#socket.close(UNSUPPORTED_DATA, 'expected text')
    if (stdin.write(this.#binary ? message : `${message}\n`) || stdin.destroyed) return undefined
    return new Promise((resolve) => stdin.once('drain', resolve).once('close', resolve))
  }

  /** Ends it; {@link ended} tells when that is so. */
  end(): void {
    this.#process.stdin.end()
    this.#timer ??= setTimeout(() => {
      this.#signal('SIGTERM')
      this.#timer = setTimeout(() => this.#signal('SIGKILL'), PATIENCE)
    }, PATIENCE)
  }

  /** Sends what it prints, then closes. */
  async #forward(closed: Promise<unknown[]>): Promise<void> {
    const { stdout } = this.#process
    for await (const message of this.#binary ? stdout : linesOf(stdout, 'the program')) {
      await sendTo(this.#socket, message)
    }
    const [code, signal] = await closed
    if (code === 0) void this.#socket.close(NORMAL)
    else void this.#socket.close(INTERNAL_ERROR, `the program ended with ${signal ?? `exit code ${code}`}`)
  }

  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#process
    if (pid === undefined) return
    try {
      if (GROUPS) process.kill(-pid, name)
      else this.#process.kill(name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has just ended
    }
  }
}
