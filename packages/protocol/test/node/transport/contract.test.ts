// What a transport promises, whatever it runs over. One suite, every implementation.

import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openTransport } from '../../../src/node/transport/open.ts'
import { transportOf } from '../../../src/node/transport/stream.ts'
import type { Transport, TransportSink } from '../../../src/node/transport/transport.ts'
import { TRANSPORTS } from '../support/connections.ts'

class Recorder implements TransportSink {
  readonly calls: string[] = []
  received = Buffer.alloc(0)
  #wake: (() => void) | undefined

  data(buffer: Uint8Array, start: number, end: number): void {
    this.received = Buffer.concat([this.received, buffer.subarray(start, end)])
    buffer.fill(0xee, start, end) // as unmasking in place would
    this.#wake?.()
  }

  ended(): void {
    this.calls.push('ended')
    this.#wake?.()
  }

  closed(error?: Error): void {
    this.calls.push(error === undefined ? 'closed' : 'closed with an error')
    this.#wake?.()
  }

  async until(met: () => boolean): Promise<void> {
    while (!met()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

function write(transport: Transport, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    let returned = false
    let told = 0
    const wrote = (error?: Error | null): void => {
      if (!returned) reject(new Error('wrote was called before write returned'))
      else if (++told > 1) reject(new Error('wrote was called again'))
      else if (error !== undefined && error !== null) reject(error)
      else setImmediate(resolve)
    }
    const written = transport.write(bytes, { wrote })
    returned = true
    if (written !== 'left') return
    told++
    setImmediate(resolve)
  })
}

describe.each(TRANSPORTS)('transport over $name', ({ pair }) => {
  async function setUp(head?: Uint8Array) {
    const { client, server, dispose } = await pair()
    onTestFinished(dispose)
    const ours = openTransport(server, head)
    const sink = new Recorder()
    return { peer: client, server, ours, sink }
  }

  test('delivers bytes in order, the head of the handshake first', async () => {
    const { peer, ours, sink } = await setUp(Buffer.from('head,'))
    peer.write('first,')
    ours.read(sink)
    peer.write('second')
    await sink.until(() => sink.received.length >= 17)
    expect(sink.received.toString()).toBe('head,first,second')
  })

  test('writes bytes, and reports each write once, after it returned', async () => {
    const { peer, ours, sink } = await setUp()
    ours.read(sink)
    let received = ''
    peer.on('data', (chunk) => {
      received += String(chunk)
    })
    await Promise.all([write(ours, Buffer.from('a')), write(ours, Buffer.from('bc'))])
    expect(ours.buffered).toBe(0)
    ours.end()
    await once(peer, 'end')
    expect(received).toBe('abc')
  })

  test('a paused transport delivers nothing, a resumed one all of it', async () => {
    const { peer, ours, sink } = await setUp()
    ours.read(sink)
    ours.pause()
    await new Promise<void>((resolve) => peer.write('waits', () => setImmediate(resolve)))
    expect(sink.received.length).toBe(0)
    ours.resume()
    await sink.until(() => sink.received.length === 5)
    expect(sink.received.toString()).toBe('waits')
  })

  test('paused from within the head, it stays paused', async () => {
    const { peer, ours, sink } = await setUp(Buffer.from('head'))
    const data = sink.data.bind(sink)
    sink.data = (buffer, start, end) => {
      data(buffer, start, end)
      ours.pause()
    }
    ours.read(sink)
    await new Promise<void>((resolve) => peer.write('more', () => setImmediate(resolve)))
    expect(sink.received.toString()).toBe('head')
    ours.resume()
    await sink.until(() => sink.received.length === 8)
    expect(sink.received.toString()).toBe('headmore')
  })

  test('read again, it tells somebody else, and nothing that was told before', async () => {
    const { peer, ours, sink } = await setUp(Buffer.from('head,'))
    ours.read(sink)
    peer.write('first')
    await sink.until(() => sink.received.length >= 10)
    const next = new Recorder()
    ours.read(next)
    peer.end('second')
    await next.until(() => next.calls.includes('ended'))
    ours.end()
    peer.resume()
    await next.until(() => next.calls.includes('closed'))
    expect([sink.received.toString(), sink.calls]).toEqual(['head,first', []])
    expect([next.received.toString(), next.calls]).toEqual(['second', ['ended', 'closed']])
  })

  test('what its reader leaves comes first to the next, once', async () => {
    const { peer, server, ours, sink } = await setUp()
    const data = sink.data.bind(sink)
    sink.data = (buffer, start, end) => {
      const left = Buffer.from(buffer.subarray(start + 5, end))
      data(buffer, start, start + 5)
      transportOf(server)?.keep(left)
    }
    ours.read(sink)
    peer.write('first,left')
    await sink.until(() => sink.received.length > 0)
    const next = new Recorder()
    ours.read(next)
    expect(next.received.toString()).toBe(',left')
    ours.read(next)
    peer.write(',last')
    await next.until(() => next.received.length >= 10)
    expect([sink.received.toString(), next.received.toString()]).toEqual(['first', ',left,last'])
  })

  test('buffered grows while the peer does not read, and falls to 0 when it does', async () => {
    const { peer, ours, sink } = await setUp()
    peer.pause()
    ours.read(sink)
    const writes: Promise<void>[] = []
    for (let count = 0; ours.buffered === 0 && count < 200; count++) {
      writes.push(write(ours, Buffer.alloc(256 * 1024)))
    }
    expect(ours.buffered).toBeGreaterThan(0)
    peer.resume()
    await Promise.all(writes)
    expect(ours.buffered).toBe(0)
  })

  test('end: the peer sees the end after all bytes', async () => {
    const { peer, ours, sink } = await setUp()
    ours.read(sink)
    ours.write(Buffer.from('last'), { wrote: () => {} })
    ours.end()
    let received = ''
    peer.on('data', (chunk) => {
      received += String(chunk)
    })
    await once(peer, 'end')
    expect(received).toBe('last')
  })

  test("the peer's end is reported once, then closed once and last", async () => {
    const { peer, ours, sink } = await setUp()
    ours.read(sink)
    peer.end('x')
    await sink.until(() => sink.calls.includes('ended'))
    ours.end()
    peer.resume()
    await sink.until(() => sink.calls.includes('closed'))
    expect(sink.calls).toEqual(['ended', 'closed'])
  })

  test('abort closes at once; a write afterwards reports an error and does not throw', async () => {
    const { ours, sink } = await setUp()
    ours.read(sink)
    ours.abort()
    await expect(write(ours, Buffer.from('late'))).rejects.toThrow()
    await sink.until(() => sink.calls.length > 0)
    expect(sink.calls).toEqual(['closed'])
    ours.end()
    ours.pause()
    ours.resume()
    expect(sink.calls).toEqual(['closed'])
  })

  test('an error of the stream ends in one closed with that error', async () => {
    const { server, ours, sink } = await setUp()
    ours.read(sink)
    server.destroy(new Error('cable cut'))
    await sink.until(() => sink.calls.length > 0)
    expect(sink.calls).toEqual(['closed with an error'])
  })

  test('a stream that was gone before reading began is reported as closed', async () => {
    const { server, ours, sink } = await setUp()
    server.destroy()
    await once(server, 'close')
    ours.read(sink)
    await sink.until(() => sink.calls.length > 0)
    expect(sink.calls).toEqual(['closed'])
  })
})

describe('reuse of written memory', () => {
  test.each(TRANSPORTS)('over $name', async ({ name, pair }) => {
    const { server, dispose } = await pair()
    onTestFinished(dispose)
    expect(openTransport(server).canReuse).toBe(name === 'TCP')
  })

  test('not on a socket that is corked or whose write was replaced', async () => {
    const { server, dispose } = await (TRANSPORTS[0] as (typeof TRANSPORTS)[number]).pair()
    onTestFinished(dispose)
    const transport = openTransport(server)
    server.cork()
    expect(transport.canReuse).toBe(false)
    server.uncork()
    expect(transport.canReuse).toBe(true)
    server.write = server.write.bind(server)
    expect(transport.canReuse).toBe(false)
  })
})
