import os from 'node:os'
import { describe, expect, test } from 'vitest'
import { parseSample, Sampler, usageBetween } from '../../src/demo/sample.ts'

const times = (user: number, idle: number, rest = 0) => ({ user, nice: rest, sys: rest, idle, irq: rest })

describe('usageBetween', () => {
  test.each([
    ['all idle', [times(5, 100)], [times(5, 200)], { total: 0, cores: [0] }],
    ['all busy', [times(100, 5)], [times(200, 5)], { total: 100, cores: [100] }],
    ['every kind of work counts', [times(0, 0)], [times(10, 60, 10)], { total: 40, cores: [40] }],
    ['two cores', [times(0, 0), times(0, 0)], [times(30, 70), times(300, 0)], { total: 82.5, cores: [30, 100] }],
    ['no time has passed', [times(7, 7)], [times(7, 7)], { total: 0, cores: [0] }],
    ['one decimal', [times(0, 0)], [times(1, 2)], { total: 33.3, cores: [33.3] }],
    ['idle time runs backwards', [times(0, 100)], [times(50, 90)], { total: 100, cores: [100] }],
    ['a core was switched on', [times(0, 0)], [times(1, 1), times(9, 0)], { total: 50, cores: [50] }],
    ['a core was switched off', [times(0, 0), times(0, 0)], [times(1, 1)], { total: 50, cores: [50] }],
    ['no cores are known', [], [], { total: 0, cores: [] }],
  ])('%s', (_, before, after, usage) => {
    expect(usageBetween(before, after)).toEqual(usage)
  })
})

describe('Sampler', () => {
  test('takes the counters of this machine', () => {
    const before = Date.now()
    const sample = new Sampler().next()
    expect(sample.sequence).toBe(1)
    expect(sample.time).toBeGreaterThanOrEqual(before)
    expect(sample.load).toHaveLength(3)
    expect(sample.memory.total).toBe(os.totalmem())
    expect(sample.memory.free).toBeGreaterThan(0)
    expect(sample.memory.free).toBeLessThan(sample.memory.total)
    expect(sample.cpus).toHaveLength(os.cpus().length)
    expect(sample.usage.cores).toHaveLength(os.cpus().length)
    expect(sample.rss).toBeGreaterThan(2 ** 20)
    expect(sample.uptime).toBeGreaterThan(0)
  })

  test('numbers its samples', () => {
    const sampler = new Sampler()
    expect(Array.from({ length: 30 }, () => sampler.next().sequence)).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 1),
    )
  })
})

describe('parseSample', () => {
  test('reads what was sent', () => {
    const sample = new Sampler().next()
    expect(parseSample(JSON.stringify(sample))).toEqual(sample)
  })

  test.each(['', 'hello', 'null', '5', '[]', '{"sequence":1}'])('%j is no sample', (text) => {
    expect(parseSample(text)).toBeUndefined()
  })
})
