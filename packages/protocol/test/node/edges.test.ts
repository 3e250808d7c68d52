// Corners that real sockets seldom show: a stream that delivers from within a write, a Blob that cannot be read.

import { Duplex } from 'node:stream'
import { duplexPair, tcpPair } from '@ws/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { connected, open, withPeer } from './support/connections.ts'

/** Answers each write with bytes of its own before the write has returned. */
class Echoing extends Duplex {
  readonly answers: Uint8Array[]

  constructor(answers: Uint8Array[]) {
    super()
    this.answers = answers
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const answer = this.answers.shift()
    if (answer !== undefined) this.emit('data', answer) // nested: some streams do just this
    callback()
  }
}

test('bytes that arrive from within our own write are queued, and handled in order', async () => {
  const text = (payload: string) => frame({ opcode: 1, payload, key: SAMPLE_KEY })
  const stream = new Echoing([text('nested'), text('nested again')])
  onTestFinished(() => void stream.destroy())
  const seen: string[] = []
  const socket = open(stream, 'server', {
    // Flushed at once, so that the write happens while the chunk is being read.
    highWaterMark: 0,
    handlers: {
      message(ws, data) {
        seen.push(String(data))
        if (seen.length < 3) ws.send('write')
      },
    },
  })
  stream.push(Buffer.concat([text('first'), text('second')]))
  while (seen.length < 4) await new Promise(setImmediate)
  expect(seen).toEqual(['first', 'second', 'nested', 'nested again'])
  expect(socket.readyState).toBe(1)
})

test('a remainder that was left unread goes before what a nested read has queued', async () => {
  const text = (payload: string) => frame({ opcode: 1, payload, key: SAMPLE_KEY })
  const stream = new Echoing([text('nested')])
  onTestFinished(() => void stream.destroy())
  const socket = open(stream, 'server', { highWaterMark: 0, maxReadAhead: 1 })
  socket.on('ping', () => socket.send('write'))
  stream.push(Buffer.concat([frame({ opcode: 9, key: SAMPLE_KEY }), text('first'), text('second')]))
  const seen: unknown[] = []
  for await (const message of socket) if (seen.push(message) === 3) break
  expect(seen).toEqual(['first', 'second', 'nested'])
})

test('a Blob that cannot be read fails the connection: a lost message does not go unnoticed', async () => {
  const { client, server, dispose } = await connected()
  onTestFinished(dispose)
  const blob = new Blob(['x'])
  blob.arrayBuffer = () => Promise.reject(new Error('file changed'))
  const error = await new Promise<Error | undefined>((resolve) => {
    client.send(blob, { onFlushed: resolve })
  })
  expect(error?.message).toBe('the Blob could not be sent: Error: file changed')
  expect((await server.closed).code).toBe(1011)
})

test('a Blob whose connection closes while it is read is dropped', async () => {
  const { socket, peer, dispose } = await withPeer('server')
  onTestFinished(dispose)
  const flushed = new Promise<Error | undefined>((resolve) => {
    socket.send(new Blob(['x'.repeat(1000)]), { onFlushed: resolve })
  })
  peer.write(frame({ opcode: 8, key: SAMPLE_KEY, payload: Buffer.from([3, 232]) }))
  peer.stream.resume()
  peer.stream.on('end', () => peer.stream.end())
  await socket.closed
  const error = await flushed
  expect(error === undefined || error.message.startsWith('not sent')).toBe(true)
})

test('the iterator is its own iterable', async () => {
  const { client, server, dispose } = await connected()
  onTestFinished(dispose)
  server.send('a')
  const iterator = client[Symbol.asyncIterator]()
  for await (const message of iterator) {
    expect(message).toBe('a')
    break
  }
})

test('a connection that nobody listens to does not keep the process: no timer of ours is referenced', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const { client, dispose } = await connected(tcpPair, { server: { heartbeat: true } })
  onTestFinished(dispose)
  void client.close()
  expect(timers()).toBeLessThanOrEqual(before) // one of the test runner's may have rung meanwhile
})

test('nothing comes between a header and the payload lent behind it, whatever the write of the header leads to', async () => {
  const { client, server, dispose } = await connected(async () => duplexPair(), {
    server: { handlers: { message: (socket) => void socket.send('answer') } },
  })
  onTestFinished(dispose)
  const payload = Buffer.alloc(20_000, 1)
  client.send('question') // leaves when the server's header comes, and is answered at once
  server.send(payload)
  const seen: unknown[] = []
  for await (const message of client) if (seen.push(message) === 2) break
  expect(seen).toEqual([payload, 'answer'])
})

test('a stream whose write throws ends its own connection, and no other one that is flushed in this turn', async () => {
  const { client, server, dispose } = await connected()
  onTestFinished(dispose)
  const stream = new Echoing([])
  stream._write = () => {
    throw new Error('broken stream')
  }
  const broken = open(stream, 'server')
  broken.send('a')
  server.send('b')
  expect(await broken.closed).toMatchObject({
    code: 1006,
    cause: { message: 'the connection was lost: broken stream' },
  })
  for await (const message of client) {
    expect(message).toBe('b')
    break
  }
})

test('a stream that gives text in place of bytes ends its connection', async () => {
  const stream = new Echoing([])
  const socket = open(stream.setEncoding('latin1'), 'server')
  stream.push(frame({ opcode: 1, payload: 'a', key: SAMPLE_KEY }))
  expect((await socket.closed).cause?.message).toBe(
    'the connection was lost: frames are bytes: expected a stream without setEncoding() and object mode',
  )
})

test('a stream that never says that it is closed: terminate ends the connection all the same', async () => {
  const stream = new Duplex({ emitClose: false, read() {} })
  const socket = open(stream, 'server')
  socket.terminate()
  expect(await socket.closed).toMatchObject({ code: 1006, cause: { code: 'TERMINATED' } })
})
