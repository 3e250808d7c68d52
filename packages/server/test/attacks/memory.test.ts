// Attacks on memory, against processes that do nothing else, at both ends: what an attack costs is measured outside, and a
// bystander goes on talking with the server meanwhile. The bounds are far over what a run takes and far under what it would
// take to keep what the attacker sends.

import { once } from 'node:events'
import net from 'node:net'
import { constants, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { upgradeRequest } from '../support/raw-client.ts'
import { portOf } from '../support/servers.ts'
import { Bystander } from './support/bystander.ts'
import type { Setup } from './support/victim.ts'
import { attacker, pour, readHead, switching, Victim } from './support/victims.ts'
import { BEGIN, BINARY, CLOSE, closePayload, frame, longHeader, MORE, PING, RSV1, repeated } from './support/wire.ts'

const MIB = 1024 * 1024
/** For 1 GB: messages that were dropped are garbage first. */
const FLOOD_BOUND = 384 * MIB
/** For attacks with a quarter of that, or inflated. */
const BOUND = 96 * MIB
/** For those with some 50 MB. */
const LOW_BOUND = 40 * MIB
const LAST = 0x80

/** Slow machines have time: what is measured here is memory. */
const PATIENT = { timeout: 60_000 }

type Attack = (victim: Victim, meanwhile: () => Promise<void>) => Promise<void>

/** Has a victim attacked; yields how much memory it took since it was started. At a server, a bystander must not notice. */
async function growthOf(victim: Victim, attack: Attack): Promise<number> {
  const bystander = victim.role === 'server' ? await Bystander.join(victim.port) : undefined
  /** Gives the victim the time that many round trips take. */
  const meanwhile = async () => {
    for (let round = 0; round < 20; round++) await victim.memory()
    await bystander?.goesOn(50)
  }
  await attack(victim, meanwhile)
  const { growth } = await victim.memory()
  await bystander?.unharmed()
  return growth
}

/** The same with a process for this attack alone. */
async function growthAlone(setup: Setup, attack: Attack): Promise<number> {
  const victim = await Victim.start(setup)
  onTestFinished(() => victim.dispose())
  return await growthOf(victim, attack)
}

describe.each(['server', 'client'] as const)('at the %s', PATIENT, (role) => {
  test('a peer that stops reading while the application sends 1 GB is ended, past maxBackpressure', async () => {
    const growth = await growthAlone({ role, behaviour: 'flood' }, async (victim) => {
      await attacker(victim)
      expect(await victim.next('closed')).toEqual({ code: 1006, cause: 'SLOW_CONSUMER' })
      const { sent, dropped } = await victim.next('flooded')
      expect([sent + dropped, sent < 64]).toEqual([1024, true])
    })
    expect(growth).toBeLessThan(FLOOD_BOUND)
  })

  test("… or, with slowConsumer 'drop', misses what it does not take", async () => {
    const options = { slowConsumer: 'drop' } as const
    const growth = await growthAlone({ role, behaviour: 'flood', options }, async (victim) => {
      const peer = await attacker(victim)
      const { sent, dropped } = await victim.next('flooded')
      expect([sent + dropped, sent < 64]).toEqual([1024, true])
      peer.resetAndDestroy()
      expect((await victim.next('closed')).code).toBe(1006)
    })
    expect(growth).toBeLessThan(FLOOD_BOUND)
  })

  test('a consumer that is slower than the sender holds it back', async () => {
    const growth = await growthAlone({ role, behaviour: 'stuck' }, async (victim, meanwhile) => {
      const peer = await attacker(victim)
      peer.resume()
      const message = frame(role, BINARY, Buffer.alloc(MIB))
      for (let count = 0; count < 256; count++) peer.write(message)
      await meanwhile()
      expect(peer.writableLength).toBeGreaterThan(192 * MIB)
    })
    expect(growth).toBeLessThan(BOUND)
  })

  test('endless fragments cost no memory each, if nothing ends them', async () => {
    const growth = await growthAlone({ role, options: { maxFragments: Number.MAX_SAFE_INTEGER } }, async (victim) => {
      const peer = await attacker(victim)
      peer.resume()
      peer.write(frame(role, BEGIN))
      await pour(peer, repeated(frame(role, MORE), 10_000), 300)
      peer.resetAndDestroy()
      expect((await victim.next('closed')).code).toBe(1006)
    })
    expect(growth).toBeLessThan(LOW_BOUND)
  })
})

describe.each(['server', 'client'] as const)('at the %s, one after the other', PATIENT, (role) => {
  let victim: Victim
  beforeAll(async () => {
    victim = await Victim.start({ role, options: { messageTimeout: 500, perMessageDeflate: true } })
  }, PATIENT.timeout)
  afterAll(() => victim.dispose())

  test('a flood of pings from a peer that never reads', async () => {
    const growth = await growthOf(victim, async () => {
      const peer = await attacker(victim)
      await pour(peer, repeated(frame(role, PING, 'x'.repeat(125)), 1_000), 400)
      peer.resetAndDestroy()
      expect((await victim.next('closed')).code).toBe(1006)
    })
    expect(growth).toBeLessThan(LOW_BOUND)
  })

  test('endless fragments of 0 bytes, and of 1 byte, are ended past maxFragments', async () => {
    const growth = await growthOf(victim, async () => {
      for (const payload of ['', 'x']) {
        const peer = await attacker(victim)
        peer.resume()
        peer.write(frame(role, BEGIN, payload))
        await pour(peer, repeated(frame(role, MORE, payload), 1_000), 200)
        peer.end()
        expect(await victim.next('closed')).toEqual({ code: 1008, cause: 'TOO_MANY_FRAGMENTS' })
      }
    })
    expect(growth).toBeLessThan(LOW_BOUND)
  })

  test('a hundred frames of 16 MiB that are begun and not sent', async () => {
    const growth = await growthOf(victim, async () => {
      const begun = longHeader(role, BINARY, '0000000001000000')
      for (let count = 0; count < 100; count++) {
        const peer = await attacker(victim)
        peer.resume().on('end', () => peer.end())
        peer.write(Buffer.concat([begun, Buffer.alloc(role === 'server' ? 5 : 1)]))
      }
      for (let count = 0; count < 100; count++) {
        expect(await victim.next('closed')).toEqual({ code: 1008, cause: 'MESSAGE_TIMEOUT' })
      }
    })
    expect(growth).toBeLessThan(LOW_BOUND)
  })

  test('a bomb of 1 GiB, in one frame or split in a hundred, is ended at the limit', async () => {
    const bomb = bombOf(1024)
    const size = Math.ceil(bomb.length / 100)
    const growth = await growthOf(victim, async () => {
      const whole = await attacker(victim, 'permessage-deflate')
      whole.resume().end(frame(role, BINARY | RSV1, bomb))
      expect(await victim.next('closed')).toEqual({ code: 1009, cause: 'MESSAGE_TOO_BIG' })
      const split = await attacker(victim, 'permessage-deflate')
      split.resume()
      for (let index = 0; index < 100; index++) {
        const piece = bomb.subarray(index * size, (index + 1) * size)
        split.write(frame(role, index === 0 ? BEGIN | RSV1 : index === 99 ? LAST : MORE, piece))
      }
      split.end()
      expect(await victim.next('closed')).toEqual({ code: 1009, cause: 'MESSAGE_TOO_BIG' })
    })
    expect(growth).toBeLessThan(BOUND)
  })
})

/** What a process that has just been started grows by for one connection and one message, besides the message. */
const ROOM = 16 * MIB
/** In what pieces output is made. */
const CHUNK = 64 * 1024
/** Of bombs of 16 MiB at most four are inflated at a time, and as many wait to be collected; all at once they are 1.6 GiB. */
const JOBS_BOUND = 192 * MIB

describe.each(['server', 'client'] as const)(
  'a bomb costs the %s no more than maxPayload and a chunk',
  PATIENT,
  (role) => {
    test.each([
      ['inflated at once', MIB, 6 * MIB, 0],
      ['inflated in the thread pool', 0, 64 * MIB, 0],
      ['begun at once, up to eight times syncLimit, and inflated in the pool', MIB, 64 * MIB, 8 * MIB],
    ])('%s', async (_, syncLimit, maxPayload, begun) => {
      const bomb = frame(role, BINARY | RSV1, bombOf(512))
      const options = { maxPayload, perMessageDeflate: { syncLimit } }
      const growth = await growthAlone({ role, options }, async (victim) => {
        const peer = await attacker(victim, 'permessage-deflate')
        peer.resume().end(bomb)
        expect(await victim.next('closed')).toEqual({ code: 1009, cause: 'MESSAGE_TOO_BIG' })
      })
      expect(growth).toBeLessThan(maxPayload + begun + CHUNK + bomb.length + ROOM)
    })
  },
)

test.each([0, 32 * 1024])('bombs of a hundred peers at once, syncLimit %i', PATIENT, async (syncLimit) => {
  const bomb = frame('server', BINARY | RSV1, bombOf(32))
  const options = { maxPayload: 16 * MIB, perMessageDeflate: { syncLimit } }
  const growth = await growthAlone({ role: 'server', options }, async (victim) => {
    const peers: net.Socket[] = []
    for (let left = 100; left > 0; left--) peers.push(await attacker(victim, 'permessage-deflate'))
    for (const peer of peers) peer.resume().end(bomb)
    for (let left = peers.length; left > 0; left--) {
      expect(await victim.next('closed')).toEqual({ code: 1009, cause: 'MESSAGE_TOO_BIG' })
    }
  })
  expect(growth).toBeLessThan(JOBS_BOUND)
})

/** How far an attacker goes before it resets. */
type Stage = [name: string, reset: (socket: net.Socket) => unknown]

/** What a heap that has reached its size may still grow by: a thousand leaks of 2 KiB are more. */
const SLACK = 2 * MIB

describe('a reset, a thousand times', PATIENT, () => {
  const PENDING = 'GET /pending HTTP/1.1'
  const partOf = (text: string) => text.slice(0, 60)
  const frames = Buffer.concat([frame('server', 0x81, 'x'), frame('server', CLOSE, closePayload(1000))])
  const STAGES: Stage[] = [
    ['before the request', () => {}],
    ['within the request', (socket) => written(socket, partOf(upgradeRequest()))],
    ['while the upgrade is pending', (socket) => written(socket, upgradeRequest({ start: PENDING }))],
    ['… after early frames', (socket) => written(socket, upgradeRequest({ start: PENDING }), frames)],
    ['while the upgrade is refused', (socket) => written(socket, upgradeRequest({ omit: ['Sec-WebSocket-Key'] }))],
    ['… with a body behind', (socket) => written(socket, upgradeRequest({ add: ['Content-Length: 99999'] }), frames)],
    ['while it is accepted', (socket) => written(socket, upgradeRequest())],
    ['once it is open', async (socket) => [await written(socket, upgradeRequest()), await readHead(socket)]],
    ['within a frame', (socket) => written(socket, upgradeRequest(), frames.subarray(0, 3))],
    ['within the close', (socket) => written(socket, upgradeRequest(), frames)],
  ]

  test('at the server, at every stage of an upgrade: nothing is left of it', async () => {
    const victim = await Victim.start({ role: 'server', pendingPath: '/pending' })
    onTestFinished(() => victim.dispose())
    const bystander = await Bystander.join(victim.port)
    await resetAll(victim.port, STAGES, 10)
    await bystander.goesOn(20)
    const before = await victim.memory()
    await resetAll(victim.port, STAGES, 100)
    await bystander.goesOn(20)
    const { held, handles } = await victim.memory()
    expect(held - before.held).toBeLessThan(SLACK)
    expect(handles).toBe(before.handles)
    await bystander.unharmed()
  })

  test('at the client, at every stage of the answer: nothing is left of it', async () => {
    const body = 'HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nab'
    const answers: ((socket: net.Socket) => unknown)[] = [
      () => {},
      async (socket) => await readHead(socket),
      async (socket) => [await readHead(socket), await written(socket, 'HTTP/1.1 10')],
      async (socket) => [await readHead(socket), await written(socket, partOf(switching('')))],
      async (socket) => await written(socket, switching(await readHead(socket))),
      async (socket) => await written(socket, switching(await readHead(socket)), Buffer.of(0x82, 5, 1)),
      async (socket) => await written(socket, switching(await readHead(socket)), Buffer.of(CLOSE, 0)),
      async (socket) => [await readHead(socket), await written(socket, body)],
    ]
    let count = 0
    const server = net.createServer(async (socket) => {
      socket.on('error', () => {})
      await answers[count++ % answers.length]?.(socket)
      socket.resetAndDestroy()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
    const victim = await Victim.start({ role: 'client' })
    onTestFinished(() => victim.dispose())
    victim.dial(portOf(server), 100)
    await victim.next('dialled')
    const before = await victim.memory()
    victim.dial(portOf(server), 1_000)
    const outcomes = await victim.next('dialled')
    const { held, handles } = await victim.memory()
    expect(held - before.held).toBeLessThan(SLACK)
    expect(handles).toBe(before.handles)
    expect(Object.values(outcomes).reduce((sum, times) => sum + times)).toBe(1_000)
    expect(Object.keys(outcomes).filter((code) => !/^(CONNECT_FAILED|HANDSHAKE_STATUS|1005|1006)$/.test(code))).toEqual(
      [],
    )
  })
})

/** Resets so many connections, at each of the stages. */
async function resetAll(port: number, stages: readonly Stage[], times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    await Promise.all(
      stages.map(async ([, reach]) => {
        const socket = net.connect({ port, host: '127.0.0.1' })
        socket.on('error', () => {})
        await once(socket, 'connect')
        await reach(socket)
        const closed = once(socket, 'close')
        socket.resetAndDestroy()
        await closed
      }),
    )
  }
}

/** Writes; resolves once the operating system has it. */
function written(socket: net.Socket, ...parts: (string | Uint8Array)[]): Promise<void> {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  return new Promise((resolve) => socket.write(bytes, () => resolve()))
}

/** So many MiB of zeros, deflated: one piece, compressed for itself, again and again. */
function bombOf(mib: number): Buffer {
  const piece = deflateRawSync(Buffer.alloc(16 * MIB), { finishFlush: constants.Z_FULL_FLUSH })
  return repeated(piece, mib / 16).subarray(0, -4)
}
