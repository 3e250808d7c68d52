// Which sockets read into the receive window, what others do, and that nothing is lost when one begins to.

import { once } from 'node:events'
import net, { type AddressInfo, Socket } from 'node:net'
import { tcpPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectSocket, readIntoWindow } from '../../../src/node/transport/onread.ts'
import { openTransport } from '../../../src/node/transport/open.ts'
import type { TransportSink } from '../../../src/node/transport/transport.ts'
import { receiveWindow, windowMode } from '../../../src/node/window.ts'

const hasWindow = windowMode !== 'off' && process.platform === 'linux'

/** Reads what comes, and whether it came in the window. */
class Sink implements TransportSink {
  text = ''
  readonly inWindow: boolean[] = []
  readonly over: Promise<void>
  #end: () => void = () => {}

  constructor() {
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  data(buffer: Uint8Array, start: number, end: number): void {
    this.text += Buffer.from(buffer.subarray(start, end)).toString()
    this.inWindow.push(buffer === receiveWindow)
  }

  ended(): void {
    this.#end()
  }

  closed(): void {
    this.#end()
  }
}

describe.runIf(hasWindow)('into the window', () => {
  test('an accepted socket; what it had read before comes first', async () => {
    const { client, server, dispose } = await tcpPair()
    onTestFinished(dispose)
    client.write('early,')
    await once(server, 'readable')
    const sink = new Sink()
    openTransport(server, Buffer.from('head,')).read(sink)
    client.end('late')
    await sink.over
    expect(sink.text).toBe('head,early,late')
    expect(sink.inWindow.at(-1)).toBe(true)
  })

  test('a socket that connectSocket opened: a plain one until a transport reads', async () => {
    const listener = net.createServer((accepted) => void accepted.write('HTTP,')).listen(0, '127.0.0.1')
    onTestFinished(() => void listener.close())
    await once(listener, 'listening')
    const accepted = once(listener, 'connection') as Promise<[Socket]>
    const socket = connectSocket({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1' })
    await once(socket, 'readable')
    expect(String(socket.read())).toBe('HTTP,')
    const [server] = await accepted
    server.write('left,')
    await once(socket, 'readable')
    const sink = new Sink()
    openTransport(socket).read(sink)
    server.end('frames')
    await sink.over
    expect(sink.text).toBe('left,frames')
    expect(sink.inWindow.at(-1)).toBe(true)
    socket.destroy()
    await once(socket, 'close')
  })

  test('paused, a socket leaves to TCP what comes, and gives it when resumed', async () => {
    const { client, server, dispose } = await tcpPair()
    onTestFinished(dispose)
    const sink = new Sink()
    const transport = openTransport(server)
    transport.read(sink)
    transport.pause()
    const sent = Buffer.alloc(32 * 1024 * 1024, 'x')
    expect(client.write(sent)).toBe(false)
    await new Promise((resolve) => setImmediate(resolve))
    expect(sink.text).toBe('')
    transport.resume()
    client.end()
    await sink.over
    expect(sink.text.length).toBe(sent.length)
  })
})

test('a socket that reads into a buffer of its owner keeps doing so', () => {
  const options = { onread: { buffer: Buffer.alloc(10), callback: () => true } }
  const socket = new Socket(options as net.SocketConstructorOpts)
  expect(readIntoWindow(socket, () => true)).toBe(false)
  socket.destroy()
})

test('a socket without a handle cannot', () => {
  const socket = new Socket()
  expect(readIntoWindow(socket, () => true)).toBe(false)
  socket.destroy()
})

test.each(['a listener', 'a push of its own'])(
  'a socket that somebody watches by %s is read by events',
  async (how) => {
    const { client, server, dispose } = await tcpPair()
    onTestFinished(dispose)
    let seen = 0
    const count = (chunk: Buffer | null): void => {
      seen += chunk?.length ?? 0
    }
    const { push } = server
    if (how === 'a listener') server.on('data', count)
    else
      server.push = function (chunk, encoding) {
        count(chunk)
        return push.call(this, chunk, encoding)
      }
    const sink = new Sink()
    openTransport(server).read(sink)
    client.end('frames')
    await sink.over
    expect([sink.text, seen]).toEqual(['frames', 6])
  },
)
