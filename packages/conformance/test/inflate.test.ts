// The catalogue's own inflater: the examples of RFC 7692 §7.2.3, everything that the catalogue's compressor makes, and what
// zlib alone would let pass. And the vectors that must fail at the product are wrong by its judgement, too.

import { constants, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Kind, SentMessage } from '../src/case.ts'
import { MessageDeflater } from '../src/compressor.ts'
import { materialize } from '../src/contents.ts'
import { MessageInflater } from '../src/inflate.ts'
import { reach } from '../src/sections/compression/blocks.ts'
import { WRONG } from '../src/sections/compression/faults.ts'

const FULL = { bits: 15, takeover: true }
const KINDS: readonly Kind[] = ['prose', 'json', 'utf8', 'repeats', 'records', 'random']

const hex = (digits: string) => Buffer.from(digits, 'hex')

describe('inflates', () => {
  it.each([
    ['one block', ['f248cdc9c90700'], ['Hello']],
    ['a reference to the message before', ['f248cdc9c90700', 'f200110000'], ['Hello', 'Hello']],
    ['a stored block', ['000500faff48656c6c6f00'], ['Hello']],
    ['a final block', ['f348cdc9c9070000', 'f200110000'], ['Hello', 'Hello']],
    ['two blocks', ['f24805000000ffffcac9c90700'], ['Hello']],
    ['an empty message', ['00'], ['']],
  ])('%s', (_, payloads, contents) => {
    const inflater = new MessageInflater(FULL)
    expect(payloads.map((payload) => inflater.inflate(hex(payload)).toString())).toEqual(contents)
  })

  it.each(KINDS)('what zlib makes of %s, in every style and window', (kind) => {
    const styles: Partial<SentMessage>[] = [{}, { level: 0 }, { level: 1 }, { codes: 'fixed' }, { codes: 'literals' }]
    for (const bits of [8, 9, 12, 15]) {
      for (const takeover of [true, false]) {
        const deflater = new MessageDeflater({ bits, takeover })
        const inflater = new MessageInflater({ bits, takeover })
        for (const style of [...styles, { flushEvery: 100 }, { final: true }, { flushEvery: 99, final: true }]) {
          const content = { kind, size: 3_000, seed: bits }
          const frames = deflater.frames({ opcode: 2, content, ...style })
          const payload = Buffer.concat(frames.map((frame) => frame.payload as Uint8Array))
          expect(inflater.inflate(payload).equals(materialize(content))).toBe(true)
        }
      }
    }
  })
})

describe('refuses', () => {
  it.each(WRONG.map(({ title, payload }) => [title, payload] as const))('%s', (_, payload) => {
    const bytes = typeof payload === 'string' ? bytesOf(payload) : payload
    expect(() => new MessageInflater(FULL).inflate(bytes)).toThrow('compressed: ')
  })

  it('a distance past the window, also within one message', () => {
    const content = materialize({ kind: 'random', size: 600, seed: 1 })
    const payload = deflateRawSync(Buffer.concat([content, content]), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
      0,
      -4,
    )
    expect(new MessageInflater({ bits: 10, takeover: true }).inflate(payload).length).toBe(1_200)
    const narrow = new MessageInflater({ bits: 9, takeover: true })
    expect(() => narrow.inflate(payload)).toThrow('compressed: a distance of 600, in a window of 512')
  })

  it.each([8, 9, 10, 11, 12, 13, 14])('a distance of twice the window of 2^%i', (bits) => {
    const stored = (size: number) =>
      deflateRawSync(Buffer.alloc(size, 1), { level: 0, finishFlush: constants.Z_SYNC_FLUSH })
    const inflater = new MessageInflater({ bits, takeover: true })
    inflater.inflate(stored(2 ** (bits + 1)).subarray(0, -4))
    expect(inflater.inflate(reach(bits)).length).toBe(3)
    expect(() => inflater.inflate(reach(bits + 1))).toThrow('before all that was sent')
  })

  it('a reference where nothing is kept', () => {
    const inflater = new MessageInflater({ bits: 15, takeover: false })
    inflater.inflate(hex('f248cdc9c90700'))
    expect(() => inflater.inflate(hex('f200110000'))).toThrow('before all that was sent')
  })
})

function bytesOf(text: string): Uint8Array {
  return text.startsWith('hex:') ? hex(text.slice(4).replaceAll(' ', '')) : Buffer.from(text)
}
