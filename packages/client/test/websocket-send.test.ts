// The WHATWG interface: send(), bufferedAmount, binaryType.

import { describe, expect, test } from 'vitest'
import { WebSocket } from '../src/index.ts'
import { closeFrame, frame } from './support/frames.ts'
import { rawServer, switching, unusedPort } from './support/raw-server.ts'
import { connecting, event, finish, open, task } from './support/script.ts'

/** An ArrayBuffer whose memory has gone elsewhere. */
function detached(): ArrayBuffer {
  return detachedView().buffer as ArrayBuffer
}

function detachedView(): Uint8Array {
  const bytes = Uint8Array.of(97, 98)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

const hex = (payload: Buffer) => payload.toString('hex')

describe('[R9] send()', () => {
  test('needs an argument, then needs to be open', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await unusedPort()}`)
    expect(() => (socket.send as () => void)()).toThrow(TypeError)
    expect(() => socket.send('early')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
    expect(socket.bufferedAmount).toBe(0)
    await event(socket, 'close')
  })

  test.each([
    ['text', 'text', 0x81, 'text'],
    ['nothing', '', 0x81, ''],
    ['null', null, 0x81, 'null'],
    ['undefined', undefined, 0x81, 'undefined'],
    ['a number', 5, 0x81, '5'],
    ['an object', { toString: () => 'mine' }, 0x81, 'mine'],
    ['a lone surrogate', 'a\ud800', 0x81, 'a\ufffd'],
    ['an ArrayBuffer', Uint8Array.of(97, 98).buffer, 0x82, 'ab'],
    ['a view', Uint8Array.of(97, 98, 99, 100).subarray(1, 3), 0x82, 'bc'],
    ['a DataView', new DataView(Uint8Array.of(97, 98, 99).buffer, 1), 0x82, 'bc'],
    ['an empty view', new Uint8Array(0), 0x82, ''],
    ['a Blob', new Blob(['blob']), 0x82, 'blob'],
    ['a pair of surrogates', '\ud801\udc7e', 0x81, '\u{1047e}'],
    ['an array', [1, 'b'], 0x81, '1,b'],
    ['a String object', new String('text'), 0x81, 'text'],
    ['a BigInt', 5n, 0x81, '5'],
    ['64-bit integers', BigInt64Array.of(0x6261n), 0x82, 'ab\0\0\0\0\0\0'],
    ['a detached ArrayBuffer', detached(), 0x82, ''],
    ['a view of a detached ArrayBuffer', detachedView(), 0x82, ''],
    ['shared memory, which is no BufferSource', new SharedArrayBuffer(1), 0x81, '[object SharedArrayBuffer]'],
  ])('%s', async (_, data, first, text) => {
    const { socket, peerSocket, reader } = await open()
    socket.send(data as string)
    const sent = await reader.next()
    expect([sent.first, String(sent.payload)]).toEqual([first, text])
    expect(sent.key).not.toBe(undefined)
    await finish({ socket, peerSocket })
  })

  test('what cannot be converted is a TypeError in every state, and changes nothing', async () => {
    const socket = await connecting()
    const wrong = [Symbol('a'), new Uint8Array(new SharedArrayBuffer(1)), Object.create(null)]
    for (const data of wrong) expect(() => socket.send(data as string)).toThrow(TypeError)
    const { socket: opened, ...rest } = await open()
    for (const data of wrong) expect(() => opened.send(data as string)).toThrow(TypeError)
    expect([socket.bufferedAmount, opened.bufferedAmount]).toEqual([0, 0])
    await finish({ socket: opened, ...rest })
  })

  test('what toString() throws comes out, and that it closed the socket is seen', async () => {
    const { socket, peerSocket, reader } = await open()
    const error = new Error('mine')
    const throws = {
      toString() {
        throw error
      },
    }
    expect(() => socket.send(throws as unknown as string)).toThrow(error)
    const closes = {
      toString() {
        socket.close()
        return 'late'
      },
    }
    socket.send(closes as unknown as string)
    expect([socket.readyState, socket.bufferedAmount]).toEqual([2, 4])
    expect((await reader.next()).first).toBe(0x88)
    await finish({ socket, peerSocket })
  })

  test('while CLOSING: nothing goes out, whatever it is', async () => {
    const { socket, peerSocket, reader } = await open()
    socket.close()
    for (const data of ['text', new Uint8Array(3), new ArrayBuffer(2), new Blob(['b'])]) {
      expect(socket.send(data)).toBe(undefined)
    }
    expect(socket.bufferedAmount).toBe(10)
    expect((await reader.next()).first).toBe(0x88)
    const rest: Buffer[] = []
    peerSocket.on('data', (chunk) => rest.push(chunk))
    await finish({ socket, peerSocket })
    expect([rest, socket.bufferedAmount]).toEqual([[], 10])
  })

  test('[R10] the bytes are those of the call, also behind a Blob', async () => {
    const { socket, peerSocket, reader } = await open()
    const small = Uint8Array.of(1, 1)
    const large = Buffer.alloc(70_000, 1)
    const queued = Uint8Array.of(2, 2)
    socket.send(small)
    socket.send(large)
    socket.send(new Blob(['blob']))
    socket.send(queued)
    socket.send('text')
    for (const bytes of [small, large, queued]) bytes.fill(9)
    expect(hex((await reader.next()).payload)).toBe('0101')
    expect((await reader.next()).payload.equals(Buffer.alloc(70_000, 1))).toBe(true)
    expect(String((await reader.next()).payload)).toBe('blob')
    expect(hex((await reader.next()).payload)).toBe('0202')
    expect(String((await reader.next()).payload)).toBe('text')
    expect(large[0]).toBe(9)
    await finish({ socket, peerSocket })
  })

  test("[H7] the caller's bytes are left alone", async () => {
    const { socket, peerSocket, reader } = await open()
    const bytes = Buffer.alloc(100_000, 5)
    socket.send(bytes)
    await reader.next()
    expect(bytes.equals(Buffer.alloc(100_000, 5))).toBe(true)
    await finish({ socket, peerSocket })
  })

  test('close() after a Blob: the Blob goes first', async () => {
    const { socket, peerSocket, reader } = await open()
    socket.send(new Blob(['blob']))
    socket.close(1000)
    expect(socket.readyState).toBe(2)
    expect([(await reader.next()).first, (await reader.next()).first]).toEqual([0x82, 0x88])
    await finish({ socket, peerSocket })
  })
})

describe('[R8] bufferedAmount', () => {
  test('payload bytes, UTF-8; it does not fall within the task', async () => {
    const { socket, peerSocket, reader } = await open()
    await task()
    socket.send('µ')
    expect(socket.bufferedAmount).toBe(2)
    socket.send(new Uint8Array(3))
    socket.send(new Blob(['four']))
    expect(socket.bufferedAmount).toBe(9)
    for (let turn = 0; turn < 20; turn++) await null
    expect(socket.bufferedAmount).toBe(9)
    await new Promise<void>((resolve) => process.nextTick(resolve))
    expect(socket.bufferedAmount).toBe(9)
    for (let count = 0; count < 3; count++) await reader.next()
    while (socket.bufferedAmount > 0) await task()
    await finish({ socket, peerSocket })
  })

  test('falls only when the bytes have left', async () => {
    const { socket, peerSocket } = await open()
    peerSocket.pause()
    const size = 4 * 1024 * 1024
    socket.send(Buffer.alloc(size))
    await task()
    await task()
    socket.send('x')
    expect(socket.bufferedAmount).toBe(size + 1)
    peerSocket.resume()
    while (socket.bufferedAmount > 0) await task()
    await finish({ socket, peerSocket })
  })

  test('[L8] grows after close, and stays', async () => {
    const { socket, peerSocket, reader } = await open()
    socket.close(1000)
    socket.send('abc')
    expect(socket.bufferedAmount).toBe(3)
    socket.send(Uint8Array.of(1))
    await reader.next()
    await finish({ socket, peerSocket })
    expect(socket.bufferedAmount).toBe(4)
    socket.send('later')
    await task()
    expect(socket.bufferedAmount).toBe(9)
  })

  test('[R8] is settled when close comes: what has left is not counted, and nothing falls later', async () => {
    const { socket, peerSocket, reader } = await open()
    socket.send('sent')
    socket.close()
    socket.send('late')
    await reader.next()
    await reader.next()
    peerSocket.end(closeFrame())
    await event(socket, 'close')
    expect(socket.bufferedAmount).toBe(4)
    await task()
    expect(socket.bufferedAmount).toBe(4)
  })

  test('what could not leave stays counted', async () => {
    const { socket, peerSocket } = await open()
    peerSocket.pause()
    const size = 8 * 1024 * 1024
    socket.send(Buffer.alloc(size))
    peerSocket.resetAndDestroy()
    await event(socket, 'close')
    await task()
    expect(socket.bufferedAmount).toBe(size)
  })
})

test('[R11] what cannot be buffered fails the connection', async () => {
  const server = await rawServer(({ socket, accept }) => socket.write(switching(accept)))
  const socket = new WebSocket(server.url, { maxBackpressure: 10 })
  await event(socket, 'open')
  // More than the kernel takes, and nobody reads it in this turn.
  for (let count = 0; count < 64; count++) socket.send('a'.repeat(1024 * 1024))
  await event(socket, 'close')
  expect(socket.failure?.code).toBe('SLOW_CONSUMER')
})

describe('[R12] binaryType', () => {
  test('other values are ignored', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await unusedPort()}`)
    socket.binaryType = 'arraybuffer'
    socket.binaryType = 'nodebuffer' as 'blob'
    expect(socket.binaryType).toBe('arraybuffer')
    socket.binaryType = 'blob'
    expect(socket.binaryType).toBe('blob')
    await event(socket, 'close')
  })

  test('the value is converted to a string', async () => {
    const socket = await connecting()
    socket.binaryType = new String('arraybuffer') as unknown as 'arraybuffer'
    expect(socket.binaryType).toBe('arraybuffer')
    for (const value of [undefined, null, '', 'Blob', 0, {}]) socket.binaryType = value as 'blob'
    expect(socket.binaryType).toBe('arraybuffer')
    expect(() => {
      socket.binaryType = Symbol('blob') as unknown as 'blob'
    }).toThrow(TypeError)
  })

  test('what counts is its value when the event comes', async () => {
    const { socket, peerSocket } = await open()
    const data: unknown[] = []
    socket.onmessage = (message) => {
      data.push(message.data)
      socket.binaryType = 'arraybuffer'
    }
    peerSocket.write(Buffer.concat([frame(0x82, 'a'), frame(0x82, 'b')]))
    await event(socket, 'message')
    await event(socket, 'message')
    expect(data).toEqual([expect.any(Blob), expect.any(ArrayBuffer)])
    await finish({ socket, peerSocket })
  })

  test.each([0, 3, 5000, 300_000])('a message of %i bytes as Blob and as ArrayBuffer', async (size) => {
    const { socket, peerSocket } = await open()
    const bytes = Buffer.alloc(size, 7)
    peerSocket.write(frame(0x82, bytes))
    const { data: blob } = (await event(socket, 'message')) as MessageEvent
    expect(blob).toBeInstanceOf(Blob)
    expect([blob.size, blob.type]).toEqual([size, ''])
    expect(Buffer.from(await blob.arrayBuffer()).equals(bytes)).toBe(true)
    socket.binaryType = 'arraybuffer'
    peerSocket.write(frame(0x82, bytes))
    const { data } = (await event(socket, 'message')) as MessageEvent
    expect(data).toBeInstanceOf(ArrayBuffer)
    expect(Buffer.from(data).equals(bytes)).toBe(true)
    await finish({ socket, peerSocket })
  })

  test('text stays text', async () => {
    const { socket, peerSocket } = await open()
    socket.binaryType = 'arraybuffer'
    peerSocket.write(frame(0x81, 'text'))
    expect(await event(socket, 'message')).toMatchObject({ data: 'text' })
    await finish({ socket, peerSocket })
  })
})
