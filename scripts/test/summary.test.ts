// The closing line of a CI run: reports in, line and exit code out.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { closingLine, count, isGood, type Report } from '../summary.ts'

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((status) => ({ status })),
})
const report = (...testResults: Report['testResults']): Report => ({ testResults })

const GOOD = report(file('passed', 'passed', 'passed'), file('passed', 'passed'))
const SKIPPING = report(file('passed', 'passed', 'pending', 'todo', 'skipped'))
const FAILING = report(file('failed', 'passed', 'failed', 'failed'))
const LEAKING = report(file('failed', 'passed'))
const BROKEN = report(file('failed'))

describe('counts and judges', () => {
  test.each([
    ['one report', [GOOD], '3 passed, 0 failed', true],
    ['several reports', [GOOD, GOOD], '6 passed, 0 failed', true],
    ['tests that did not run', [GOOD, SKIPPING], '4 passed, 0 failed, 3 skipped', true],
    ['failed tests', [GOOD, FAILING], '4 passed, 2 failed', false],
    ['a file that leaks although its tests pass', [LEAKING], '1 passed, 1 failed', false],
    ['a file that does not load', [GOOD, BROKEN], '3 passed, 1 failed', false],
    ['no test', [report()], '0 passed, 0 failed', false],
    ['only skipped tests', [report(file('passed', 'pending'))], '0 passed, 0 failed, 1 skipped', false],
  ])('%s', (_name, reports, line, good) => {
    const counts = count(reports)
    expect(closingLine(counts)).toBe(line)
    expect(isGood(counts)).toBe(good)
  })
})

describe('as a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ws-summary-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  function save(name: string, report: Report): string {
    const path = join(folder, name)
    writeFileSync(path, JSON.stringify(report))
    return path
  }

  function summary(...paths: string[]): Promise<{ lines: string[]; code: number }> {
    const script = join(import.meta.dirname, '../summary.ts')
    return new Promise((resolve) => {
      const child = execFile(process.execPath, ['--import', 'tsx', script, ...paths], (_error, stdout) => {
        resolve({ lines: stdout.trimEnd().split('\n'), code: child.exitCode ?? -1 })
      })
    })
  }

  test('prints the line, last, and exits 0 for a good run', async () => {
    expect(await summary(save('good.json', GOOD))).toEqual({ lines: ['3 passed, 0 failed'], code: 0 })
  })

  test('exits 1 for a failed test', async () => {
    expect(await summary(save('failing.json', FAILING))).toEqual({ lines: ['1 passed, 2 failed'], code: 1 })
  })

  test('exits 1 for a missing report, and names it', async () => {
    const missing = join(folder, 'none.json')
    expect(await summary(save('good.json', GOOD), missing)).toEqual({
      lines: [`no report: ${missing}`, '3 passed, 0 failed'],
      code: 1,
    })
  })
})
