// One server and one client, each a process of its own on a runtime of its own, and what came of each check. Rule: a process that hangs
// is a fault like any other: it is ended, and the run goes on.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { makeCertificates } from '@ws/testkit'
import type { Runtime } from './runtimes.ts'

/** What happened, by the name of the check: `undefined` where all was well. */
export type Outcome = ReadonlyMap<string, string | undefined>

/** Far more than any of them takes. */
const TIME_OF_CLIENT = 120_000
const TIME_OF_END = 15_000

const ALL_CHECKS = 'every check was run, and the client ends by itself'
const SERVER_ENDS = 'the server closes what is left, and ends by itself'
const EXIT = 'a process that only waits for a closing handshake ends'

/** Runs all checks. @param folder where the packages are installed */
export async function runPair(server: Runtime, client: Runtime, folder: string): Promise<Outcome> {
  const { ca, otherCa, server: certificate } = await makeCertificates()
  const socketPath = join(folder, 'socket')
  const serving = start(server, folder, 'server.mjs', { certificate, socketPath })
  try {
    const world = { ...JSON.parse(await firstLine(serving)), ca, otherCa, socketPath }
    const checks = await runClient(start(client, folder, 'client.mjs', world))
    const exit = await output(start(client, folder, 'exit.mjs', world), TIME_OF_END)
    const closing = output(serving, TIME_OF_END)
    serving.stdin?.end()
    return new Map([
      ...checks,
      [EXIT, expected('[1006,"CLOSE_TIMEOUT"]\n', exit)],
      [SERVER_ENDS, expected('{"terminated":0}\n', await closing)],
    ])
  } finally {
    serving.kill('SIGKILL')
  }
}

async function runClient(client: ChildProcess): Promise<Outcome> {
  const { text, end } = await output(client, TIME_OF_CLIENT)
  const lines = text.trim().split('\n').map(parseLine)
  return new Map([...lines, [ALL_CHECKS, end === '0' ? undefined : `ended with ${end}`]])
}

function parseLine(line: string): [name: string, fault: string | undefined] {
  const { name, fault } = JSON.parse(line)
  return [name, fault]
}

function start({ executable, args }: Runtime, folder: string, program: string, world: object): ChildProcess {
  return spawn(executable, [...args, join(folder, 'fixtures/runtimes', program), JSON.stringify(world)], {
    cwd: folder,
    // Nothing of this run's own; a colour in what is printed would be one fault more.
    env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`the server ended with ${code} before it listened`)
  })
  ended.catch(() => {})
  const stdout = child.stdout as Readable
  for (let text = ''; ; ) {
    const [chunk] = await Promise.race([once(stdout, 'data'), ended])
    text += chunk
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
  }
}

/** What a process prints from now on, and how it ends. */
async function output(child: ChildProcess, time: number): Promise<{ text: string; end: string }> {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += String(chunk)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), time)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  return { text, end: String(code ?? signal) }
}

function expected(wanted: string, { text, end }: { text: string; end: string }): string | undefined {
  if (text === wanted && end === '0') return undefined
  return `expected ${wanted.trim()} and the end; got ${JSON.stringify(text)} and ${end}`
}
