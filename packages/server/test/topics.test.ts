// `socket.subscribe` and `server.publish` over real sockets; packages/protocol has the tests of each rule.

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from '@ws/client'
import { type ServerOptions, type WebSocketConnection, WebSocketServer } from '@ws/server'
import { expect, onTestFinished, test } from 'vitest'
import { closeFrame, RawClient } from './support/raw-client.ts'
import { connection, httpServer, open, portOf, serve, until } from './support/servers.ts'

/** What the tests' clients say when they come: the topics that they want. */
const SUBSCRIBE = {
  message: (socket: WebSocketConnection, topics: string | Buffer) => {
    for (const topic of String(topics).split(',')) socket.subscribe(topic)
    socket.send('subscribed')
  },
}

interface Subscriber {
  readonly client: WebSocketConnection
  readonly socket: WebSocketConnection
  readonly messages: (string | Buffer)[]
}

async function subscriber(server: WebSocketServer, topics: string): Promise<Subscriber> {
  const opened = connection(server)
  const client = await connect(`ws://127.0.0.1:${portOf(server)}`)
  const messages: (string | Buffer)[] = []
  client.on('message', (data) => void messages.push(data))
  client.send(topics)
  await once(client, 'message')
  messages.pop()
  return { client, socket: (await opened).socket, messages }
}

/** The server's Close comes behind what it has sent. */
async function heard(server: WebSocketServer, ...subscribers: Subscriber[]): Promise<unknown[]> {
  await server.close()
  await Promise.all(subscribers.map(({ client }) => client.closed))
  return subscribers.map(({ messages }) => messages)
}

test('whoever subscribes gets what is published, except the one it comes from', async () => {
  const server = await serve({}, SUBSCRIBE)
  const [a, b, both] = [
    await subscriber(server, 'a'),
    await subscriber(server, 'b'),
    await subscriber(server, 'a,b'),
  ] as const
  expect(server.subscribers('a')).toEqual([a.socket, both.socket])
  expect([
    server.publish('a', 'to a'),
    server.publish('b', Buffer.of(1, 2), { except: both.socket }),
    server.publish('c', 'nobody'),
    server.broadcast('to all but one', { except: a.socket }),
  ]).toEqual([2, 1, 0, 2])
  expect(both.socket.unsubscribe('a')).toBe(true)
  expect([server.publish('a', Buffer.from('text'), { binary: false }), server.subscribers('a').length]).toEqual([1, 1])
  expect(await heard(server, a, b, both)).toEqual([
    ['to a', 'text'],
    [Buffer.of(1, 2), 'to all but one'],
    ['to a', 'to all but one'],
  ])
})

test('subscriptions end with the connection: nothing is left of 200 that come and go', async () => {
  const server = await serve({}, { open: (socket) => void socket.subscribe('all') })
  const port = portOf(server)
  const ends = ['close', 'reset', 'end'] as const
  for (let round = 0; round < 4; round++) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(port)))
    await Promise.all(clients.map((client) => client.upgrade()))
    expect(server.publish('all', 'hello')).toBe(50)
    for (const [index, client] of clients.entries()) {
      const end = ends[index % 3]
      if (end === 'reset') client.reset()
      else if (end === 'end') client.socket.end()
      else client.write(closeFrame(1000))
    }
    await until(() => server.stats().connections === 0)
    expect([server.stats().subscriptions, server.stats().topics]).toEqual([0, 0])
  }
  expect(server.publish('all', 'late')).toBe(0)
})

test('also for requests that are passed by hand, and not beyond the server', async () => {
  const shared = await httpServer()
  const [one, two] = [new WebSocketServer({ noServer: true }), new WebSocketServer({ noServer: true })]
  onTestFinished(async () => {
    await Promise.all([one, two].map((server) => server.close({ timeout: 0 })))
  })
  shared.on('upgrade', (request: IncomingMessage, socket, head) => {
    void (request.url === '/one' ? one : two).handleUpgrade(request, socket, head)
  })
  for (const server of [one, two]) server.on('connection', (socket) => void socket.subscribe('a'))
  const { port } = shared.address() as { port: number }
  const client = await connect(`ws://127.0.0.1:${port}/one`)
  await connect(`ws://127.0.0.1:${port}/two`)
  expect([one.publish('a', 'news'), two.subscribers('a').length]).toEqual([1, 1])
  expect((await once(client, 'message'))[0]).toBe('news')
})

test('after the server has closed: to nobody', async () => {
  const server = await serve({}, SUBSCRIBE)
  const one = await subscriber(server, 'a')
  const closed = heard(server, one)
  expect(server.publish('a', 'too late')).toBe(0)
  expect(await closed).toEqual([[]])
  expect([server.publish('a', 'nobody'), server.stats().topics]).toEqual([0, 0])
})

test('compressed once: the same bytes for all that agreed on the same, plain ones for the others', async () => {
  const server = await serve(
    { perMessageDeflate: { serverNoContextTakeover: true } },
    { open: (socket) => void socket.subscribe('a') },
  )
  const offers = ['permessage-deflate', 'permessage-deflate', 'permessage-deflate; server_max_window_bits=9', undefined]
  const clients: RawClient[] = []
  for (const offer of offers) {
    const client = await RawClient.connect(portOf(server))
    await client.upgrade({ add: offer === undefined ? [] : [`Sec-WebSocket-Extensions: ${offer}`] })
    clients.push(client)
  }
  const text = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id}` })))
  expect([server.publish('a', text), server.publish('a', text, { compress: false })]).toEqual([4, 4])
  const all = await Promise.all(clients.map(async (client) => [await client.frame(), await client.frame()] as const))
  const [first, second, narrow, plain] = all.map(([frame]) => frame)
  expect([first?.first, narrow?.first, plain?.first]).toEqual([0xc1, 0xc1, 0x81])
  expect(second).toEqual(first)
  expect(narrow?.payload).not.toEqual(first?.payload)
  expect(plain?.payload.toString()).toBe(text)
  for (const [, frame] of all) expect([frame.first, frame.payload.toString()]).toEqual([0x81, text])
})

test.each<[ServerOptions['slowConsumer'], number]>([
  ['close', 3],
  ['drop', 1],
])('slowConsumer %j: one that does not read costs the others nothing', async (slowConsumer, readyState) => {
  const maxBackpressure = 1024 * 1024
  const server = await serve({ maxBackpressure, slowConsumer, heartbeat: false }, SUBSCRIBE)
  const { client: slow, socket } = await open(server)
  socket.subscribe('a')
  slow.socket.pause()
  const others = [await subscriber(server, 'a'), await subscriber(server, 'a')]
  const message = Buffer.alloc(256 * 1024, 7)
  let published = 0
  let given = 3
  while (given === 3) {
    given = server.publish('a', message)
    if (++published > 1_000) throw new Error('the limit never held')
    await until(() => others.every(({ messages }) => messages.length === published))
  }
  expect([given, socket.stats().dropped]).toEqual([2, 1])
  expect(socket.bufferedAmount).toBeLessThanOrEqual(maxBackpressure + 10 + message.length)
  if (slowConsumer === 'close') {
    expect(await socket.closed).toMatchObject({ code: 1006, initiator: 'local', cause: { code: 'SLOW_CONSUMER' } })
  }
  expect(server.publish('a', 'on we go')).toBe(2)
  expect([socket.readyState, server.stats().subscriptions]).toEqual([readyState, readyState === 3 ? 2 : 3])
  await until(() => others.every(({ messages }) => messages.length === published + 1))
  for (const { messages } of others) {
    expect(messages.slice(0, -1).every((received) => message.equals(received as Buffer))).toBe(true)
    expect(messages.at(-1)).toBe('on we go')
  }
  slow.reset()
})
