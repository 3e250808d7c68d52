// `pnpm runtimes`: the packed packages on Bun and Deno, both ends and with Node at the other end, compared with docs/runtimes.md in the
// versions that the page tells of. `--update` takes the newest and rewrites the results. Exit code 1 if something differs, or fails on Node.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPacked } from '../install.ts'
import { type Column, differences, tableOf, updatePage, versionInPage } from './page.ts'
import { runPair } from './pair.ts'
import { installRuntime, NODE, type Runtime } from './runtimes.ts'

const flags = process.argv.slice(2)
const update = flags.includes('--update')
if (flags.some((flag) => flag !== '--update')) {
  console.error('runtimes: usage: pnpm runtimes [--update]')
  process.exit(2)
}

const others = (['Bun', 'Deno'] as const).map((name) => installRuntime(name, update ? 'latest' : versionInPage(name)))
const versions = [...others, NODE].map(({ name, version }) => `${name} ${version}`).join(', ')
const folder = mkdtempSync(join(tmpdir(), 'ws-runtimes-'))
try {
  installPacked(folder)
  // The control: what is asked for is what Node gives.
  const control = await tried(NODE, NODE)
  const columns: Column[] = []
  for (const runtime of others) {
    columns.push(await tried(runtime, runtime), await tried(runtime, NODE), await tried(NODE, runtime))
  }
  const table = tableOf(columns)
  console.log(`${versions}\n\n${table}\n`)
  if (update) updatePage(versions, table)
  const onNode = [...control.outcome.values()].filter((fault) => fault !== undefined)
  const differing = [...differences(table), ...onNode.map(() => 'a check fails on Node')]
  for (const line of differing) console.error(line)
  if (differing.length > 0) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}

async function tried(server: Runtime, client: Runtime): Promise<Column> {
  const name = server === client ? server.name : `${server.name} server, ${client.name} client`
  const outcome = await runPair(server, client, folder)
  for (const [check, fault] of outcome) if (fault !== undefined) console.error(`${name}: ${check}: ${fault}`)
  return { name, outcome }
}
