// A stream that a transport has let go: it is like any other again, and may have another transport.

import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import { tcpPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openTransport } from '../../../src/node/transport/open.ts'
import { guardErrors, transportOf } from '../../../src/node/transport/stream.ts'
import type { TransportSink } from '../../../src/node/transport/transport.ts'
import { receiveWindow, windowMode } from '../../../src/node/window.ts'
import { TRANSPORTS } from '../support/connections.ts'

const hasWindow = windowMode !== 'off' && process.platform === 'linux'

class Sink implements TransportSink {
  text = ''
  inWindow: boolean | undefined
  readonly calls: string[] = []
  #wake: () => void = () => {}

  data(buffer: Uint8Array, start: number, end: number): void {
    this.text += Buffer.from(buffer.subarray(start, end)).toString()
    this.inWindow = buffer === receiveWindow
    this.#wake()
  }

  ended(): void {
    this.calls.push('ended')
    this.#wake()
  }

  closed(error?: Error): void {
    this.calls.push(error === undefined ? 'closed' : 'closed with an error')
    this.#wake()
  }

  async until(met: () => boolean): Promise<void> {
    while (!met()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

describe.each(TRANSPORTS.filter(({ name }) => !name.startsWith('HTTP/2')))('over $name', ({ pair }) => {
  /** A stream that was read from, and is released. */
  async function released() {
    const { client: peer, server: stream, dispose } = await pair()
    onTestFinished(dispose)
    peer.on('error', () => {}) // it may be told that its last bytes were not taken
    const first = new Sink()
    openTransport(stream).read(first)
    peer.write('first')
    await first.until(() => first.text === 'first')
    transportOf(stream)?.release()
    return { peer, stream, first }
  }

  test('what comes is told by its events, and to nobody else', async () => {
    const { peer, stream, first } = await released()
    let text = ''
    stream.on('data', (chunk) => {
      text += String(chunk)
    })
    peer.end('second')
    await once(stream, 'end')
    stream.end()
    peer.resume()
    await once(stream, 'close')
    expect([text, first.text, first.calls]).toEqual(['second', 'first', []])
    expect(transportOf(stream)).toBe(undefined)
  })

  test('paused, it keeps what comes; read from, it gives it', async () => {
    const { peer, stream } = await released()
    stream.pause()
    peer.end('x'.repeat(300_000))
    await new Promise((resolve) => setImmediate(resolve))
    let size = 0
    for await (const chunk of stream) size += chunk.length
    expect(size).toBe(300_000)
  })

  test('its errors stay guarded, once, however often it is guarded and opened', async () => {
    const { stream, first } = await released()
    const listeners = stream.listenerCount('error')
    guardErrors(stream)
    openTransport(stream).read(new Sink())
    transportOf(stream)?.release()
    expect(stream.listenerCount('error')).toBe(listeners)
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.destroy(new Error('cable cut')) // it would end the run
    await closed
    expect(first.calls).toEqual([])
  })

  test('another transport reads on, and is told of the end', async () => {
    const { peer, stream, first } = await released()
    const second = new Sink()
    openTransport(stream, Buffer.from('head,')).read(second)
    peer.write('second')
    await second.until(() => second.text === 'head,second')
    stream.destroy(new Error('cable cut'))
    await second.until(() => second.calls.length > 0)
    expect([second.calls, first.calls]).toEqual([['closed with an error'], []])
  })
})

describe.runIf(hasWindow)('a socket that has read into the window', () => {
  test('does so again with another transport, and not in between', async () => {
    const { client, server, dispose } = await tcpPair()
    onTestFinished(dispose)
    const first = new Sink()
    openTransport(server).read(first)
    client.write('first')
    await first.until(() => first.text === 'first')
    transportOf(server)?.release()
    client.write('between')
    const [chunk] = (await once(server, 'data')) as [Buffer]
    expect([String(chunk), chunk.buffer === receiveWindow.buffer]).toEqual(['between', false])
    const second = new Sink()
    openTransport(server).read(second)
    client.write('second')
    await second.until(() => second.text === 'second')
    expect([first.inWindow, second.inWindow]).toEqual([true, true])
  })
})

describe('a socket that is given to an HTTP server', () => {
  async function given() {
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => response.end(`got ${request.url}`))
    })
    const { client, server: socket, dispose } = await tcpPair()
    onTestFinished(dispose)
    const first = new Sink()
    openTransport(socket).read(first)
    client.write('GET /first')
    await first.until(() => first.text === 'GET /first')
    transportOf(socket)?.release()
    server.emit('connection', socket)
    socket.push(first.text)
    return { client, server, socket, first }
  }

  test('is served, request after request', async () => {
    const { client } = await given()
    client.write(' HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(String((await once(client, 'data'))[0])).toContain('got /first')
    client.write('POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n')
    client.write('x'.repeat(100_000))
    expect(String((await once(client, 'data'))[0])).toContain('got /second')
  })

  test('is upgraded, and another transport has what follows', async () => {
    const { client, server } = await given()
    client.write(' HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nglued,')
    const [request, socket, head] = (await once(server, 'upgrade')) as [IncomingMessage, typeof client, Buffer]
    expect(request.url).toBe('/first')
    const second = new Sink()
    openTransport(socket, head).read(second)
    client.write('later')
    await second.until(() => second.text === 'glued,later')
    expect(second.inWindow).toBe(hasWindow)
  })

  test('a reset is the end of it, and of nothing else', async () => {
    const { client, socket, first } = await given()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    client.resetAndDestroy()
    await closed
    expect(first.calls).toEqual([])
  })
})
