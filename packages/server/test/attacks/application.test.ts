// What an application does to itself while a peer attacks: calls at the wrong moment, options that make no sense, views that
// mislead, handlers that throw. Nothing of it throws where it must not, and nothing gets onto the wire that nobody sent.

import { once } from 'node:events'
import net from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Handlers, type WebSocketConnection, WebSocketServer } from '@ws/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { clientFrame, RawClient, textFrame, upgradeRequest } from '../support/raw-client.ts'
import { open, portOf, serve } from '../support/servers.ts'
import { attacked, Bystander } from './support/bystander.ts'
import { BYSTANDER_PATH } from './support/bystander-path.ts'
import { BINARY, CLOSE, closePayload, frame, PING, PONG, TEXT } from './support/wire.ts'

/** Takes note of what would end a process, in place of the test's own listeners. */
function uncaught(): unknown[] {
  const seen: unknown[] = []
  const note = (error: unknown) => void seen.push(error)
  const events = ['uncaughtException', 'unhandledRejection'] as const
  for (const event of events) {
    const listeners = process.listeners(event as 'uncaughtException')
    process.removeAllListeners(event)
    process.on(event as 'uncaughtException', note)
    onTestFinished(() => {
      process.off(event, note)
      for (const listener of listeners) process.on(event as 'uncaughtException', listener)
    })
  }
  return seen
}

describe('[L8] the application goes on while the peer resets', () => {
  type Action = (socket: WebSocketConnection) => unknown
  const ACTIONS: [string, Action][] = [
    ['send', (socket) => socket.send('x'.repeat(1_000))],
    ['send of much', (socket) => socket.send(Buffer.alloc(400_000))],
    ['send of a Blob', (socket) => socket.send(new Blob(['x']))],
    ['an ignored ping()', (socket) => void socket.ping()],
    ['an ignored drained()', (socket) => [socket.send(Buffer.alloc(400_000)), void socket.drained()]],
    ['close()', (socket) => void socket.close(1000)],
    ['terminate()', (socket) => socket.terminate()],
  ]
  const all: Action = (socket) => ACTIONS.map(([, action]) => action(socket))

  test.each([...ACTIONS, ['all of it', all] as [string, Action]])('with %s, fifty times', async (_, action) => {
    const faults = uncaught()
    const ends: Promise<unknown>[] = []
    /** Now, in the turns in which the reset comes, and when all is over. */
    const act = async (socket: WebSocketConnection) => {
      for (let turn = 0; turn < 5; turn++) {
        action(socket)
        await nextTurn()
      }
      await socket.closed
      action(socket)
    }
    const { server, port, bystander } = await attacked()
    server.on('connection', (socket) => ends.push(act(socket)))
    for (let count = 0; count < 50; count++) {
      const socket = net.connect({ port, host: '127.0.0.1' }).on('error', () => {})
      await once(socket, 'connect')
      const opened = once(server, 'connection')
      socket.write(upgradeRequest())
      await opened
      socket.resetAndDestroy()
    }
    await Promise.all(ends)
    await nextTurn()
    expect([faults, ends.length]).toEqual([[], 50])
    await bystander.unharmed()
  })
})

describe('limits that make no sense are refused before anything is opened; those that do are documented', () => {
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
  const BYTES = ['highWaterMark', 'maxBackpressure', 'maxReadAhead', 'maxFragments', 'concurrency']
  const CAPPED = [
    'maxPayload',
    'messageTimeout',
    'closeTimeout',
    'handshakeTimeout',
    'heartbeat.interval',
    'heartbeat.timeout',
  ]
  const THRESHOLD = 'perMessageDeflate.threshold'
  const optionOf = (name: string, value: number) => {
    const [outer = '', inner] = name.split('.')
    return { [outer]: inner === undefined ? value : { [inner]: value } }
  }
  const make = (name: string, value: number) => () => new WebSocketServer({ noServer: true, ...optionOf(name, value) })

  test.each([...BYTES, ...CAPPED, THRESHOLD])('%s: NaN, -1 and Infinity', (name) => {
    for (const value of [nan, -1, infinity, -infinity]) {
      expect(make(name, value)).toThrow(
        expect.objectContaining({
          code: 'USAGE',
          message: expect.stringContaining(`option ${name} must be an integer`),
        }),
      )
    }
  })

  test.each(CAPPED)('%s: 2^31 is more than a timer or a string can be', (name) => {
    expect(make(name, 2 ** 31)).toThrow(`option ${name} must be an integer`)
  })

  test.each([...BYTES, THRESHOLD])('%s: 2^31 is what it says', (name) => {
    expect(make(name, 2 ** 31)).not.toThrow()
  })
})

describe('[L22] exactly the bytes that were given are sent', () => {
  const SECRET = 0xee
  const memory = Uint8Array.from({ length: 64 }, (_, index) => index + 1)
  const bytes = (start: number, end: number) => Buffer.from(memory.subarray(start, end))

  test.each<[string, Uint8Array, Buffer]>([
    ['a Uint16Array', new Uint16Array(memory.buffer, 2, 3) as never, bytes(2, 8)],
    ['a Float64Array', new Float64Array(memory.buffer, 8, 2) as never, bytes(8, 24)],
    ['a BigInt64Array', new BigInt64Array(memory.buffer, 0, 1) as never, bytes(0, 8)],
    ['a DataView', new DataView(memory.buffer, 5, 3) as never, bytes(5, 8)],
    ['a part of a part', memory.subarray(10, 40).subarray(3, 5), bytes(13, 15)],
    ['an empty part', memory.subarray(7, 7), Buffer.alloc(0)],
    ['a part of the pool', Buffer.from('abc'), Buffer.from('abc')],
  ])('of %s, as message and as ping', async (_, view, payload) => {
    const { client, socket } = await open(await serve())
    socket.send(view)
    void socket.ping(view)
    expect([await client.frame(), await client.frame()]).toEqual([
      { first: BINARY, payload },
      { first: PING, payload },
    ])
  })

  test.each([[42], [[1, 2]], [{ length: 100 }], [null]])('of %j there are none', async (given) => {
    const { socket } = await open(await serve())
    expect(() => socket.send(given as never)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(() => socket.ping(given as never)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(() => socket.close(1000, given as never)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test('and never what lies around them: memory is full of secrets, the wire has none', async () => {
    const server = await serve({ maxBackpressure: 2 ** 30 })
    const [{ client, socket }, other] = [await open(server), await open(server)]
    other.client.socket.removeAllListeners('data').resume()
    const expected: Buffer[] = []
    const sent = (first: number, payload: string | Uint8Array) => void expected.push(frame('client', first, payload))
    const edges = [125, 126, 1_023, 4_096, 8_192, 16_384, 65_526, 65_536, 131_072]
    const sizes = [...Array(64).keys(), ...edges.flatMap((edge) => [edge - 1, edge, edge + 1])]
    for (const size of sizes) {
      await poison(other.socket)
      for (const text of ['a', 'é', '\ud800', '😀'].map((unit) => unit.repeat(size / unit.length))) {
        socket.send(text)
        sent(TEXT, text)
      }
      socket.send(Buffer.alloc(size, 1))
      sent(BINARY, Buffer.alloc(size, 1))
      if (size > 125) continue
      void socket.ping('p'.repeat(size))
      sent(PING, 'p'.repeat(size))
    }
    await poison(other.socket)
    void socket.close(3000, 'ä reason')
    sent(CLOSE, closePayload(3000, 'ä reason'))
    const wire = Buffer.concat(expected)
    expect((await client.read(wire.length)).equals(wire)).toBe(true)
  })

  /** Fills memory that is given back at once: the pool of Node, the heap, and what frames are put together in. */
  async function poison(other: WebSocketConnection): Promise<void> {
    for (let count = 0; count < 4; count++) other.send(Buffer.alloc(16_000, SECRET))
    await nextTurn()
    for (let size = 1; size <= 131_072; size *= 2) {
      Buffer.allocUnsafe(size).fill(SECRET)
      Buffer.allocUnsafeSlow(size).fill(SECRET)
    }
  }
})

describe('an exception in the code of the application surfaces, once, and the parser goes on', () => {
  const MESSAGES = Array.from({ length: 100 }, (_, index) => `${index}`)
  test('of a handler', async () => {
    const faults = uncaught()
    const handler: Handlers['message'] = (socket, data) => {
      socket.send(data)
      if (socket.data !== BYSTANDER_PATH) throw new Error(`handler of ${data}`)
    }
    const { port, bystander } = await attacked({ authenticate: ({ url }) => ({ data: url }) }, { message: handler })
    const client = await RawClient.connect(port)
    await client.upgrade()
    client.write(...MESSAGES.map(textFrame))
    for (const message of MESSAGES) expect(await client.text()).toBe(message)
    await bystander.unharmed()
    expect(faults).toEqual(MESSAGES.map((message) => new Error(`handler of ${message}`)))
  })

  test('of listeners of messages, pings and the connection', async () => {
    const faults = uncaught()
    const server = await serve()
    server.on('connection', (socket, { url }) => {
      socket.on('message', (data) => {
        socket.send(data)
        if (url !== BYSTANDER_PATH) throw new Error('message')
      })
      socket.on('ping', () => {
        throw new Error('ping')
      })
      if (url !== BYSTANDER_PATH) throw new Error('connection')
    })
    const bystander = await Bystander.join(portOf(server))
    const client = await RawClient.connect(portOf(server))
    await client.upgrade()
    client.write(textFrame('a'), clientFrame(9, 'b'), textFrame('c'))
    expect([await client.text(), await client.frame(), await client.text()]).toEqual([
      'a',
      { first: PONG, payload: Buffer.from('b') },
      'c',
    ])
    await bystander.unharmed()
    expect(faults.map(String)).toEqual(['connection', 'message', 'ping', 'message'].map((why) => `Error: ${why}`))
  })

  test('of a promise that is rejected, which also closes with 1011', async () => {
    const faults = uncaught()
    const message = async (socket: WebSocketConnection, data: string | Buffer) => {
      if (socket.data !== BYSTANDER_PATH) throw new Error('rejected')
      socket.send(data)
    }
    const { port, bystander } = await attacked({ authenticate: ({ url }) => ({ data: url }) }, { message })
    const client = await RawClient.connect(port)
    await client.upgrade()
    client.write(textFrame('a'))
    expect(await client.closeCode()).toBe(1011)
    await client.rest()
    await bystander.unharmed()
    expect(faults).toEqual([new Error('rejected')])
  })
})
