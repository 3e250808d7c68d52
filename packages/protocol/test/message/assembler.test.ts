import { describe, expect, test } from 'vitest'
import { MessageAssembler } from '../../src/message/assembler.ts'
import { portablePlatform } from '../../src/platform.ts'
import { concat, hex, pattern, toHex, utf8 } from '../support/bytes.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** An assembler that writes down how much memory it asks for. */
function recorded(): { assembler: MessageAssembler; allocated: number[] } {
  const allocated: number[] = []
  const assembler = new MessageAssembler({
    ...portablePlatform,
    copy(bytes, start, end) {
      allocated.push(end - start)
      return bytes.slice(start, end)
    },
    allocate(size) {
      allocated.push(size)
      return new Uint8Array(size)
    },
  })
  return { assembler, allocated }
}

/** Frames of a message, each as the chunks in which its payload comes. */
type Frames = readonly (readonly Uint8Array[])[]

function assemble(text: boolean, frames: Frames, assembler = new MessageAssembler(portablePlatform)): unknown {
  assembler.begin(text)
  for (const [index, chunks] of frames.entries()) {
    assembler.expect(
      chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      index === frames.length - 1,
    )
    for (const chunk of chunks) {
      const invalid = assembler.push(chunk, 0, chunk.length)
      if (invalid >= 0) return ['invalid', invalid]
    }
  }
  const message = assembler.end()
  return message instanceof Uint8Array ? toHex(message) : message
}

const HELLO: [string, Frames][] = [
  ['whole', [[utf8('Héllo €')]]],
  ['in chunks', [[utf8('H'), hex('c3'), hex('a9'), utf8('llo €')]]],
  ['in frames', [[utf8('H')], [], [hex('c3')], [hex('a9'), utf8('llo ')], [], [utf8('€')]]],
  ['whole in a last frame after an empty one', [[], [utf8('Héllo €')]]],
  ['with an empty last frame', [[utf8('Héllo €')], []]],
  ['bytewise in frames', [...utf8('Héllo €')].map((byte) => [Uint8Array.of(byte)])],
  ['bytewise in one frame', [[...utf8('Héllo €')].map((byte) => Uint8Array.of(byte))]],
]

describe('messages [I1, K2]', () => {
  test.each(HELLO)('text %s', (_, frames) => {
    expect(assemble(true, frames)).toBe('Héllo €')
  })

  test.each(HELLO)('binary %s', (_, frames) => {
    expect(assemble(false, frames)).toBe(toHex(utf8('Héllo €')))
  })

  test.each<[string, Frames]>([
    ['no chunk', [[]]],
    ['frames without a chunk', [[], [], []]],
    ['an empty chunk', [[new Uint8Array(0)]]],
  ])('empty ones: %s [G9]', (_, frames) => {
    expect(assemble(true, frames)).toBe('')
    expect(assemble(false, frames)).toBe('')
  })

  test('one after the other, of both kinds', () => {
    const assembler = new MessageAssembler(portablePlatform)
    const messages = [...HELLO, ...HELLO].map(([, frames], index) => assemble(index % 2 === 0, frames, assembler))
    expect(messages).toEqual(messages.map((_, index) => (index % 2 === 0 ? 'Héllo €' : toHex(utf8('Héllo €')))))
  })

  test.each([
    [0, 2, 'ab'],
    [1, 3, 'bc'],
    [2, 4, 'cd'],
    [0, 4, 'abcd'],
  ])('takes a part of a buffer, from %i to %i', (start, end, expected) => {
    const { assembler, allocated } = recorded()
    const size = end - start
    assembler.begin(true)
    assembler.expect(size, true)
    expect(assembler.push(utf8('abcd'), start, end)).toBe(-1)
    expect(assembler.end()).toBe(expected)
    assembler.begin(false)
    assembler.expect(size, true)
    expect(assembler.push(utf8('abcd'), start, end)).toBe(-1)
    expect(assembler.end()).toEqual(utf8(expected))
    assembler.begin(false)
    assembler.expect(size, false)
    expect(assembler.push(utf8('abcd'), start, end)).toBe(-1)
    assembler.expect(1, true)
    expect(assembler.push(utf8('xyz'), 1, 2)).toBe(-1)
    expect(assembler.end()).toEqual(utf8(`${expected}y`))
    expect(allocated).toEqual([size, size, size + 1])
  })

  test.each<[string, Frames]>([
    ['whole', [[hex('0102')]]],
    ['in chunks', [[hex('01'), hex('02')]]],
    ['in frames', [[hex('01')], [hex('02')]]],
  ])('binary %s belongs to the receiver: neither the input nor the next message changes it', (_, frames) => {
    const assembler = new MessageAssembler(portablePlatform)
    assembler.begin(false)
    const inputs = frames.map((chunks) => chunks.map((chunk) => Uint8Array.from(chunk)))
    inputs.forEach((chunks, index) => {
      assembler.expect(chunks.length === 2 ? 2 : (chunks[0]?.length ?? 0), index === inputs.length - 1)
      for (const chunk of chunks) assembler.push(chunk, 0, chunk.length)
    })
    const message = assembler.end()
    for (const chunk of inputs.flat()) chunk.fill(0xff)
    expect(assemble(false, [[hex('03')], [hex('04')]], assembler)).toBe('0304')
    expect(message).toEqual(hex('0102'))
  })
})

describe('text that is none [K1, K3, K4]', () => {
  test.each<[string, Frames, number]>([
    ['in a whole message', [[hex('61 62 ff 63')]], 2],
    ['in a later chunk', [[hex('61 62'), hex('63 ff')]], 1],
    ['in a frame that is not the last', [[hex('61 ff')], [hex('61')]], 1],
    ['begun in one frame, impossible in the next', [[hex('61 ed')], [hex('a0 80')]], 0],
    ['begun in one chunk, impossible in the next', [[hex('61 f4'), hex('90')]], 0],
    ['at the very first byte', [[hex('80')]], 0],
  ])('%s', (_, frames, index) => {
    expect(assemble(true, frames)).toEqual(['invalid', index])
  })

  test.each<[string, Frames]>([
    ['whole', [[hex('61 e2 82')]]],
    ['in chunks', [[hex('61'), hex('e2'), hex('82')]]],
    ['in frames', [[hex('61 e2')], [hex('82')]]],
    ['by an empty last frame', [[hex('61 e2')], []]],
  ])('cut short %s', (_, frames) => {
    expect(assemble(true, frames)).toBe(undefined)
  })

  test('the next message starts afresh after one that was cut short or invalid', () => {
    const assembler = new MessageAssembler(portablePlatform)
    expect(assemble(true, [[hex('61 e2')], []], assembler)).toBe(undefined)
    expect(assemble(true, [[utf8('a')], [utf8('b')]], assembler)).toBe('ab')
    expect(assemble(true, [[hex('f4')], [hex('90')]], assembler)).toEqual(['invalid', 0])
    expect(assemble(true, [[hex('e1')], [hex('bfbf')]], assembler)).toBe('\u1fff')
  })

  test('binary is not looked at [K8]', () => {
    expect(assemble(false, [[hex('ff')], [hex('c0')]])).toBe('ffc0')
  })
})

describe('memory follows the bytes [I5, M2]', () => {
  test('a message in one chunk: what it takes, once, and for text nothing', () => {
    const binary = recorded()
    assemble(false, [[pattern(3 * MIB)]], binary.assembler)
    expect(binary.allocated).toEqual([3 * MIB])
    const text = recorded()
    assemble(true, [[utf8('Hello')]], text.assembler)
    expect(text.allocated).toEqual([])
  })

  test('a frame in chunks: its declared length, once, up to 1 MiB', () => {
    const { assembler, allocated } = recorded()
    const payload = pattern(MIB)
    expect(assemble(false, [[payload.subarray(0, 10), payload.subarray(10)]], assembler)).toBe(toHex(payload))
    expect(allocated).toEqual([MIB])
  })

  test('a great declared length takes no more than 1 MiB, then twice what has come, and no more than declared', () => {
    const { assembler, allocated } = recorded()
    assembler.begin(false)
    assembler.expect(5 * MIB, true)
    const quarter = pattern(MIB / 4)
    for (let count = 0; count < 20; count++) assembler.push(quarter, 0, quarter.length)
    expect(allocated).toEqual([MIB, 2 * MIB, 4 * MIB, 5 * MIB])
    const message = assembler.end() as Uint8Array
    expect(message.length).toBe(5 * MIB)
    expect(toHex(message)).toBe(toHex(quarter).repeat(20))
  })

  test('one byte of a declared 16 MiB', () => {
    const { assembler, allocated } = recorded()
    assembler.begin(true)
    assembler.expect(16 * MIB, true)
    assembler.push(utf8('a'), 0, 1)
    expect(allocated).toEqual([MIB])
  })

  test('100,000 empty fragments take nothing', () => {
    const { assembler, allocated } = recorded()
    assembler.begin(true)
    for (let count = 0; count < 100_000; count++) assembler.expect(0, false)
    expect(allocated).toEqual([])
  })

  test('100,000 fragments of one byte take twice their bytes at most at a time, in 18 steps', () => {
    const { assembler, allocated } = recorded()
    assembler.begin(false)
    for (let count = 0; count < 100_000; count++) {
      assembler.expect(1, false)
      assembler.push(Uint8Array.of(count), 0, 1)
    }
    assembler.expect(0, true)
    expect((assembler.end() as Uint8Array).length).toBe(100_000)
    expect(allocated).toEqual(Array.from({ length: 18 }, (_, step) => 2 ** step))
  })

  test('drop gives all of it back', () => {
    const { assembler, allocated } = recorded()
    assembler.begin(false)
    assembler.expect(2, false)
    assembler.push(hex('0102'), 0, 2)
    assembler.drop()
    expect(assemble(false, [[hex('03')], [hex('04')]], assembler)).toBe('0304')
    expect(allocated).toEqual([2, 1, 2])
  })

  test('an empty binary message is made by the platform as every other', () => {
    const { assembler, allocated } = recorded()
    expect(assemble(false, [[], []], assembler)).toBe('')
    expect(allocated).toEqual([0])
  })

  test('drop forgets what has come of a message', () => {
    const { assembler } = recorded()
    assembler.begin(false)
    assembler.expect(2, false)
    assembler.push(hex('0102'), 0, 2)
    assembler.drop()
    expect(assembler.end()).toEqual(new Uint8Array(0))
  })

  test('drop forgets a whole message', () => {
    const { assembler } = recorded()
    assembler.begin(true)
    assembler.expect(1, true)
    assembler.push(utf8('a'), 0, 1)
    assembler.drop()
    expect(assembler.end()).toBe('')
  })

  test('begin forgets what was not ended', () => {
    const { assembler } = recorded()
    assembler.begin(true)
    assembler.expect(3, false)
    assembler.push(concat(utf8('a'), hex('e282')), 0, 3)
    expect(assemble(true, [[utf8('b')], [utf8('c')]], assembler)).toBe('bc')
    assembler.begin(false)
    assembler.expect(1, true)
    assembler.push(utf8('a'), 0, 1)
    expect(assemble(true, [[]], assembler)).toBe('')
  })
})
