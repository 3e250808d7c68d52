// The first request on a port of our own, which is taken without Node's HTTP server or handed to it: whoever it comes to, a client
// sees the same, and nothing that it has sent is lost.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { readsIntoWindow } from '@ws/protocol/node'
import { type WebSocketConnection, WebSocketServer } from '@ws/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LONGEST_HEAD } from '../src/arrival.ts'
import { DirectUpgradeRequest } from '../src/direct-request.ts'
import { RawClient, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { connection, open, portOf, refused, serve, until } from './support/servers.ts'

const UPGRADE = upgradeRequest()
const PLAIN = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

const ECHO = { message: (socket: WebSocketConnection, data: string | Uint8Array) => void socket.send(data) }

/** Who reads a request: us, or Node's parser, if there is anything unusual in it. */
const READERS: [reader: string, add: string[]][] = [
  ['read directly', []],
  ['read by Node', ['X:\ty']],
]

/** The sockets that servers accept from now on. */
function accepted(): Socket[] {
  const sockets: Socket[] = []
  const onSocket = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket)
  subscribe('net.server.socket', onSocket)
  onTestFinished(() => void unsubscribe('net.server.socket', onSocket))
  return sockets
}

/** A client, and its socket at the server. */
async function arrive(server: WebSocketServer, options: object = {}): Promise<{ client: RawClient; socket: Socket }> {
  const sockets = accepted()
  const client = await RawClient.connect({ port: portOf(server), host: '127.0.0.1', ...options })
  await until(() => sockets.length > 0)
  return { client, socket: sockets[0] as Socket }
}

/** Waits until Node's HTTP server has a connection: so it has at once where nobody else looks at it first. */
async function handedOver(socket: Socket): Promise<void> {
  await until(() => socket.listenerCount('drain') > 0)
}

/** Resolves when a socket has closed, with or without an error. */
function closeOf(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve))
}

/** A client that says nothing, and is Node's by now. */
async function silent(server: WebSocketServer): Promise<{ client: RawClient; socket: Socket }> {
  const arrival = await arrive(server)
  await handedOver(arrival.socket)
  return arrival
}

async function echoed(client: RawClient, text = 'still here'): Promise<void> {
  client.write(textFrame(text))
  expect(await client.text()).toBe(text)
}

describe('whoever reads the request', () => {
  test.each<[string, string, boolean]>([
    ['a plain one', UPGRADE, true],
    ['one with the headers of a browser', upgradeRequest({ add: ['Origin: http://127.0.0.1', 'Cookie: a="b"'] }), true],
    ['as long as it may be', upgradeRequest({ add: [`X: ${'x'.repeat(LONGEST_HEAD - UPGRADE.length - 5)}`] }), true],
    ['longer', upgradeRequest({ add: [`X: ${'x'.repeat(LONGEST_HEAD - UPGRADE.length - 4)}`] }), false],
    ['an empty line before it', `\r\n${UPGRADE}`, false],
    ['a target in absolute form', upgradeRequest({ start: 'GET http://127.0.0.1/ HTTP/1.1' }), false],
    ['a length of no body', upgradeRequest({ add: ['Content-Length: 0'] }), false],
    ['a byte past ASCII', upgradeRequest({ add: ['X: \xe9'] }), false],
  ])('%s: upgraded', async (_, request, direct) => {
    const server = await serve({}, ECHO)
    const opened = connection(server)
    const client = await RawClient.connect(portOf(server))
    client.write(Buffer.from(request, 'latin1'), textFrame('glued'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('glued')
    await echoed(client)
    expect((await opened).request instanceof DirectUpgradeRequest).toBe(direct && readsIntoWindow)
  })

  test('split anywhere: upgraded, and frames follow', async () => {
    const server = await serve({}, ECHO)
    for (let at = 1; at < UPGRADE.length; at++) {
      const { client, socket } = await arrive(server)
      client.write(UPGRADE.slice(0, at))
      await until(() => socket.bytesRead === at)
      client.write(UPGRADE.slice(at), textFrame('glued'))
      expect(await client.head()).toEqual(SWITCHING)
      expect(await client.text()).toBe('glued')
      await echoed(client)
      await client.destroy()
    }
  })

  test.each(READERS)('%s: frames that came with it, of any size, are whole', async (_, add) => {
    const digest = (data: string | Uint8Array) => createHash('sha1').update(data).digest('hex')
    const server = await serve({}, { message: (socket, data) => void socket.send(digest(data)) })
    for (const size of [0, 1, 125, 126, 8_000, 65_535, 65_536, 300_000]) {
      const payload = Buffer.from(Array.from({ length: size }, (_, at) => at % 251))
      const header = Buffer.from('82ff000000000000000000000000', 'hex')
      if (size < 126) header.writeUInt8(0x80 | size, 1)
      else if (size < 65_536) header.writeUInt16BE(size, header.writeUInt8(0xfe, 1))
      else header.writeUInt32BE(size, 6)
      const length = size < 126 ? 6 : size < 65_536 ? 8 : 14
      const client = await RawClient.connect(portOf(server))
      client.write(upgradeRequest({ add }), header.subarray(0, length), payload)
      expect(await client.head()).toEqual(SWITCHING)
      expect([size, await client.text()]).toEqual([size, digest(payload)])
      await client.destroy()
    }
  })

  test.each(READERS)('%s: one byte of a frame came with it, and the rest later', async (_, add) => {
    const server = await serve({}, ECHO)
    const client = await RawClient.connect(portOf(server))
    const frame = textFrame('in two')
    client.write(upgradeRequest({ add }), frame.subarray(0, 1))
    expect(await client.head()).toEqual(SWITCHING)
    client.write(frame.subarray(1))
    expect(await client.text()).toBe('in two')
  })

  test.each(READERS)('[D15] %s: a request behind it is no frame: 1002', async (_, add) => {
    const server = await serve()
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest({ add }), UPGRADE)
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.closeCode()).toBe(1002)
    expect(server.stats().accepted).toBe(1)
  })

  test.each(READERS)('%s: request.raw is Node’s, over the socket of the connection', async (_, add) => {
    const server = await serve({ authenticate: ({ raw }) => ({ data: raw }) }, ECHO)
    const opened = connection(server)
    const { client, socket } = await arrive(server)
    await client.upgrade({ start: 'GET /a?b HTTP/1.1', add: [...add, 'X-Two: 1', 'X-Two: 2'] })
    const { raw } = (await opened).request
    expect(raw).toBeInstanceOf(IncomingMessage)
    expect(raw.socket).toBe(socket)
    expect((await opened).socket.data).toBe(raw)
    expect(raw).toMatchObject({ method: 'GET', url: '/a?b', httpVersion: '1.1', complete: true })
    expect(raw.headers).toMatchObject({ host: '127.0.0.1', 'x-two': '1, 2' })
    await echoed(client)
  })

  test.each(READERS)('%s: who reads request.raw as a stream comes to its end', async (_, add) => {
    const server = await serve({ authenticate: async ({ raw }) => ({ data: await text(raw) }) }, ECHO)
    const opened = connection(server)
    const client = await RawClient.connect(portOf(server))
    client.write(upgradeRequest({ add }), textFrame('glued'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('glued')
    expect((await opened).socket.data).toBe('')
    await echoed(client)
  })
})

test('plain requests first, on one connection: then it is upgraded, with the frames glued to it', async () => {
  const server = await serve({}, ECHO)
  const client = await RawClient.connect(portOf(server))
  for (let count = 0; count < 3; count++) {
    client.write(PLAIN)
    expect((await client.head())[0]).toBe('HTTP/1.1 426 Upgrade Required')
    await client.read(44)
  }
  client.write(UPGRADE, textFrame('glued'))
  expect(await client.head()).toEqual(SWITCHING)
  expect(await client.text()).toBe('glued')
  await echoed(client)
})

test('a Unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ws-server-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 'socket')
  const server = await WebSocketServer.listen({ socketPath }, ECHO)
  onTestFinished(async () => {
    await server.close({ timeout: 0 })
  })
  const opened = connection(server)
  const client = await RawClient.connect(socketPath)
  await client.upgrade()
  await echoed(client)
  expect((await opened).request instanceof DirectUpgradeRequest).toBe(readsIntoWindow)
})

test('[D17] a head that is too long for Node as it was started: 431', async () => {
  const tsx = pathToFileURL(createRequire(join(import.meta.dirname, '../../../package.json')).resolve('tsx')).href
  const program = `
    import { WebSocketServer } from '@ws/server'
    const server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1' })
    console.log(server.address().port)`
  const options = ['--max-http-header-size=1000', '--conditions=@ws/source', '--import', tsx, '--input-type=module']
  const child = spawn(process.execPath, [...options, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: join(import.meta.dirname, '..'),
  })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const [port] = await once(child.stdout, 'data')
  const client = await RawClient.connect(Number(port))
  expect((await client.refusal({ add: [`X: ${'x'.repeat(1_000)}`] })).status).toBe(431)
  expect(await (await RawClient.connect(Number(port))).upgrade()).toEqual(SWITCHING)
})

describe('a client that says nothing', () => {
  test('[D17] [M3] gets 408, and is gone', async () => {
    const server = await serve({ handshakeTimeout: 100 })
    const { client, socket } = await arrive(server)
    const closed = closeOf(socket)
    expect((await client.answer()).status).toBe(408)
    await closed
    await server.stopListening()
  })

  test('and speaks when it is Node’s: upgraded', async () => {
    const server = await serve({ handshakeTimeout: 3_000 }, ECHO)
    const { client } = await silent(server)
    client.write(UPGRADE, textFrame('glued'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('glued')
    await echoed(client)
  })

  test('and ends: so does the connection', async () => {
    const { client, socket } = await arrive(await serve())
    const closed = closeOf(socket)
    client.socket.end()
    await closed
    expect((await client.rest()).length).toBe(0)
  })
})

describe('[D19] a reset', () => {
  test.each<[string, number, (server: WebSocketServer) => Promise<{ client: RawClient; socket: Socket }>]>([
    ['of a client that has said nothing', 10_000, arrive],
    ['of one that has said nothing, and is Node’s', 3_000, silent],
    [
      'in the middle of the head',
      10_000,
      async (server) => {
        const arrival = await arrive(server)
        arrival.client.write(UPGRADE.slice(0, 50))
        await handedOver(arrival.socket)
        return arrival
      },
    ],
    [
      'behind an answered plain request',
      10_000,
      async (server) => {
        const arrival = await arrive(server)
        arrival.client.write(PLAIN)
        await arrival.client.head()
        return arrival
      },
    ],
  ])('%s ends nothing but its connection', async (_, handshakeTimeout, arrival) => {
    const server = await serve({ handshakeTimeout }, ECHO)
    const { client: other } = await open(server)
    const { client, socket } = await arrival(server)
    const closed = closeOf(socket)
    client.reset()
    await closed
    await echoed(other)
    await server.stopListening() // nobody is on the way in
    expect(server.stats()).toMatchObject({ connections: 1, accepted: 1 })
  })

  test.each(READERS)('behind the request, %s', async (_, add) => {
    const server = await serve({}, ECHO)
    const sockets = accepted()
    for (let count = 0; count < 50; count++) {
      const client = await RawClient.connect(portOf(server))
      client.socket.write(upgradeRequest({ add }), () => client.reset())
      await client.closed()
    }
    await until(() => sockets.length === 50 && sockets.every((socket) => socket.closed))
    await until(() => server.stats().connections === 0)
    await echoed((await open(server)).client)
  })
})

describe('refusals', () => {
  const REASONS: [reason: string, options: object, request: object, status: number][] = [
    ['path', { path: '/a' }, { start: 'GET /b HTTP/1.1' }, 404],
    ['origin', {}, { add: ['Origin: https://evil.example'] }, 403],
    ['host', { hosts: ['a.example'] }, { replace: ['Host: b.example'] }, 403],
    ['hook', { authenticate: () => false }, {}, 401],
    ['hook that waits', { authenticate: async () => false }, {}, 401],
    ['capacity', { maxConnections: 1 }, {}, 503],
  ]
  const CASES = READERS.flatMap(([reader, add]) => REASONS.map((reason) => [...reason, reader, add] as const))

  test.each(CASES)(
    'by %s: the whole answer, whatever else was sent',
    async (reason, options, parts, status, _, add) => {
      const server = await serve(options)
      if (reason === 'capacity') await open(server)
      const reported = refused(server)
      const { client, socket } = await arrive(server, { allowHalfOpen: true })
      const closed = closeOf(socket)
      const request = upgradeRequest({ ...parts, add: [...((parts as { add?: string[] }).add ?? []), ...add] })
      client.write(request, ...Array<Buffer>(10_000).fill(textFrame('glued')))
      const answer = await client.answer()
      const length = answer.head.find((line) => line.startsWith('Content-Length: '))
      expect([answer.status, length]).toEqual([status, `Content-Length: ${answer.body.length}`])
      expect((await reported).status).toBe(status)
      client.write(textFrame('once more')) // it is read, and does not reset the connection
      client.socket.end()
      await closed
      expect(socket.errored).toBe(null)
      expect(server.stats().accepted).toBe(reason === 'capacity' ? 1 : 0)
    },
  )
})

describe('the server', () => {
  test.each(READERS)('closes: a request that still comes gets 503, %s', async (_, add) => {
    const server = await serve({}, ECHO)
    await open(server) // and does not answer the Close: so long the server is closing
    const { client } = await arrive(server)
    const closed = server.close({ timeout: 1_000 })
    const { status, body } = await client.refusal({ add })
    expect([status, body]).toEqual([503, 'the server is closing\n'])
    expect(await closed).toEqual({ closed: 0, terminated: 1 })
  })

  test('is closed, with who is silent, has said a part, or waits for authenticate', async () => {
    const server = await serve({ authenticate: () => new Promise<boolean>(() => {}) })
    const { client: mute } = await arrive(server)
    const { client: half, socket } = await arrive(server)
    half.write(UPGRADE.slice(0, 50))
    await handedOver(socket)
    const { client: waits } = await arrive(server)
    waits.write(UPGRADE)
    await until(() => server.stats().pending === 1)
    const closed = server.close({ timeout: 1_000 })
    expect((await waits.answer()).status).toBe(503)
    expect(await closed).toEqual({ closed: 0, terminated: 0 })
    expect([(await mute.rest()).length, (await half.rest()).length]).toEqual([0, 0])
  })

  test('stops listening: who has said nothing yet is let in', async () => {
    const server = await serve({}, ECHO)
    const { client } = await arrive(server)
    let settled = false
    const stopped = server.stopListening().then(() => {
      settled = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(false)
    expect(await client.upgrade()).toEqual(SWITCHING)
    await stopped
    await echoed(client)
  })
})
