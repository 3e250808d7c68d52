// From options to a report: what is to be measured is prepared, measured and cleared away.

import { join } from 'node:path'
import type { Options } from './args.ts'
import { writeCertificates } from './certificate-files.ts'
import { COMPETITORS, installCompetitors } from './competitors.ts'
import { BASE, CONTESTANTS, type Contestant, OURS } from './contestants.ts'
import { format } from './figures.ts'
import { thisMachine } from './machine.ts'
import { chooseCores } from './process/cores.ts'
import { type Report, reportOf } from './report/report.ts'
import { commitOf, unpack } from './revision.ts'
import { GROUPS, type Row } from './rows.ts'
import { type Entrant, type RowResult, runRows } from './run.ts'
import { makeFolder, makeStage, ROOT, removeFolder } from './stage.ts'
import { medians } from './stats.ts'

/** What a run tells while it goes on. */
export interface Progress {
  /** A line that stays. */
  line(text: string): void
  /** What is being done now. */
  step(text: string): void
  /** A folder that must not stay behind. */
  folder(path: string): void
}

/** The rows whose id matches. @throws Error if there is none */
export function selectRows(pattern: RegExp): Row[] {
  const rows = GROUPS.flatMap((group) => group.rows).filter(({ id }) => pattern.test(id))
  if (rows.length === 0) throw new Error(`expected --row to match the id of a row (see --list); got ${pattern.source}`)
  return rows
}

export async function runBench(options: Options, command: string, progress: Progress): Promise<Report> {
  const rows = selectRows(options.row)
  const folder = await makeFolder()
  progress.folder(folder)
  try {
    return await runIn(folder, rows, options, command, progress)
  } finally {
    await removeFolder(folder)
  }
}

async function runIn(
  folder: string,
  rows: readonly Row[],
  options: Options,
  command: string,
  progress: Progress,
): Promise<Report> {
  const { rounds, seconds, compare } = options
  const entrants = compare === undefined ? await others(folder, options, progress) : await revisions(folder, compare)
  const cores = chooseCores()
  const result = await runRows({
    rows,
    entrants,
    rounds,
    surroundings: { cores, seconds, competitors: COMPETITORS, tls: await writeCertificates(folder) },
    onRow: (row) => progress.line(summary(row, entrants)),
    onStep: progress.step,
  })
  const contestants = entrants.map(({ contestant }) => contestant)
  const machine = thisMachine()
  return reportOf({ machine, command, rounds, seconds, cores: cores.note, contestants, groups: GROUPS }, result)
}

async function others(folder: string, { only }: Options, progress: Progress): Promise<Entrant[]> {
  const chosen = CONTESTANTS.filter(({ id }) => only.includes(id))
  const stage = await makeStage(join(folder, 'here'), ROOT)
  const absent = chosen.some(isInstalled) ? await installCompetitors(() => progress.line(INSTALLING)) : undefined
  return chosen.map((contestant) => ({ contestant, stage, absent: isInstalled(contestant) ? absent : undefined }))
}

const INSTALLING = 'installing uWebSockets.js for the comparison, once (about 100 MB) …'

function isInstalled({ id }: Contestant): boolean {
  return id === 'uws'
}

async function revisions(folder: string, revision: string): Promise<Entrant[]> {
  const commit = await commitOf(revision)
  const tree = join(folder, 'tree')
  await unpack(commit, tree)
  return [
    { contestant: OURS, stage: await makeStage(join(folder, 'here'), ROOT) },
    { contestant: { ...BASE, title: commit }, stage: await makeStage(join(folder, 'base'), tree) },
  ]
}

function summary({ row, outcomes }: RowResult, entrants: readonly Entrant[]): string {
  const parts = entrants.flatMap(({ contestant: { id, title } }) => {
    const outcome = outcomes[id]
    if (outcome === undefined || outcome.skipped !== undefined) return []
    const value = medians(outcome.rounds)[row.metric]
    return [`${title} ${value === undefined ? 'failed' : format(value, row.metric)}`]
  })
  return `${row.id}: ${parts.join(', ')}`
}
