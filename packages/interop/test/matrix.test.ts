// The choice of pairs, and the page that shows them all.

import { describe, expect, it } from 'vitest'
import { CONTRACT } from '../src/contract.ts'
import { isControl, meetingsOf, PAIRS, product, reduce } from '../src/matrix.ts'
import { readPage } from '../src/report.ts'
import { TALKS, variants } from '../src/variants.ts'

describe('the choice', () => {
  it('has all pairs to choose from, once', () => {
    expect(PAIRS).toHaveLength(7 * 4 * 2 * 2)
    expect(new Set(PAIRS.map((pair) => JSON.stringify(pair))).size).toBe(PAIRS.length)
    expect(PAIRS.filter(isControl)).toHaveLength(5 * 2 * 2 * 2)
  })

  it('lets every two values meet that meet in some pair of ours', () => {
    const ours = PAIRS.filter((pair) => !isControl(pair))
    const chosen = reduce(ours)
    expect(new Set(chosen.flatMap(meetingsOf))).toEqual(new Set(ours.flatMap(meetingsOf)))
    expect(chosen.length).toBeLessThan(ours.length / 3)
    expect(ours).toEqual(expect.arrayContaining(chosen))
  })

  it('takes no more than it must where all values may meet', () => {
    const combinations = product({ a: [1, 2], b: [1, 2], c: [1, 2] })
    expect(combinations).toHaveLength(8)
    expect(reduce(combinations)).toHaveLength(4)
    expect(meetingsOf({ a: 1, b: 2, c: true })).toEqual(['a=1 b=2', 'a=1 c=true', 'b=2 c=true'])
  })

  it('has every two options of compression', () => {
    const meetings = (all: boolean) => new Set(variants(all).flatMap(meetingsOf)).size
    expect(meetings(true)).toBe(2 * 2 + 4 * 2 * 7 + 7 * 7)
    expect(meetings(false)).toBe(6 * 2 * 2)
  })
})

describe('docs/interop.md', () => {
  it('has the contract and a passed run of every pair; else run `pnpm interop --all --update`', async () => {
    const page = await readPage()
    expect(page.match(/^- (.+)$/gm)).toEqual(expect.arrayContaining(CONTRACT.map(({ name }) => `- ${name}`)))
    expect(page.match(/\d+ passed/g)).toHaveLength(PAIRS.length + TALKS.length)
    expect(page).not.toMatch(/FAILED|not run/)
  })
})
