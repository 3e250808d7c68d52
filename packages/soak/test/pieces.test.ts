// What a soak is made of: its command line, its plan, and what counts as growth.

import { describe, expect, test } from 'vitest'
import { parseCommand } from '../src/args.ts'
import { grown } from '../src/memory.ts'
import { visitsOf } from '../src/plan.ts'

describe('the command line', () => {
  test.each([
    [['--minutes', '0'], 'expected --minutes with a number above 0, up to 10000; got 0'],
    [['--minutes', 'x'], 'expected --minutes with a number above 0, up to 10000; got x'],
    [['--minutes'], 'expected --minutes with a value; got none'],
    [['--connections', '1.5'], 'expected --connections with a whole number above 0, up to 15000; got 1.5'],
    [['--connections', '15001'], 'expected --connections with a whole number above 0, up to 15000; got 15001'],
    [['--seed=-1'], 'expected --seed with a whole number up to 2147483647; got -1'],
    [['--fast'], 'expected one of --minutes, --connections, --seed, --help; got --fast'],
    [['3'], 'expected only options; got 3'],
  ])('%j is wrong, and it is said what was expected and what came', (args, message) => {
    expect(parseCommand(args, 5)).toEqual({ kind: 'wrong', message })
  })

  test('by default 3 minutes, 1,000 clients, and any seed', () => {
    expect(parseCommand([], 5)).toEqual({ kind: 'run', options: { minutes: 3, connections: 1_000, seed: 5 } })
  })

  test('all can be set', () => {
    const args = ['--', '--minutes', '0.5', '--connections', '20', '--seed', '0']
    expect(parseCommand(args, 5)).toEqual({ kind: 'run', options: { minutes: 0.5, connections: 20, seed: 0 } })
    expect(parseCommand(['--help'], 5)).toEqual({ kind: 'help' })
  })
})

describe('the plan', () => {
  const first = (seed: number, place: number) => {
    const visits = visitsOf(seed, place)
    return Array.from({ length: 2_000 }, () => visits.next().value)
  }

  test('the same for the same seed and place, another for others', () => {
    expect(first(1, 0)).toEqual(first(1, 0))
    expect(first(2, 0)).not.toEqual(first(1, 0))
    expect(first(1, 1)).not.toEqual(first(1, 0))
  })

  test('every kind of visitor comes', () => {
    expect(new Set(first(1, 0).map(({ kind }) => kind)).size).toBe(15)
  })
})

test('memory may grow by 10 % or 5 MiB, whichever is more', () => {
  const MIB = 1024 * 1024
  const memory = (heapUsed: number) => ({ heapUsed: heapUsed * MIB, external: MIB, arrayBuffers: 0 })
  expect(grown(memory(10), memory(15))).toEqual([])
  expect(grown(memory(10), memory(15.1))).toEqual(['heapUsed'])
  expect(grown(memory(100), memory(110))).toEqual([])
  expect(grown(memory(100), memory(110.1))).toEqual(['heapUsed'])
  expect(grown(memory(100), memory(10))).toEqual([])
  expect(grown(memory(1), { ...memory(1), external: 7 * MIB, arrayBuffers: 6 * MIB })).toEqual([
    'external',
    'arrayBuffers',
  ])
})
