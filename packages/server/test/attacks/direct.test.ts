// What is at stake where a port of our own reads requests before Node's HTTP server: that it is as strict as that one, and that those who
// look at a socket still see all that it reads.

import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import type { UpgradeRequest } from '@ws/server'
import { expect, onTestFinished, test } from 'vitest'
import { RawClient, SWITCHING, textFrame, upgradeRequest } from '../support/raw-client.ts'
import { connection, portOf, serve } from '../support/servers.ts'

const TSX = pathToFileURL(createRequire(join(import.meta.dirname, '../../../../package.json')).resolve('tsx')).href
const PROGRAM = join(import.meta.dirname, '../support/stoppable.ts')

const PLAIN = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

/** A server in a process of its own, whose HTTP parser takes heads up to so many bytes. @returns its port */
async function serveHeadsUpTo(size: number): Promise<number> {
  const flags = [`--max-http-header-size=${size}`, '--conditions=@ws/source', '--import', TSX]
  const child = spawn(process.execPath, [...flags, PROGRAM, 'server', 'false'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const [line] = await once(child.stdout, 'data')
  return Number(String(line).split(' ')[1])
}

test.each([
  [500, 101],
  [2_000, 431],
])('under --max-http-header-size=1024 a header of %i bytes is answered with %i', async (length, status) => {
  const client = await RawClient.connect(await serveHeadsUpTo(1_024))
  const [line] = await client.upgrade({ add: [`X-Long: ${'x'.repeat(length)}`] })
  expect(Number(line?.split(' ')[1])).toBe(status)
})

/** Looks at what a socket reads. */
class Watcher {
  text = ''

  watch(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1')
    })
  }
}

/** Told of all sockets that servers accept in this test. */
function onAccepted(told: (socket: Socket) => void): void {
  const onSocket = (message: unknown): void => told((message as { socket: Socket }).socket)
  subscribe('net.server.socket', onSocket)
  onTestFinished(() => void unsubscribe('net.server.socket', onSocket))
}

const echo = { message: (socket: { send(data: string): void }, data: unknown) => void socket.send(data as string) }

test('who is told of a socket by its diagnostics channel sees all that it reads: the request, and frames', async () => {
  const watcher = new Watcher()
  onAccepted((socket) => watcher.watch(socket))
  const client = await RawClient.connect(portOf(await serve({}, echo)))
  expect(await client.upgrade()).toEqual(SWITCHING)
  client.write(textFrame('one'))
  expect(await client.text()).toBe('one')
  expect(watcher.text).toBe(upgradeRequest() + textFrame('one').toString('latin1'))
})

test('who is told of a socket by its diagnostics channel sees every plain request on it', async () => {
  const watcher = new Watcher()
  onAccepted((socket) => watcher.watch(socket))
  const client = await RawClient.connect(portOf(await serve()))
  for (const times of [1, 2]) {
    client.write(PLAIN)
    const head = await client.head()
    expect(head[0]).toBe('HTTP/1.1 426 Upgrade Required')
    await client.read(Number(head.find((line) => line.startsWith('Content-Length'))?.split(' ')[1]))
    expect(watcher.text).toBe(PLAIN.repeat(times))
  }
})

test.each(['the hook', 'the hook, and decides later', "'connection'"])(
  'who watches a socket from %s sees its frames',
  async (from) => {
    const watcher = new Watcher()
    const authenticate = ({ raw }: UpgradeRequest) => {
      if (from !== "'connection'") watcher.watch(raw.socket)
      return from === 'the hook, and decides later' ? Promise.resolve(true) : true
    }
    const server = await serve({ authenticate }, echo)
    if (from === "'connection'") server.on('connection', (_, { raw }) => watcher.watch(raw.socket))
    const client = await RawClient.connect(portOf(server))
    await client.upgrade()
    for (const text of ['one', 'two']) {
      client.write(textFrame(text))
      expect(await client.text()).toBe(text)
    }
    expect(watcher.text).toBe(textFrame('one').toString('latin1') + textFrame('two').toString('latin1'))
  },
)

test('the body of a request is over for who reads it in the hook', async () => {
  const bodies: string[] = []
  const authenticate = async ({ raw }: UpgradeRequest) => {
    bodies.push(await text(raw))
    return true
  }
  const client = await RawClient.connect(portOf(await serve({ authenticate }, echo)))
  client.write(upgradeRequest(), textFrame('early'))
  expect(await client.head()).toEqual(SWITCHING)
  expect([bodies, await client.text()]).toEqual([[''], 'early'])
})

test.each(['its diagnostics channel', 'the hook'])(
  'a timeout that %s has set on a socket ends with the handshake',
  async (from) => {
    const guard = (socket: Socket): void => void socket.setTimeout(60_000, () => socket.destroy())
    if (from !== 'the hook') onAccepted(guard)
    const authenticate = ({ raw }: UpgradeRequest) => {
      if (from === 'the hook') guard(raw.socket)
      return true
    }
    const server = await serve({ authenticate })
    const opened = connection(server)
    await (await RawClient.connect(portOf(server))).upgrade()
    expect((await opened).request.raw.socket.timeout).toBe(0)
  },
)
