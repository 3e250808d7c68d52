// Inflating in the thread pool where zlib does nothing with a dictionary, as Deno's: what a message refers to is then fed to the stream.

import { createHash } from 'node:crypto'
import { constants, createDeflateRaw } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { DeflateFault } from '../../src/deflate/compression.ts'
import type { DeflateParameters } from '../../src/deflate/parameters.ts'
import { Window } from '../../src/deflate/window.ts'
import { InflateApart } from '../../src/node/deflate/inflate-apart.ts'
import { collect, connected } from './support/connections.ts'

vi.mock('node:zlib', async (importOriginal) => {
  const zlib = await importOriginal<typeof import('node:zlib')>()
  return {
    ...zlib,
    createInflateRaw: ({ dictionary: _, ...options }: object & { dictionary?: unknown } = {}) =>
      zlib.createInflateRaw(options),
    inflateRawSync: (data: Uint8Array, { dictionary: _, ...options }: object & { dictionary?: unknown } = {}) =>
      zlib.inflateRawSync(data, options),
  }
})

const KIB = 1024
const AGREED: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}

/** Without repetition of its own, so that what is short of it refers to what came before. */
function noise(length: number, seed: string): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < length; at += 20) {
    const hash = createHash('sha1').update(`${seed} ${at}`)
    parts.push(hash.digest())
  }
  return Buffer.concat(parts, length)
}

/** Compresses messages that refer to those before. @param final marks the last block of each as final */
async function compress(messages: readonly Buffer[], windowBits: number): Promise<Buffer[]> {
  const stream = createDeflateRaw({ windowBits, flush: constants.Z_SYNC_FLUSH })
  const compressed: Buffer[] = []
  let parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  for (const message of messages) {
    await new Promise((resolve) => stream.write(message, resolve))
    compressed.push(Buffer.concat(parts).subarray(0, -4))
    parts = []
  }
  stream.close()
  return compressed
}

function inflate(
  payload: Uint8Array,
  window: Window,
  limit = Number.POSITIVE_INFINITY,
): Promise<Buffer | DeflateFault> {
  return new Promise((resolve) => new InflateApart(payload, window, limit, resolve).start())
}

describe.each([9, 12, 15])('a window of 2^%i bytes', (bits) => {
  const word = noise(100, 'a word')
  const messages = [word, noise(100 * KIB, 'long'), word, noise(100 * KIB, 'long'), word]

  test('messages that refer to those before', async () => {
    const window = new Window(bits, true)
    for (const [index, payload] of (await compress(messages, bits)).entries()) {
      const inflated = await inflate(payload, window)
      expect(messages[index]?.equals(inflated as Buffer)).toBe(true)
      window.add(inflated as Buffer)
    }
  })

  test('what is fed does not count: neither to the limit nor to the end of the message', async () => {
    const window = new Window(bits, true)
    window.add(word)
    const [, payload = Buffer.alloc(0)] = await compress([word, word], bits)
    expect(payload.length).toBeLessThan(word.length / 2)
    expect(await inflate(payload, window, word.length)).toEqual(word)
    expect(await inflate(payload, window, word.length - 1)).toBe('MESSAGE_TOO_BIG')
    expect(await inflate(payload.subarray(0, -2), window)).toBe('INVALID_DEFLATE')
    expect(await inflate(payload, new Window(bits, true))).toBe('INVALID_DEFLATE')
  })

  test('blocks that are marked final: what comes behind has the window so far', async () => {
    const window = new Window(bits, true)
    window.add(word)
    const hi = Buffer.from('hi')
    const [, , payload = Buffer.alloc(0)] = await compress([word, hi, word], bits)
    const final = Buffer.concat([Uint8Array.of(1, 2, 0, 0xfd, 0xff), hi, payload])
    expect(await inflate(final, window)).toEqual(Buffer.concat([hi, word]))
  })
})

test('connections with takeover: large messages both ways', async () => {
  const setup = { perMessageDeflate: { threshold: 0, syncLimit: 0 }, deflate: AGREED }
  const ends = await connected(undefined, { client: setup, server: setup })
  onTestFinished(ends.dispose)
  const messages = [noise(10 * KIB, 'a'), noise(10 * KIB, 'a'), noise(200 * KIB, 'b'), noise(10 * KIB, 'a')]
  const received = [collect(ends.server, messages.length), collect(ends.client, messages.length)]
  for (const message of messages) for (const end of [ends.client, ends.server]) end.send(message)
  for (const all of await Promise.all(received)) {
    expect(all.map((message, index) => messages[index]?.equals(message as Buffer))).toEqual([true, true, true, true])
  }
})
