// The whole catalogue, at both ends, and the page that tells of it.

import { describe, expect, it } from 'vitest'
import { CATALOGUE, SECTIONS } from '../src/catalogue.ts'
import { isUpToDate } from '../src/page.ts'
import { failuresOf, pageOf, tableOf } from '../src/report.ts'
import { runCatalogue, type Verdict } from '../src/run.ts'

describe('the catalogue', () => {
  it('has a name of its own for each case, in its section', () => {
    const ids = CATALOGUE.map(({ id }) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    const strays = SECTIONS.flatMap(({ name, cases }) => cases.filter(({ id }) => !id.startsWith(`${name}/`)))
    expect(strays.map(({ id }) => id)).toEqual([])
  })

  it('names the requirements of each case', () => {
    expect(CATALOGUE.filter(({ rows }) => rows.length === 0 || rows.some((row) => !/^[A-T]\d+$/.test(row)))).toEqual([])
  })

  it('passes at the server and at the client, and docs/conformance.md says so', async () => {
    const verdicts = await runCatalogue(CATALOGUE)
    expect(failuresOf(verdicts)).toEqual([])
    expect(await isUpToDate(pageOf(SECTIONS, verdicts)), 'run `pnpm conformance --update`').toBe(true)
  })
})

describe('the runner', () => {
  it('fails a case whose answer is another one, or does not come', async () => {
    const echo = CATALOGUE.find(({ id }) => id === 'pings/ping-text')
    if (echo === undefined) throw new Error('the case is gone')
    const verdicts = await runCatalogue(
      [
        { ...echo, id: 'wrong-answer', steps: [...echo.steps.slice(0, 1), { expect: [{ opcode: 8, code: 1002 }] }] },
        { ...echo, id: 'no-answer', steps: [{ expect: [{ opcode: 10, payload: Uint8Array.of(1) }] }] },
        { ...echo, id: 'wrong-end', outcome: 'failed' },
        { ...echo, id: 'wrong-report', reported: { code: 1001, wasClean: true } },
        { ...echo, id: 'more-came', steps: [...echo.steps.slice(0, 1)] },
      ],
      { timeout: 100 },
    )
    const pong = 'pong of 13 bytes [48656c6c6f2c2077c3b6726c64]'
    expect(faultsAt(verdicts, 'server')).toEqual({
      'wrong-answer': `expected Close 1002, got ${pong}`,
      'no-answer': 'nothing came for 100 ms',
      'wrong-end': 'nothing came for 100 ms',
      'wrong-report': 'expected that 1001, clean is reported, got 1000, clean',
      'more-came': `expected Close 1000, got ${pong}`,
    })
    expect(faultsAt(verdicts, 'client')).toEqual(faultsAt(verdicts, 'server'))
    expect(tableOf(SECTIONS, verdicts).split('\n').at(-1)).toMatch(/^all +\d+ +0 +5 +0 +5$/)
  })
})

function faultsAt(verdicts: readonly Verdict[], end: string): Record<string, string | undefined> {
  return Object.fromEntries(
    verdicts.filter((verdict) => verdict.end === end).map(({ test, fault }) => [test.id, fault]),
  )
}
