// Messages that are compressed and inflated in the thread pool: order, back-pressure, and what is left of them when the connection
// ends first. Each test ends with no more zlib handles than it began with: so the leak check of the file has it.

import { createHook } from 'node:async_hooks'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { constants, deflateRawSync } from 'node:zlib'
import { activeResources, tcpPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Role } from '../../src/constants.ts'
import type { DeflateParameters } from '../../src/deflate/parameters.ts'
import type { WebSocketConnection } from '../../src/node/connection.ts'
import { feedFor } from '../../src/node/deflate/dictionary.ts'
import { syncZlib } from '../../src/node/deflate/handle.ts'
import { type Job, Workload } from '../../src/node/deflate/workload.ts'
import { connectionSettings } from '../../src/node/settings.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { collect, connected, type Setup, withPeer } from './support/connections.ts'

const MIB = 1024 * 1024
const AGREED: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}
const ALONE: DeflateParameters = { ...AGREED, serverNoContextTakeover: true, clientNoContextTakeover: true }
const RSV1 = 4
const PING = 9
const CLOSE = 8
const ROLES = ['server', 'client'] as const
const TEXT = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id}` })))
const LARGE = TEXT.repeat(40)

function setup(deflate: DeflateParameters, syncLimit?: number): Setup {
  return { perMessageDeflate: { threshold: 0, syncLimit }, deflate }
}

function control(role: Role, opcode: number, payload: string | Uint8Array = ''): Uint8Array {
  return frame({ opcode, payload, key: role === 'server' ? SAMPLE_KEY : undefined })
}

function compressed(role: Role, data: string | Uint8Array): Uint8Array {
  const payload = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  return frame({ opcode: 2, rsv: RSV1, payload, key: role === 'server' ? SAMPLE_KEY : undefined })
}

/** To compare: large buffers by their length and digest. */
function shown(data: unknown): string {
  return typeof data === 'string'
    ? data
    : createHash('sha1')
        .update(data as Buffer)
        .digest('hex')
}

const zlibHandles = () => activeResources().get('Zlib') ?? 0

/** Waits until what other tests, and calls of zlib, had open is closed. */
async function noHandles(): Promise<void> {
  while (zlibHandles() > 0) await nextTurn()
}

describe.each([
  ['with takeover', AGREED],
  ['without takeover', ALONE],
] as const)('%s', (_, deflate) => {
  test.each([0, 2000, 32_768])('small and large messages keep their order, both ways; limit %i', async (syncLimit) => {
    const ends = await connected(undefined, { client: setup(deflate, syncLimit), server: setup(deflate, syncLimit) })
    onTestFinished(ends.dispose)
    const messages = [
      TEXT,
      LARGE,
      'x',
      TEXT,
      Buffer.alloc(2 * MIB, 'ab'),
      '',
      LARGE,
      'last',
      Buffer.alloc(300_000),
      TEXT,
    ]
    const sides = [
      [ends.client, ends.server],
      [ends.server, ends.client],
    ] as const
    const received = sides.map(([, to]) => collect(to, messages.length))
    for (const message of messages) for (const [from] of sides) from.send(message)
    const arrived = await Promise.all(received)
    expect(arrived.map((all) => all.map(shown))).toEqual([messages.map(shown), messages.map(shown)])
  })

  test.each(['server', 'client'] as const)('%s: each connection gives back what it took', async (role) => {
    const message = compressed(role, 'data')
    await noHandles()
    const { socket, peer, dispose } = await withPeer(role, setup(deflate))
    onTestFinished(dispose)
    socket.send(TEXT)
    const received = collect(socket, 1)
    peer.write(message)
    await received
    // One to compress with, and the shared one for inflating; apart, a stream for inflating is closed behind each message.
    expect(zlibHandles()).toBe(syncZlib ? 2 : 1)
    socket.terminate()
    expect(zlibHandles()).toBe(0)
    await socket.closed
  })

  test.each(ROLES.flatMap((role) => (['terminate', 'close', 'peer'] as const).map((how) => [role, how] as const)))(
    "%s: %s while jobs run: we get nothing any more if we end it, the peer's message if it does; all is freed [O19]",
    async (role, how) => {
      const bomb = compressed(role, Buffer.alloc(8 * MIB))
      await noHandles()
      const { socket, peer, dispose } = await withPeer(role, setup(deflate))
      onTestFinished(dispose)
      const received: number[] = []
      socket.on('message', (data) => received.push(data.length))
      const sent = new Promise<Error | undefined>((resolve) => {
        socket.send(Buffer.alloc(4 * MIB), { onFlushed: resolve })
      })
      const closing = new Promise((resolve) => socket.on('ping', resolve))
      peer.write(control(role, PING), bomb)
      await closing // and behind it the message is being inflated
      peer.stream.resume().on('end', () => peer.stream.end())
      if (how === 'terminate') socket.terminate()
      else if (how === 'peer') peer.stream.destroy()
      else void socket.close(1000)
      if (how === 'close') peer.write(control(role, CLOSE, Buffer.from([3, 232])))
      if (how === 'close' && role === 'client') peer.stream.end() // the server ends TCP first
      await socket.closed
      await sent
      expect([received, zlibHandles()]).toEqual([how === 'peer' ? [8 * MIB] : [], 0])
    },
  )
})

test('what waits for the pool counts as buffered; drained() waits for it, and a close goes behind it', async () => {
  const ends = await connected(undefined, { client: setup(AGREED), server: setup(AGREED) })
  onTestFinished(ends.dispose)
  const received = collect(ends.client, 3)
  expect(ends.server.send(LARGE)).toBe(false)
  expect(ends.server.send('behind')).toBe(false)
  expect(ends.server.bufferedAmount).toBe(LARGE.length + 'behind'.length)
  await ends.server.drained()
  expect(ends.server.bufferedAmount).toBeLessThan(LARGE.length)
  ends.server.send(LARGE)
  void ends.server.close(1000)
  expect(await received).toEqual([LARGE, 'behind', LARGE])
  expect((await ends.client.closed).code).toBe(1000)
})

test.each(ROLES.flatMap((role) => ['a FIN', 'a reset'].map((how) => [role, how] as const)))(
  '%s: %s behind messages that are inflated: they come first, then the end is told, once',
  async (role, how) => {
    const { socket, peer, dispose } = await withPeer(role, setup(AGREED))
    onTestFinished(dispose)
    const log: unknown[] = []
    socket.on('message', (data) => log.push(data.length))
    socket.on('close', ({ code }) => log.push(code))
    const read = new Promise((resolve) => socket.on('ping', resolve))
    peer.write(control(role, PING), compressed(role, Buffer.alloc(4 * MIB)), compressed(role, Buffer.alloc(2 * MIB)))
    await read
    if (how === 'a FIN') peer.stream.resume().end()
    else (peer.stream as Socket).resetAndDestroy()
    expect(socket.send('lost')).toBe(true)
    expect((await socket.closed).code).toBe(1006)
    await new Promise((resolve) => setImmediate(resolve))
    expect(log).toEqual([4 * MIB, 2 * MIB, 1006])
    expect(zlibHandles()).toBe(0)
  },
)

test.each(ROLES)(
  '%s: terminate() while the end waits for a message: it is not delivered, the end is told at once',
  async (role) => {
    let ours: Duplex | undefined
    const pair = async () => {
      const streams = await tcpPair()
      ours = streams[role]
      return streams
    }
    const { socket, peer, dispose } = await withPeer(role, setup(AGREED), pair)
    onTestFinished(dispose)
    const log: unknown[] = []
    socket.on('message', (data) => log.push(data.length))
    socket.on('close', ({ code }) => log.push(code))
    const read = once(socket, 'ping')
    // The jobs of a connection wait for each other, and this one takes hundreds of turns: what does not shrink is many pieces.
    socket.send(randomBytes(4 * MIB))
    peer.write(control(role, PING), compressed(role, Buffer.alloc(8 * MIB)))
    await read
    const gone = new Promise((resolve) => ours?.once('close', resolve))
    ;(peer.stream as Socket).resetAndDestroy()
    await gone
    expect(log).toEqual([])
    socket.terminate()
    expect(log).toEqual([1006])
    expect(zlibHandles()).toBe(0)
  },
)

const BEHIND: readonly (readonly [string, (role: Role) => Uint8Array, (socket: WebSocketConnection) => void])[] = [
  ['a Close', (role) => control(role, CLOSE, Buffer.from([3, 232])), () => {}],
  ['a broken frame', (role) => control(role, 3), () => {}],
  ['a message upon which we terminate()', (role) => compressed(role, 'second'), (socket) => socket.terminate()],
  ['a message upon which we close()', (role) => compressed(role, 'second'), (socket) => void socket.close()],
]

test.each(ROLES.flatMap((role) => BEHIND.map(([what, bytes, act]) => [role, what, bytes, act] as const)))(
  '%s: %s behind a message that is inflated as the peer is gone: the end is told once',
  async (role, _, bytes, act) => {
    const { socket, peer, dispose } = await withPeer(role, setup(ALONE))
    onTestFinished(dispose)
    const log: unknown[] = []
    socket.on('message', (data) => {
      log.push(data.length)
      if (data.length < MIB) act(socket)
    })
    socket.on('close', () => log.push('close'))
    const read = once(socket, 'ping')
    const third = compressed(role, 'a third')
    peer.write(control(role, PING), compressed(role, Buffer.alloc(16 * MIB)), bytes(role), third)
    await read
    ;(peer.stream as Socket).resetAndDestroy()
    while (socket.readyState === 1) {
      socket.send('to be told of the reset', { compress: false })
      await nextTurn()
      if (log.length > 0) break // the message was first
    }
    await socket.closed
    await nextTurn()
    expect(log[0]).toBe(16 * MIB)
    expect(log.filter((entry) => entry === 'close')).toHaveLength(1)
    expect(log.at(-1)).toBe('close')
    expect(log).not.toContain('a third'.length)
    expect(zlibHandles()).toBe(0)
  },
)

test.each(ROLES)(
  '%s: the reading stops while a message is inflated: what follows comes behind it, pings too',
  async (role) => {
    const { socket, peer, dispose } = await withPeer(role, setup(AGREED))
    onTestFinished(dispose)
    const order: unknown[] = []
    socket.on('ping', () => order.push('ping'))
    const received = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        order.push(data.length)
        if (order.length === 4) resolve()
      })
    })
    peer.write(
      compressed(role, 'first'),
      compressed(role, Buffer.alloc(4 * MIB)),
      control(role, PING),
      compressed(role, 'last'),
    )
    await received
    expect(order).toEqual([5, 4 * MIB, 'ping', 4])
  },
)

describe.each([
  ['with', AGREED],
  ['without', ALONE],
] as const)('more than a turn has budget for, %s context takeover', (_, agreed) => {
  test('all come back, in their order, of all connections', async () => {
    const count = 24
    const text = (connection: number, index: number): string => `${connection}.${index} `.repeat(3_000)
    const settings = connectionSettings({ perMessageDeflate: { threshold: 0 } }, false)
    const spent: number[] = []
    const workload = settings.perMessageDeflate?.workload as Workload
    const spend = workload.spend.bind(workload)
    workload.spend = (...bytes) => {
      spend(...bytes)
      spent.push(workload.atOnce)
    }
    const ends = await Promise.all(
      Array.from({ length: 12 }, () =>
        connected(undefined, {
          client: setup(agreed),
          server: { settings, deflate: agreed, handlers: { message: (socket, data) => void socket.send(data) } },
        }),
      ),
    )
    onTestFinished(async () => {
      await Promise.all(ends.map((end) => end.dispose()))
    })
    const received = ends.map(({ client }) => collect(client, count))
    for (let index = 0; index < count; index++) {
      for (const [connection, { client }] of ends.entries()) client.send(text(connection, index))
    }
    for (const [connection, messages] of (await Promise.all(received)).entries()) {
      expect(messages.map(shown)).toEqual(Array.from({ length: count }, (_, index) => text(connection, index)))
    }
    if (syncZlib) expect(spent).toContain(4096)
  })
})

describe('without takeover jobs leave their engines to the next', () => {
  /** How many engines zlib has set up so far. */
  function countEngines(): () => number {
    let count = 0
    const hook = createHook({
      init(_, type) {
        if (type === 'ZLIB') count++
      },
    }).enable()
    onTestFinished(() => void hook.disable())
    return () => count
  }

  test('of several connections, both ways; nothing of what went before is in what comes', async () => {
    const engines = countEngines()
    const ends = await Promise.all(
      [1, 2].map(() => connected(undefined, { client: setup(ALONE, 0), server: setup(ALONE, 0) })),
    )
    onTestFinished(async () => {
      await Promise.all(ends.map((end) => end.dispose()))
    })
    const counts: number[] = []
    for (const size of [1000, 1, 100, 70_000, 65_536, 1, 300_000, 4 * MIB, 2]) {
      for (const { client, server } of ends) {
        const message = randomBytes(size).toString('base64')
        for (const [from, to] of [
          [client, server],
          [server, client],
        ] as const) {
          const received = collect(to, 1)
          from.send(message)
          expect((await received).map(shown)).toEqual([shown(message)])
        }
      }
      counts.push(engines())
    }
    if (syncZlib) expect(new Set(counts).size).toBe(1)
    else expect(counts.at(-1)).toBeGreaterThan(counts[0] as number)
  })

  const VALID = compressed('server', LARGE)
  const WHOLE = deflateRawSync(LARGE, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  type Ours = Awaited<ReturnType<typeof withPeer>>

  async function twoServers(server: Setup): Promise<[Ours, Ours]> {
    const ours: [Ours, Ours] = [await withPeer('server', server), await withPeer('server', server)]
    for (const { dispose } of ours) onTestFinished(dispose)
    return ours
  }

  async function sendsWell({ socket, peer }: Ours): Promise<void> {
    const received = collect(socket, 1)
    peer.write(VALID)
    expect((await received).map(shown)).toEqual([shown(Buffer.from(LARGE))])
  }

  const before = { dictionary: Buffer.from(LARGE).subarray(-32_768), finishFlush: constants.Z_SYNC_FLUSH }
  const REFERRING = deflateRawSync(LARGE, before).subarray(0, -4)
  const masked = (payload: Uint8Array) => frame({ opcode: 2, rsv: RSV1, payload, key: SAMPLE_KEY })
  test.each<[what: string, bytes: Uint8Array, code: number | string]>([
    ['cut short', masked(WHOLE.subarray(0, -3)), 1007],
    ['cut short within a block that is stored', masked(deflateRawSync(LARGE, { level: 0 }).subarray(0, -7)), 1007],
    ['no deflate data', masked(Buffer.alloc(50_000, 0xff)), 1007],
    ['that refers to the one before', masked(REFERRING), 1007],
    ['too big', compressed('server', Buffer.alloc(MIB + 1)), 1009],
    ['a final block last', masked(deflateRawSync(LARGE)), LARGE],
    ['a final block, and more', masked(Buffer.concat([deflateRawSync(LARGE), WHOLE])), LARGE + LARGE],
    ['a final block, and no deflate data', masked(Buffer.concat([deflateRawSync(LARGE), Buffer.alloc(9, 0xff)])), 1007],
  ])('%s: the next message is well, of whoever it is', async (_, bytes, outcome) => {
    const [guest, other] = await twoServers({ ...setup(ALONE, 0), maxPayload: MIB })
    for (let time = 0; time < 3; time++) {
      await sendsWell(other)
      if (time > 0) continue
      const message = collect(guest.socket, 1)
      guest.peer.write(bytes)
      if (typeof outcome === 'string') expect((await message).map(shown)).toEqual([shown(Buffer.from(outcome))])
      else {
        guest.peer.stream.resume().on('end', () => guest.peer.stream.end())
        expect((await guest.socket.closed).code).toBe(outcome)
      }
    }
  })

  test('whoever is cancelled takes the engine along', async () => {
    const [guest, other] = await twoServers(setup(ALONE, 0))
    for (let time = 0; time < 2; time++) {
      await sendsWell(other)
      if (time > 0) break
      const read = once(guest.socket, 'ping')
      guest.socket.send(randomBytes(4 * MIB))
      guest.peer.write(control('server', PING), compressed('server', Buffer.alloc(8 * MIB)))
      await read
      guest.socket.terminate()
    }
  })
})

describe('the workload of a server', () => {
  test('within a turn only so much is done at once; the next turn begins anew', async () => {
    const workload = new Workload(32_768)
    expect(workload.atOnce).toBe(32_768)
    workload.spend(MIB / 2, 2 * MIB)
    expect(workload.atOnce).toBe(4096)
    await new Promise(setImmediate)
    expect(workload.atOnce).toBe(32_768)
    const small = new Workload(100)
    small.spend(2 * MIB, 0)
    expect(small.atOnce).toBe(100)
  })

  test('jobs run in their order, a few at a time; one that was cancelled does not start', () => {
    const workload = new Workload(0)
    const started: number[] = []
    const ends: (() => void)[] = []
    const jobs = Array.from({ length: 9 }, (_, index) => ({
      cancelled: false,
      doNow: undefined,
      start(ended: () => void) {
        started.push(index)
        ends.push(ended)
      },
    }))
    for (const job of jobs satisfies Job[]) workload.add(job)
    const atOnce = started.length
    expect(atOnce).toBeLessThan(5)
    ;(jobs[atOnce] as { cancelled: boolean }).cancelled = true
    for (let end = ends.shift(); end !== undefined; end = ends.shift()) end()
    expect(started).toEqual(jobs.map((_, index) => index).filter((index) => index !== atOnce))
  })

  test('what waits for budget alone comes first in the next turn, before anything is read', async () => {
    const workload = new Workload(32_768)
    const done: string[] = []
    const job = (name: string, doNow?: () => boolean): Job => ({
      cancelled: false,
      doNow,
      start: () => void done.push(`${name} started`),
    })
    const now =
      (name: string, does = true) =>
      () => {
        done.push(name)
        workload.spend(MIB / 2, 0)
        return does
      }
    workload.spend(MIB, 0)
    workload.add(job('large')) // takes the only place, or one of them
    const places = 4
    for (let left = places; left > 0; left--) workload.add(job('another'))
    for (const name of ['a', 'b', 'c']) workload.add(job(name, now(name)))
    workload.add({ ...job('cancelled', now('cancelled')), cancelled: true })
    workload.add(job('given up', now('given up', false)))
    done.length = 0
    await new Promise(setImmediate)
    expect(done).toEqual(['a', 'b'])
    await new Promise(setImmediate)
    expect(done).toEqual(['a', 'b', 'c', 'given up'])
    expect(workload.atOnce).toBe(4096)
  })
})

test('Node heeds dictionaries: nothing is fed in their place', () => {
  expect(feedFor(Buffer.from(TEXT))).toHaveLength(0)
})
