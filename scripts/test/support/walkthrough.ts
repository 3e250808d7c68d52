// Follows a page like a reader would: saves its programs, runs its commands, compares what they print. Rules:
// - Every block is used as it is written: `js` is a program, its first line names the file; `sh` is run by bash and must
//   succeed; `text` is exactly what the `sh` block before it prints, both streams together. There is no other kind, and no
//   program that no command runs.
// - A command that runs a program whose name ends in `server.mjs`, or `ws-cli listen`, goes on running until the next such command. It
//   listens on a port that the system chooses; in what is printed that port is shown as the page's own, and in commands it is put in its place.
// - `node` means the Node of the test, with `@ws/*` from source, and so does `ws-cli`.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { type Block, blocks } from './markdown.ts'

const PACKAGES = join(import.meta.dirname, '../../../packages')
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
/** Ends a block at its first failing command. */
const STRICT = 'set -euo pipefail\n'
const SERVER = /^(node \S*server\.mjs|ws-cli listen)\b.*$/
const PROGRAM = /^\/\/ (\S+\.mjs)$/m

interface Server {
  readonly process: ChildProcess
  readonly ended: Promise<unknown>
  output: string
}

export class Walkthrough {
  /** An empty folder, in which the three packages are installed. */
  readonly folder: string = mkdtempSync(join(tmpdir(), 'ws-docs-'))
  readonly #pagePort: number
  readonly #unused = new Set<string>()
  #server: Server | undefined
  #port = 0

  /** @param pagePort the port that the page uses */
  constructor(pagePort: number) {
    this.#pagePort = pagePort
    mkdirSync(join(this.folder, 'node_modules/@ws'), { recursive: true })
    for (const name of ['protocol', 'server', 'client']) {
      symlinkSync(join(PACKAGES, name), join(this.folder, 'node_modules/@ws', name), 'dir')
    }
    const node = `exec '${process.execPath}' --conditions=@ws/source --import '${TSX}' "$@"`
    mkdirSync(join(this.folder, '.bin'))
    writeFileSync(join(this.folder, '.bin/node'), `#!/bin/sh\n${node}\n`, { mode: 0o755 })
    const cli = node.replace('"$@"', `'${join(PACKAGES, 'cli/src/main.ts')}' "$@"`)
    writeFileSync(join(this.folder, '.bin/ws-cli'), `#!/bin/sh\n${cli}\n`, { mode: 0o755 })
  }

  /** Follows a page from its first block to its last. @throws Error that names the line of what is wrong */
  async follow(markdown: string): Promise<void> {
    const all = blocks(markdown)
    for (const [index, block] of all.entries()) {
      try {
        await this.#take(block, all[index + 1])
      } catch (error) {
        throw new Error(`line ${block.line}: ${(error as Error).message}`, { cause: error })
      }
    }
    if (this.#unused.size > 0) throw new Error(`no command runs ${[...this.#unused].join(', ')}`)
  }

  /** Starts a server in place of the one that runs, and waits until it has printed as many lines as expected. */
  async serve(command: string, expected: string): Promise<void> {
    await this.stop()
    const options = { cwd: this.folder, env: this.#environment(0) }
    const anyPort = command.replace(new RegExp(`\\b${this.#pagePort}\\b`), '0')
    const child = spawn('bash', ['-c', `exec 2>&1; exec ${anyPort}`], options)
    const server: Server = { process: child, ended: once(child, 'close'), output: '' }
    this.#server = server
    child.stdout.on('data', (chunk: Buffer) => {
      server.output += String(chunk)
    })
    const printed = await this.printed(expected.split('\n').length)
    this.#port = Number(/:(\d+)$/m.exec(printed)?.[1] ?? 0)
    this.#compare(printed, expected)
  }

  /** What the server has printed, once that is so many lines, or all that it ever will. */
  async printed(lines: number): Promise<string> {
    const server = this.#server as Server
    let over = false
    const ended = server.ended.then(() => {
      over = true
    })
    while (!over && server.output.split('\n').length <= lines) {
      await Promise.race([ended, once(server.process.stdout as Readable, 'data')])
    }
    return server.output
  }

  /** The port of the server that runs. */
  get port(): number {
    return this.#port
  }

  /** Sends a signal to the server that runs. */
  signal(name: NodeJS.Signals): void {
    this.#server?.process.kill(name)
  }

  /** Runs commands to their end. @returns what they printed */
  run(commands: string): Promise<string> {
    const options = { cwd: this.folder, env: this.#environment(this.#port) }
    const toServer = commands.replaceAll(`:${this.#pagePort}`, `:${this.#port}`)
    return new Promise((resolve, reject) => {
      const child = execFile('bash', ['-c', `exec 2>&1\n${STRICT}${toServer}`], options, (error, output) => {
        if (error === null) resolve(output)
        else reject(new Error(`exit code ${child.exitCode} of: ${commands}\n${output}`))
      })
    })
  }

  /** Stops the server, like Ctrl+C. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    server?.process.kill('SIGINT')
    await server?.ended
  }

  /** Stops the server and removes the folder. */
  async dispose(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true })
  }

  async #take({ language, text }: Block, next: Block | undefined): Promise<void> {
    if (language === 'js') return this.#save(text)
    if (language === 'text') return // compared with the block before it
    if (language !== 'sh') throw new Error(`nobody knows what to do with a block in ${language || 'no language'}`)
    for (const word of text.split(/\s/)) this.#unused.delete(word)
    const expected = next?.language === 'text' ? next.text : undefined
    if (!SERVER.test(text)) {
      const printed = await this.run(text)
      if (expected !== undefined) this.#compare(printed, expected)
    } else if (expected === undefined) {
      throw new Error('the page does not say what the server prints, so nobody knows when it is ready')
    } else {
      await this.serve(text, expected)
    }
  }

  #save(text: string): void {
    const name = PROGRAM.exec(text.split('\n', 1)[0] as string)?.[1]
    if (name === undefined) throw new Error('the first line of a program must be its file name: // name.mjs')
    writeFileSync(join(this.folder, name), `${text}\n`)
    this.#unused.add(name)
  }

  #compare(printed: string, expected: string): void {
    const port = new RegExp(`:${this.#port}\\b`, 'g')
    const shown = printed.trimEnd().replace(port, `:${this.#pagePort}`).replace(/ +$/gm, '')
    if (shown !== expected) throw new Error(`expected it to print\n${expected}\ngot\n${shown}`)
  }

  /** Nothing from around the tests changes how certificates are checked. */
  #environment(port: number): NodeJS.ProcessEnv {
    const { NODE_OPTIONS, NODE_EXTRA_CA_CERTS, NODE_TLS_REJECT_UNAUTHORIZED, ...rest } = process.env
    return { ...rest, PATH: `${join(this.folder, '.bin')}:${rest.PATH}`, PORT: String(port) }
  }
}
