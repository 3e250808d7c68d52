// Topics: who gets what is published, and that nothing is left of a subscription that is over.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BroadcastOptions } from '../../src/node/broadcast.ts'
import type { Handlers, WebSocketConnection } from '../../src/node/connection.ts'
import { connectPair, type PairedEnd } from '../../src/node/pair.ts'
import { Topics } from '../../src/node/topics.ts'
import { collect, connected } from './support/connections.ts'

type Socket = WebSocketConnection<number>

/** So many connections of one server, each with its number as data. */
function several(count: number, end: Omit<PairedEnd<number>, 'topics' | 'data'> = {}) {
  const topics = new Topics<number>()
  const pairs = Array.from({ length: count }, (_, data) => connectPair({ server: { ...end, data, topics } }))
  onTestFinished(async () => {
    await Promise.all(pairs.map((pair) => pair[Symbol.asyncDispose]()))
  })
  return { topics, servers: pairs.map(({ server }) => server), clients: pairs.map(({ client }) => client) }
}

/** What a client has got by now: a ping's answer comes behind it. */
async function heard(client: WebSocketConnection, server: WebSocketConnection<number>): Promise<unknown[]> {
  const messages: unknown[] = []
  client.on('message', (message) => void messages.push(message))
  await server.ping()
  return messages
}

describe('subscriptions', () => {
  test('are told as new once, and are gone once', () => {
    const { servers, topics } = several(1)
    const [socket] = servers as [Socket]
    expect([...socket.topics]).toEqual([])
    expect([socket.subscribe('a'), socket.subscribe('a'), socket.subscribe('b')]).toEqual([true, false, true])
    expect([[...socket.topics], topics.size, topics.subscriptions]).toEqual([['a', 'b'], 2, 2])
    expect([socket.unsubscribe('a'), socket.unsubscribe('a'), socket.unsubscribe('never')]).toEqual([
      true,
      false,
      false,
    ])
    expect([[...socket.topics], topics.size, topics.subscriptions]).toEqual([['b'], 1, 1])
  })

  test('topics is a copy: to change it changes nothing, and one may unsubscribe while going over it', () => {
    const { servers, topics } = several(1)
    const [socket] = servers as [Socket]
    for (const topic of ['a', 'b', 'c']) socket.subscribe(topic)
    ;(socket.topics as Set<string>).clear()
    expect(socket.topics.size).toBe(3)
    for (const topic of socket.topics) socket.unsubscribe(topic)
    expect([socket.topics.size, topics.size]).toEqual([0, 0])
  })

  test.each(['__proto__', ' ', '\ud800', '\u0000', 'a/b#+*', '日本', 'x'.repeat(100_000)])(
    'any text that is not empty is a topic: %j',
    async (topic) => {
      const { servers, clients, topics } = several(1)
      const [socket] = servers as [Socket]
      expect(socket.subscribe(topic)).toBe(true)
      expect([...socket.topics]).toEqual([topic])
      expect([topics.publish(topic, 'news'), topics.publish(`${topic} `, 'other')]).toEqual([1, 0])
      expect(await heard(clients[0] as WebSocketConnection, socket)).toEqual(['news'])
    },
  )

  test.each([
    ['', '""'],
    [undefined, 'undefined'],
    [7, '7'],
    [['a'], 'an instance of Array'],
  ])('%j is none, and that is said', (topic, shown) => {
    const { servers, topics } = several(1)
    const [socket] = servers as [Socket]
    const message = `topic must be a non-empty string; got ${shown}`
    expect(() => socket.subscribe(topic as never)).toThrow(message)
    expect(() => socket.unsubscribe(topic as never)).toThrow(message)
    expect(() => topics.publish(topic as never, 'news')).toThrow(message)
    expect(() => topics.subscribers(topic as never)).toThrow(message)
    expect(topics.size).toBe(0)
  })

  test('a connection that is none of a server has none', async () => {
    const { client, dispose } = await connected()
    onTestFinished(dispose)
    expect(() => client.subscribe('a')).toThrow('subscribe() needs a connection of a server: nobody else publishes')
    expect(() => client.unsubscribe('a')).toThrow('unsubscribe() needs a connection of a server')
    expect(client.topics).toEqual(new Set())
  })

  test('a name that was cut out of a message does not keep the message', () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage: () => void = runInNewContext('gc')
    const { servers, topics } = several(1)
    const [socket] = servers as [Socket]
    const size = 256 * 1024 // larger ones are not on the heap
    const count = 64
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < count; index++) {
      const message = Buffer.alloc(size, `subscribe ${index} to everything `).toString('latin1')
      socket.subscribe(message.slice(0, 30))
    }
    collectGarbage()
    expect(topics.size).toBe(count)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan((count / 4) * size)
  })
})

describe('the end of a connection', () => {
  test.each<[string, (server: Socket, client: WebSocketConnection) => void]>([
    ['close()', (server) => void server.close(1000)],
    ['terminate()', (server) => server.terminate()],
    ["the peer's Close", (_, client) => void client.close(1000)],
    ["the peer's loss", (_, client) => client.terminate()],
  ])('%s ends its subscriptions, and no topic is left', async (_, end) => {
    const { servers, clients, topics } = several(2)
    const [first, second] = servers as [Socket, Socket]
    for (const topic of ['a', 'b']) first.subscribe(topic)
    second.subscribe('b')
    end(first, clients[0] as WebSocketConnection)
    await first.closed
    expect([topics.size, topics.subscriptions, topics.subscribers('b')]).toEqual([1, 1, [second]])
    expect([topics.publish('a', 'late'), topics.publish('b', 'late')]).toEqual([0, 1])
    expect(first.stats().dropped).toBe(0)
  })

  test('the handler and the event close still know what they were, and nobody after them', async () => {
    const seen: unknown[] = []
    const handlers: Handlers<number> = {
      close: (socket) => {
        seen.push([...socket.topics], socket.subscribe('c'), socket.unsubscribe('a'), topics.publish('a', 'left'))
      },
    }
    const { servers, topics } = several(1, { handlers })
    const [socket] = servers as [Socket]
    socket.on('close', () => void seen.push([...socket.topics]))
    for (const topic of ['a', 'b']) socket.subscribe(topic)
    socket.terminate()
    await socket.closed
    expect(seen).toEqual([['a', 'b'], false, false, 0, ['a', 'b']])
    expect([socket.topics.size, topics.size]).toEqual([0, 0])
  })

  test('a handler that still works on a message keeps nobody subscribed', async () => {
    let finish: () => void = () => {}
    const handlers: Handlers<number> = {
      message: () =>
        new Promise((resolve) => {
          finish = resolve
        }),
    }
    const { servers, clients, topics } = several(1, { handlers })
    const [socket] = servers as [Socket]
    socket.subscribe('a')
    clients[0]?.send('work')
    void clients[0]?.close(1000)
    await socket.closed
    expect([topics.publish('a', 'late'), topics.size, [...socket.topics]]).toEqual([0, 0, ['a']])
    const over = new Promise((resolve) => socket.once('close', resolve))
    finish()
    await over
    expect(socket.topics.size).toBe(0)
  })

  test('one that is closing, or closed, cannot subscribe, and nothing is kept of it', async () => {
    const { servers, topics } = several(1)
    const [socket] = servers as [Socket]
    socket.subscribe('before')
    const closed = socket.close(1000)
    expect([socket.subscribe('a'), topics.publish('before', 'late'), topics.size]).toEqual([false, 0, 1])
    await closed
    expect([socket.subscribe('a'), topics.size, socket.topics.size]).toEqual([false, 0, 0])
  })

  test('a thousand that come and go leave nothing', async () => {
    const topics = new Topics()
    for (let round = 0; round < 10; round++) {
      const pairs = Array.from({ length: 100 }, () => connectPair({ server: { topics } }))
      for (const [index, { server }] of pairs.entries()) {
        server.subscribe('all')
        server.subscribe(`own ${round} ${index}`)
      }
      expect(topics.publish('all', 'hello')).toBe(100)
      await Promise.all(pairs.map((pair) => pair[Symbol.asyncDispose]()))
    }
    expect([topics.size, topics.subscriptions]).toEqual([0, 0])
  })
})

describe('publish', () => {
  test('to those who subscribe, and to nobody else', async () => {
    const { servers, clients, topics } = several(3)
    for (const [index, topic] of ['a', 'b', 'a'].entries()) servers[index]?.subscribe(topic)
    expect([topics.publish('a', 'one'), topics.publish('b', Buffer.of(2)), topics.publish('c', 'none')]).toEqual([
      2, 1, 0,
    ])
    const all = await Promise.all(clients.map((client, index) => heard(client, servers[index] as Socket)))
    expect(all).toEqual([['one'], [Buffer.of(2)], ['one']])
  })

  test('in the order of the sends, across topics too', async () => {
    const { servers, clients, topics } = several(2)
    const [first, second] = servers as [Socket, Socket]
    first.subscribe('a')
    first.subscribe('b')
    second.subscribe('b')
    const received = clients.map((client, index) => collect(client, index === 0 ? 6 : 3))
    first.send('0')
    topics.publish('a', '1')
    topics.publish('b', '2')
    first.send(new Blob(['3']))
    second.send('3')
    topics.publish('b', 'x'.repeat(100_000))
    topics.publish('a', '5')
    expect(await Promise.all(received)).toEqual([
      ['0', '1', '2', Buffer.from('3'), 'x'.repeat(100_000), '5'],
      ['2', '3', 'x'.repeat(100_000)],
    ])
  })

  test('except one, except several, and by a filter', async () => {
    const { servers, clients, topics } = several(4)
    const [first, second, third] = servers as [Socket, Socket, Socket]
    for (const socket of servers) socket.subscribe('a')
    const even: BroadcastOptions<number> = { filter: ({ data }) => data % 2 === 0 }
    expect([
      topics.publish('a', 'but 0', { except: first }),
      topics.publish('a', 'but 0, 1', { except: [first, second] }),
      topics.publish('a', 'but 0, 1, 2', { except: new Set([first, second, third]) }),
      topics.publish('a', 'even', even),
      topics.publish('a', 'even, but 0', { ...even, except: first }),
      topics.publish('a', 'all', { except: [], filter: undefined }),
    ]).toEqual([3, 2, 1, 2, 1, 4])
    const all = await Promise.all(clients.map((client, index) => heard(client, servers[index] as Socket)))
    expect(all).toEqual([
      ['even', 'all'],
      ['but 0', 'all'],
      ['but 0', 'but 0, 1', 'even', 'even, but 0', 'all'],
      ['but 0', 'but 0, 1', 'but 0, 1, 2', 'all'],
    ])
  })

  test.each<[unknown, string]>([
    [true, 'options must be an object; got true'],
    [null, 'options must be an object; got null'],
    [{ filter: 'all' }, 'option filter must be a function; got "all"'],
    [{ filter: async () => false }, 'the answer of option filter must be a boolean; got an instance of Promise'],
    [{ except: 'me' }, 'option except must be a connection, or an iterable of connections; got "m"'],
    [{ except: 7 }, 'option except must be a connection, or an iterable of connections; got 7'],
    [{ except: null }, 'option except must be a connection, or an iterable of connections; got null'],
    [{ except: {} }, 'option except must be a connection, or an iterable of connections; got an object'],
    [{ except: [undefined] }, 'option except must be a connection, or an iterable of connections; got undefined'],
  ])('wrong options are said, and nothing is sent: %j', (options, message) => {
    const { servers, topics } = several(1)
    servers[0]?.subscribe('a')
    expect(() => topics.publish('a', 'news', options as never)).toThrow(message)
    expect(servers[0]?.stats().messagesOut).toBe(0)
  })

  test.each([7, undefined, new Blob(['a'])])('what cannot be sent throws, also where nobody listens: %j', (data) => {
    const { servers, topics } = several(1)
    servers[0]?.subscribe('a')
    for (const topic of ['a', 'b']) {
      expect(() => topics.publish(topic, data as never)).toThrow(/^data to (send|broadcast) must be a string/)
    }
    expect(servers[0]?.stats().messagesOut).toBe(0)
  })

  test('to 10 of 1,000 looks at 10', () => {
    const { servers, topics } = several(1_000)
    for (const [index, socket] of servers.entries()) socket.subscribe(`topic ${index % 100}`)
    const asked: number[] = []
    const filter = ({ data }: Socket): boolean => asked.push(data) > 0
    expect(topics.publish('topic 7', 'news', { filter })).toBe(10)
    expect(asked).toEqual(Array.from({ length: 10 }, (_, index) => 100 * index + 7))
    const sent = servers.filter((socket) => socket.bufferedAmount > 0).map(({ data }) => data)
    expect(sent).toEqual(asked)
  })
})

describe('what happens while a message is being published', () => {
  test('who subscribes then gets the next one, who unsubscribes then still gets this one', async () => {
    const { servers, clients, topics } = several(3)
    const [first, second, third] = servers as [Socket, Socket, Socket]
    first.subscribe('a')
    second.subscribe('a')
    const filter = (socket: Socket): boolean => {
      if (socket !== first) return true
      second.unsubscribe('a')
      third.subscribe('a')
      first.unsubscribe('a')
      first.subscribe('a') // comes last now, and yet once
      return true
    }
    expect([topics.publish('a', 'this', { filter }), topics.publish('a', 'next')]).toEqual([2, 2])
    const all = await Promise.all(clients.map((client, index) => heard(client, servers[index] as Socket)))
    expect(all).toEqual([['this', 'next'], ['this'], ['next']])
  })

  test('one that is closed then is passed over', () => {
    const { servers, topics } = several(3)
    const [first, second, third] = servers as [Socket, Socket, Socket]
    for (const socket of servers) socket.subscribe('a')
    const filter = (socket: Socket): boolean => {
      if (socket === first) second.terminate()
      return true
    }
    expect(topics.publish('a', 'news', { filter })).toBe(2)
    expect([first, second, third].map((socket) => socket.stats().dropped)).toEqual([0, 1, 0])
  })

  test('another message is published: each connection gets it as it is called', async () => {
    const { servers, clients, topics } = several(2)
    for (const socket of servers) socket.subscribe('a')
    const filter = (socket: Socket): boolean => {
      if (socket === servers[0]) topics.publish('a', 'inner')
      return true
    }
    topics.publish('a', 'outer', { filter })
    const all = await Promise.all(clients.map((client, index) => heard(client, servers[index] as Socket)))
    expect(all).toEqual(Array(2).fill(['inner', 'outer']))
  })

  test('a filter that throws: the caller gets it, and who came before the message', async () => {
    const { servers, clients, topics } = several(2)
    for (const socket of servers) socket.subscribe('a')
    const filter = (socket: Socket): boolean => {
      if (socket === servers[1]) throw new Error('no')
      return true
    }
    expect(() => topics.publish('a', 'news', { filter })).toThrow('no')
    const all = await Promise.all(clients.map((client, index) => heard(client, servers[index] as Socket)))
    expect(all).toEqual([['news'], []])
  })

  test('from within a handler: to itself too, behind what it has sent', async () => {
    const topics = new Topics<number>()
    const message = (socket: Socket, text: string | Buffer): void => {
      socket.send('before')
      topics.publish('a', text)
      socket.send('after')
    }
    const pairs = [0, 1].map((data) => connectPair({ server: { data, topics, handlers: { message } } }))
    onTestFinished(async () => {
      await Promise.all(pairs.map((pair) => pair[Symbol.asyncDispose]()))
    })
    for (const { server } of pairs) server.subscribe('a')
    const received = pairs.map(({ client }, index) => collect(client, index === 0 ? 3 : 1))
    pairs[0]?.client.send('news')
    expect(await Promise.all(received)).toEqual([['before', 'news', 'after'], ['news']])
  })
})
