// Adds up vitest's JSON reports to the line that closes a CI run. Rules: nothing is hidden (a file that failed without a
// failed test, by its imports or by the leak check, counts as one failure), a report that is missing is an error, and a
// run without a test is one too. Usage: summary.ts REPORT...

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** The part of a vitest report that is read. */
export interface Report {
  testResults: { status: string; assertionResults: { status: string }[] }[]
}

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** Counts the tests of several reports. */
export function count(reports: Report[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of reports.flatMap((report) => report.testResults)) {
    const statuses = file.assertionResults.map((test) => test.status)
    const failed = statuses.filter((status) => status === 'failed').length
    const passed = statuses.filter((status) => status === 'passed').length
    counts.passed += passed
    // Every other status (pending, skipped, todo, disabled) is a test that did not run.
    counts.skipped += statuses.length - passed - failed
    counts.failed += failed === 0 && file.status === 'failed' ? 1 : failed
  }
  return counts
}

/** The closing line. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** A run is good when tests ran and none failed. */
export function isGood({ passed, failed }: Counts): boolean {
  return passed > 0 && failed === 0
}

function main(paths: string[]): void {
  const missing: string[] = []
  const reports = paths.flatMap((path) => {
    try {
      return [JSON.parse(readFileSync(path, 'utf8')) as Report]
    } catch {
      missing.push(path)
      return []
    }
  })
  for (const path of missing) console.log(`no report: ${path}`)
  const counts = count(reports)
  console.log(closingLine(counts))
  process.exitCode = isGood(counts) && missing.length === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2))
