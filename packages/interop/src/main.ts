// `pnpm interop`: runs the contract over a choice of pairs and prints the table. `--all` runs every pair, controls included, and
// all variants of compression; `--update`, with `--all`, writes docs/interop.md. Exit code 1 if a check fails.

import { isControl, PAIRS, reduce } from './matrix.ts'
import { failuresOf, pageOf, skippedReasons, tableOf, writePage } from './report.ts'
import { type PairResult, runPairs, runTalks, type TalkResult } from './run.ts'
import { variants } from './variants.ts'
import { peerVersions } from './versions.ts'
import { skipReason, World } from './world.ts'

const flags = process.argv.slice(2)
const all = flags.includes('--all')
const update = flags.includes('--update')
const unknown = flags.find((flag) => flag !== '--all' && flag !== '--update')

if (unknown !== undefined || (update && !all)) {
  console.error('interop: usage: pnpm interop [--all [--update]]')
  process.exit(2)
}
const { pairs, talks } = await run()
const failures = failuresOf(pairs, talks)
const skipped = skippedReasons([...pairs, ...talks])

console.log(tableOf(pairs, talks))
for (const reason of skipped) console.log(`not run: ${reason}`)
for (const failure of failures) console.log(failure)
if (failures.length > 0) process.exitCode = 1
if (update && skipped.length > 0) {
  console.error('interop: docs/interop.md is written only where every peer is there')
  process.exitCode = 1
} else if (update) {
  await writePage(pageOf(pairs, talks, peerVersions()))
}

async function run(): Promise<{ pairs: PairResult[]; talks: TalkResult[] }> {
  const here = PAIRS.filter((pair) => !isControl(pair) && skipReason(pair) === undefined)
  const world = await World.create()
  try {
    return { pairs: await runPairs(world, all ? PAIRS : reduce(here)), talks: await runTalks(world, variants(all)) }
  } finally {
    await world.dispose()
  }
}
