// The fuzzer's corpus and a short run of each of its targets; and that the fuzzer would find, shrink and repeat a fault.
// `pnpm fuzz` runs longer.

import { seeded } from '@ws/testkit'
import { describe, expect, test } from 'vitest'
import { parseKept, readCorpus } from './fuzz/corpus.ts'
import { Fuzzer, faultOf, minimise, watched } from './fuzz/engine.ts'
import { towards } from './fuzz/frames.ts'
import { referenceExtensions } from './fuzz/handshake.ts'
import { mutate } from './fuzz/random.ts'
import type { Target } from './fuzz/target.ts'
import { TARGETS } from './fuzz/targets.ts'
import { hex, toHex, utf8 } from './support/bytes.ts'

/** Inflating bit by bit takes its time. */
const MUTATIONS = 1000
const SLOW_MUTATIONS = 200

describe.each(TARGETS)('$name', (target) => {
  test.each(readCorpus(target.corpus))('kept: $name [M6]', ({ bytes, comment }) => {
    expect(faultOf(target, target.prepare?.(bytes) ?? bytes)).toBe(undefined)
    expect(comment).toMatch(/^[A-Z\d].*\.$/)
  })

  test('mutations', () => {
    const count = ['deflate', 'messages'].includes(target.corpus) ? SLOW_MUTATIONS : MUTATIONS
    const fuzzer = new Fuzzer(target, 1)
    expect([fuzzer.batch(count), fuzzer.failure]).toEqual([true, undefined])
    expect(fuzzer.runs).toBe(count)
    expect(fuzzer.verdicts.size).toBeGreaterThan(2)
  })
})

describe('the fuzzer', () => {
  /** A target with a fault: bytes `8` and `f` hex anywhere, in this order, next to each other. */
  const faulty: Target = {
    name: 'faulty',
    corpus: 'tokens',
    words: [utf8('x'), hex('8f')],
    judge: (input) => {
      if (toHex(input).includes('8f')) throw new Error('there it is')
      return 'ok'
    },
    show: toHex,
  }

  test('finds a fault, shrinks it, and finds it again by its seed', () => {
    const find = () => {
      const fuzzer = new Fuzzer(faulty, 7)
      while (fuzzer.batch()) {}
      return fuzzer
    }
    const { failure, runs } = find()
    expect(failure).toEqual({ target: 'faulty', input: hex('8f'), shown: '8f', message: 'there it is' })
    expect(find().runs).toBe(runs)
  })

  test('does not wait for what hangs', () => {
    const hanging: Target = {
      ...faulty,
      judge: () => {
        for (;;) {}
      },
    }
    expect(faultOf(hanging, hex('00'), 50)).toBe('Script execution timed out after 50ms')
    expect(watched(() => 'and goes on')).toBe('and goes on')
  })

  test('begins with what is kept, and with what a target makes', () => {
    const inputs: string[] = []
    const note = (input: Uint8Array) => String(inputs.push(toHex(input)))
    const fuzzer = new Fuzzer({ ...faulty, seeds: [utf8('made')], judge: note }, 7)
    const kept = readCorpus('tokens').map(({ bytes }) => toHex(bytes))
    fuzzer.batch(kept.length + 1)
    expect(inputs).toEqual([...kept, toHex(utf8('made'))])
  })

  test('minimise leaves what is needed, wherever it stands', () => {
    const fails = (input: Uint8Array) => input.includes(1) && input.includes(2)
    expect(toHex(minimise(hex('00 01 00 00 03 02 00'), fails))).toBe('0102')
    expect(toHex(minimise(hex('01 02'), () => true))).toBe('')
  })

  test('a seed repeats its mutations', () => {
    const made = (seed: number) => {
      const random = seeded(seed)
      return Array.from({ length: 50 }, () => toHex(mutate(random, hex('0102030405'), hex('aabb'), [hex('ff')])))
    }
    expect(made(1)).toEqual(made(1))
    expect(made(1)).not.toEqual(made(2))
  })
})

test('kept inputs are hex or text, behind their comment', () => {
  expect(parseKept('a.hex', '# One,\n# two.\n81 05\n48\n')).toEqual({
    name: 'a.hex',
    comment: 'One, two.',
    bytes: hex('810548'),
  })
  expect(parseKept('a.txt', '# Two lines.\na;\n b\n').bytes).toEqual(utf8('a;\n b'))
})

test('streams of the corpus are masked towards a server, what cannot be read as far as its second byte', () => {
  expect(toHex(towards('client', hex('8101 61')))).toBe('810161')
  expect(toHex(towards('server', hex('8101 61 8300 01')))).toBe('818137fa213d56838001')
  expect(toHex(towards('server', hex('81')))).toBe('81')
  expect(toHex(towards('server', hex('c100 c101 00')))).toBe('c180c10100')
  const deflate = { windowBits: 15, takeover: true }
  expect(toHex(towards('server', hex('c100 c101 00'), deflate))).toBe('c18037fa213dc18137fa213d37')
})

test('the reference of the extension header, by the examples of §9.1', () => {
  expect(referenceExtensions(['foo'])).toEqual([{ name: 'foo', parameters: [] }])
  expect(referenceExtensions(['bar; baz=2'])).toEqual([{ name: 'bar', parameters: [{ name: 'baz', value: '2' }] }])
  expect(referenceExtensions(['foo, bar; baz="\\2"; x', ''])).toEqual([
    { name: 'foo', parameters: [] },
    {
      name: 'bar',
      parameters: [
        { name: 'baz', value: '2' },
        { name: 'x', value: undefined },
      ],
    },
  ])
  expect(
    ['', ',', 'a;', 'a b', 'a; b=', 'a; b="', 'a; b="x y"', 'a; b="c"d'].map((line) => referenceExtensions([line])),
  ).toEqual(Array(8).fill(undefined))
})
