// What a connection promises its application, over every transport and from both ends.

import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { WebSocketConnection } from '../../src/node/connection.ts'
import { WINDOW_SIZE } from '../../src/node/window.ts'
import { collect, connected, type Setup, TRANSPORTS } from './support/connections.ts'

const ENDS = ['client', 'server'] as const

describe.each(TRANSPORTS)('connection over $name', ({ pair }) => {
  describe.each(ENDS)('of the %s', (end) => {
    async function setUp(ours: Setup = {}, theirs: Setup = {}) {
      const other = end === 'client' ? 'server' : 'client'
      const ends = await connected(
        pair,
        end === 'client' ? { client: ours, server: theirs } : { client: theirs, server: ours },
      )
      onTestFinished(ends.dispose)
      return { socket: ends[end], peer: ends[other] }
    }

    test('messages of all kinds and sizes arrive whole and in order', async () => {
      const { socket, peer } = await setUp()
      const sizes = [0, 1, 125, 126, 127, 1023, 1024, 16_383, 16_384, 65_535, 65_536, 300_000]
      const received = collect(peer, 2 * sizes.length)
      for (const size of sizes) {
        socket.send('ü'.repeat(size))
        socket.send(Buffer.alloc(size, size % 251))
      }
      const messages = await received
      sizes.forEach((size, index) => {
        expect(messages[2 * index]).toBe('ü'.repeat(size))
        const bytes = messages[2 * index + 1] as Buffer
        expect(Buffer.isBuffer(bytes) && bytes.equals(Buffer.alloc(size, size % 251))).toBe(true)
      })
    })

    test('[J9] a heartbeat leaves alone who answers, however early or late we hear that the ping has left', async () => {
      const { socket, peer } = await setUp({ heartbeat: { interval: 40, timeout: 100 } })
      await new Promise<void>((resolve) => {
        let pings = 0
        peer.on('ping', () => {
          if (++pings === 4) resolve()
        })
        socket.on('close', () => resolve())
      })
      expect(socket.readyState).toBe(1)
    })

    test('[H7] the bytes that are sent stay as they are', async () => {
      const { socket, peer } = await setUp()
      const small = Buffer.from('small')
      const large = Buffer.alloc(100_000, 7)
      const received = collect(peer, 2)
      socket.send(small)
      socket.send(large)
      await received
      expect(small.toString()).toBe('small')
      expect(large.equals(Buffer.alloc(100_000, 7))).toBe(true)
    })

    test('binary messages are the receiver’s: later traffic does not change them', async () => {
      const { socket, peer } = await setUp()
      const received = collect(peer, 500)
      for (let count = 0; count < 500; count++) socket.send(Buffer.alloc(100, count))
      const messages = (await received) as Buffer[]
      messages.forEach((message, index) => {
        expect(message.equals(Buffer.alloc(100, index))).toBe(true)
      })
    })

    test('ping gives the round trip; the other end sees it and answers by itself', async () => {
      const { socket, peer } = await setUp()
      const seen = once(peer, 'ping')
      const roundTrip = await socket.ping('are you there')
      expect(roundTrip).toBeGreaterThanOrEqual(0)
      expect(String((await seen)[0])).toBe('are you there')
    })

    test('pings that follow each other resolve each', async () => {
      const { socket } = await setUp()
      expect(await Promise.all([socket.ping(), socket.ping(), socket.ping()])).toHaveLength(3)
    })

    test('[L7] [L17] close: both ends learn code and reason, cleanly', async () => {
      const { socket, peer } = await setUp()
      const theirs = once(peer, 'close')
      const info = await socket.close(4001, 'enough')
      expect(info).toEqual({ code: 4001, reason: '', wasClean: true, initiator: 'local' })
      expect((await theirs)[0]).toEqual({ code: 4001, reason: 'enough', wasClean: true, initiator: 'remote' })
      expect([socket.readyState, peer.readyState]).toEqual([3, 3])
      expect(await socket.close()).toBe(info)
    })

    test('[L13] close without a code is 1005 at both ends', async () => {
      const { socket, peer } = await setUp()
      const info = await socket.close()
      expect(info).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'local' })
      expect(await peer.closed).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'remote' })
    })

    test('[L18] both ends close at once: each learns the other’s code', async () => {
      const { socket, peer } = await setUp()
      const [ours, theirs] = await Promise.all([socket.close(4001), peer.close(4002)])
      expect(ours).toEqual({ code: 4002, reason: '', wasClean: true, initiator: 'local' })
      expect(theirs).toEqual({ code: 4001, reason: '', wasClean: true, initiator: 'local' })
    })

    test('what was sent before close arrives before the end', async () => {
      const { socket, peer } = await setUp()
      for (let count = 0; count < 1000; count++) socket.send(`${count}`)
      socket.send(Buffer.alloc(200_000))
      void socket.close(1000)
      const messages: unknown[] = []
      for await (const message of peer) messages.push(message)
      expect(messages.length).toBe(1001)
      expect(messages[999]).toBe('999')
      expect((await peer.closed).code).toBe(1000)
    })

    test('[L13] terminate: 1006 at both ends, by us and by the transport', async () => {
      const { socket, peer } = await setUp()
      socket.terminate()
      expect(await socket.closed).toMatchObject({
        code: 1006,
        wasClean: false,
        initiator: 'local',
        cause: { code: 'TERMINATED' },
      })
      expect(await peer.closed).toMatchObject({
        code: 1006,
        wasClean: false,
        initiator: 'transport',
        cause: { code: 'CONNECTION_LOST' },
      })
    })

    test('the iterator takes messages in order and ends with the connection', async () => {
      const { socket, peer } = await setUp()
      for (const text of ['a', 'b', 'c']) peer.send(text)
      void peer.close(1000)
      const messages: unknown[] = []
      for await (const message of socket) messages.push(message)
      expect(messages).toEqual(['a', 'b', 'c'])
    })

    test('messages wait for the first listener, and close follows the last of them', async () => {
      const { socket, peer } = await setUp()
      peer.send('early')
      peer.send('too')
      await peer.ping() // the pong says that both have been read
      const seen: unknown[] = []
      socket.on('message', (data) => seen.push(data))
      socket.on('close', (info) => seen.push(info.code))
      await peer.close(1000)
      await socket.closed
      expect(seen).toEqual(['early', 'too', 1000])
    })

    test('once(message) in a loop loses nothing', async () => {
      const { socket, peer } = await setUp()
      for (let count = 0; count < 50; count++) peer.send(`${count}`)
      for (let count = 0; count < 50; count++) expect((await once(socket, 'message'))[0]).toBe(`${count}`)
    })

    test('an asynchronous handler holds the next message back', async () => {
      const log: string[] = []
      let finish: (() => void) | undefined
      const done = new Promise<void>((resolve) => {
        finish = resolve
      })
      const { peer } = await setUp({
        handlers: {
          async message(_, data) {
            log.push(`begin ${data}`)
            await new Promise(setImmediate)
            log.push(`end ${data}`)
            if (data === 'c') finish?.()
          },
        },
      })
      for (const text of ['a', 'b', 'c']) peer.send(text)
      await done
      expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c'])
    })

    test('a slow iterator holds the sender back in bounded memory, and gets everything', async () => {
      const { socket, peer } = await setUp({ maxReadAhead: 64 * 1024 }, { maxBackpressure: 64 * 1024 * 1024 })
      const count = 2_000
      let refused = 0
      for (let index = 0; index < count; index++) if (!peer.send(Buffer.alloc(16 * 1024, index))) refused++
      expect(refused).toBeGreaterThan(0)
      let index = 0
      for await (const message of socket) {
        if (!(message as Buffer).equals(Buffer.alloc(16 * 1024, index))) throw new Error(`message ${index} differs`)
        if (++index === count) break
        // What was read is what was taken, the read-ahead, and at most one chunk of the transport.
        const readAhead = socket.stats().bytesIn - index * (16 * 1024 + 8)
        if (readAhead > 64 * 1024 + WINDOW_SIZE) throw new Error(`${readAhead} bytes were read ahead`)
      }
      expect(index).toBe(count)
      expect(socket.readyState).toBe(1)
    })

    test('a slow handler holds the sender back in bounded memory, and gets everything', async () => {
      const size = 16 * 1024
      const count = 1_000
      let handled = 0
      let most = 0
      const { socket, peer } = await setUp(
        {
          maxReadAhead: 64 * 1024,
          handlers: {
            async message(self, data) {
              if (!(data as Buffer).equals(Buffer.alloc(size, handled))) throw new Error(`message ${handled} differs`)
              await new Promise(setImmediate)
              handled++
              most = Math.max(most, self.stats().bytesIn - handled * (size + 8))
            },
          },
        },
        { maxBackpressure: 64 * 1024 * 1024 },
      )
      for (let index = 0; index < count; index++) peer.send(Buffer.alloc(size, index))
      expect(peer.bufferedAmount).toBeGreaterThan(64 * 1024)
      await peer.close(1000)
      await once(socket, 'close')
      expect(handled).toBe(count)
      expect(most).toBeLessThan(64 * 1024 + WINDOW_SIZE)
    })

    test('drain comes after a send that returned false, and drained() resolves', async () => {
      const { socket, peer } = await setUp()
      peer.resume()
      let sent = 0
      while (socket.send(Buffer.alloc(64 * 1024))) if (++sent > 10_000) throw new Error('send never returned false')
      await Promise.all([once(socket, 'drain'), socket.drained()])
      expect(socket.bufferedAmount).toBeLessThanOrEqual(64 * 1024)
      await socket.drained()
    })

    test('onFlushed is called once a message has left', async () => {
      const { socket, peer } = await setUp()
      peer.resume()
      const order: string[] = []
      await new Promise<void>((resolve) => {
        socket.send('a', { onFlushed: (error) => order.push(`a ${error}`) })
        socket.send(Buffer.alloc(100_000), { onFlushed: (error) => order.push(`b ${error}`) })
        socket.send('c', {
          onFlushed: (error) => {
            order.push(`c ${error}`)
            resolve()
          },
        })
      })
      expect(order).toEqual(['a undefined', 'b undefined', 'c undefined'])
      expect(socket.bufferedAmount).toBe(0)
    })

    test('the counts of both ends agree', async () => {
      const { socket, peer } = await setUp()
      const received = collect(peer, 3)
      for (const data of ['one', 'two', Buffer.alloc(70_000)]) socket.send(data)
      await received
      await socket.ping()
      await socket.close(1000)
      await peer.closed
      const ours = socket.stats()
      const theirs = peer.stats()
      expect(ours.messagesOut).toBe(3)
      expect(ours).toMatchObject({ framesOut: 5, framesIn: 2, dropped: 0 })
      expect([theirs.messagesIn, theirs.framesIn, theirs.framesOut]).toEqual([3, 5, 2])
      expect(theirs.bytesIn).toBe(ours.bytesOut)
      expect(ours.bytesIn).toBe(theirs.bytesOut)
    })

    test('await using closes with 1000', async () => {
      const { socket, peer } = await setUp()
      {
        await using scoped: WebSocketConnection = socket
        expect(scoped.readyState).toBe(1)
      }
      expect((await peer.closed).code).toBe(1000)
    })
  })
})
