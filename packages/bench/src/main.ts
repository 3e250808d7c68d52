// `pnpm bench`: reads the command line, measures, and writes what was asked for. `--help` says what there is.

import { rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HELP, type Options, parseCommand } from './args.ts'
import { runBench, selectRows } from './bench.ts'
import { chartOf } from './report/chart.ts'
import { updatePage } from './report/markdown.ts'
import { hasErrors, type Report } from './report/report.ts'
import { textOf } from './report/text.ts'
import { ROOT } from './stage.ts'

const CHART = 'performance.svg'
const FAILED = 1
const WRONG = 2
const INTERRUPTED = 130

const args = process.argv.slice(2)
const command = parseCommand(args)
if (command.kind === 'help') process.stdout.write(HELP)
else if (command.kind === 'wrong') end(`bench: ${command.message}`, WRONG)
else await act(command)

async function act(known: Exclude<typeof command, { kind: 'help' | 'wrong' }>): Promise<void> {
  try {
    if (known.kind === 'list')
      for (const { id, title } of selectRows(known.row)) console.log(`${id.padEnd(36)}${title}`)
    else await bench(known.options)
  } catch (error) {
    end(`bench: ${(error as Error).message}`, FAILED)
  }
}

async function bench(options: Options): Promise<void> {
  const report = options.from === undefined ? await measure(options) : await readReport(options.from)
  console.log(textOf(report))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
  if (options.svg !== undefined) await writeFile(options.svg, await chartOf(report))
  if (options.update) await update(report)
  if (hasErrors(report)) process.exitCode = FAILED
}

function measure(options: Options): Promise<Report> {
  return runBench(options, ['npx -y pnpm@12 bench', ...withoutFiles(args)].join(' '), {
    line: (text) => console.error(text),
    step: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\x1b[2K${text}\r`)
    },
    folder: (path) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt(path))
    },
  })
}

/** What was measured does not depend on where the figures go, and the page is no place for somebody's folders. */
function withoutFiles(given: readonly string[]): string[] {
  const names = ['--json', '--svg']
  return given.filter((arg, index) => {
    const [name = ''] = arg.split('=')
    return !names.includes(name) && !names.includes(given[index - 1] ?? '')
  })
}

/** The processes that are being measured end with this one. */
function interrupt(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  process.exit(INTERRUPTED)
}

async function readReport(file: string): Promise<Report> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Report
  } catch (error) {
    throw new Error(`expected --from with a report that --json wrote; got ${file}: ${(error as Error).message}`)
  }
}

async function update(report: Report): Promise<void> {
  const docs = join(ROOT, 'docs')
  await writeFile(join(docs, CHART), await chartOf(report))
  await updatePage(join(docs, 'performance.md'), report, CHART)
}

function end(message: string, code: number): void {
  console.error(message)
  process.exitCode = code
}
