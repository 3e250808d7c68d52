// `pnpm conformance`: runs the catalogue at both ends, prints the table and the failures, and compares docs/conformance.md.
// Exit code 1 if a case fails or the page is out of date. `--update` rewrites the page; `--only text` runs the cases whose
// id contains the text, without the page; `--until-failure` stops at the first failure with exit code 3, without the page, and
// runs over TCP alone; names behind it are what the ids of the cases begin with that run, in that order.

import { CATALOGUE, SECTIONS } from './catalogue.ts'
import { BEGUN, FAULT_FOUND } from './mutants/exit.ts'
import { isUpToDate, writePage } from './page.ts'
import { failuresOf, pageOf, tableOf } from './report.ts'
import { runCatalogue, type Verdict } from './run.ts'

const FLAGS = ['--update', '--only', '--until-failure']
const HURRIED_TIMEOUT = 10_000
const [flag, ...names] = process.argv.slice(2)
const [only = ''] = names

if (flag !== undefined && !FLAGS.includes(flag)) {
  console.error(`conformance: unknown argument ${flag}; there are ${FLAGS.join(', ')}`)
  process.exit(2)
}
if (flag === '--until-failure') await runUntilFailure()
else await runAll(flag === '--only' ? CATALOGUE.filter(({ id }) => id.includes(only)) : CATALOGUE)

async function runUntilFailure(): Promise<void> {
  console.log(BEGUN)
  const cases = names.flatMap((name) => CATALOGUE.filter(({ id }) => id.startsWith(name)))
  await runCatalogue(names.length === 0 ? CATALOGUE : cases, {
    timeout: HURRIED_TIMEOUT,
    transports: ['tcp'],
    onFault: stop,
  })
}

function stop(verdict: Verdict): void {
  console.log(...failuresOf([verdict]))
  process.exit(FAULT_FOUND)
}

async function runAll(cases: typeof CATALOGUE): Promise<void> {
  const verdicts = await runCatalogue(cases)
  const failures = failuresOf(verdicts)
  console.log(tableOf(SECTIONS, verdicts))
  for (const failure of failures) console.log(failure)
  if (failures.length > 0 || !(await pageIsRight(verdicts))) process.exitCode = 1
}

async function pageIsRight(verdicts: readonly Verdict[]): Promise<boolean> {
  if (flag === '--only') return true
  const page = pageOf(SECTIONS, verdicts)
  if (flag === '--update') await writePage(page)
  const right = await isUpToDate(page)
  if (!right) console.error('docs/conformance.md is out of date: run `pnpm conformance --update`')
  return right
}
