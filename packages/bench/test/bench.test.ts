// Real runs, as short as they can be: real processes, real sockets. Times are never looked at, only that there are figures.

import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Options, parseCommand } from '../src/args.ts'
import { runBench, selectRows } from '../src/bench.ts'
import type { ChannelCost } from '../src/job.ts'
import { Child, Unable } from '../src/process/child.ts'
import { allowedCores } from '../src/process/cores.ts'
import { makeFolder, makeStage, ROOT, removeFolder } from '../src/stage.ts'

const TIMEOUT = 60_000

function options(...args: string[]): Options {
  const command = parseCommand(['--quick', ...args])
  if (command.kind !== 'run') throw new Error(`not a run: ${args.join(' ')}`)
  return command.options
}

test(
  'a run of echo with ours, node:net and our transport has figures for all, and leaves nothing behind',
  async () => {
    const folders: string[] = []
    const progress = { line: () => {}, step: () => {}, folder: (path: string) => void folders.push(path) }
    const report = await runBench(options('--row', '^echo-20x1KiBx16$', '--only', 'ours,net,window'), 'bench', progress)
    const [row] = report.groups.flatMap(({ rows }) => rows)
    expect(row?.id).toBe('echo-20x1KiBx16')
    for (const id of ['ours', 'net', 'window']) {
      const outcome = row?.outcomes[id]
      expect(outcome?.errors).toEqual([])
      for (const metric of ['perSecond', 'perCpuSecond', 'cpuShare', 'peakRss'] as const) {
        expect(outcome?.medians[metric], `${metric} of ${id}`).toBeGreaterThan(0)
      }
    }
    expect(row?.outcomes.net?.ours).toBeGreaterThan(0)
    expect(folders.map((folder) => existsSync(folder))).toEqual([false])
  },
  TIMEOUT,
)

test(
  'compressed messages come back from ours and from ws, node:net has no part in it',
  async () => {
    const progress = { line: () => {}, step: () => {}, folder: () => {} }
    const pattern = '^(deflate|takeover)-100x100Bx16$'
    const report = await runBench(options('--row', pattern, '--only', 'ours,ws,net'), 'bench', progress)
    const rows = report.groups.flatMap((group) => group.rows)
    expect(rows.map(({ id }) => id)).toEqual(['deflate-100x100Bx16', 'takeover-100x100Bx16'])
    for (const { outcomes } of rows) {
      expect(Object.keys(outcomes)).toEqual(['ours', 'ws'])
      for (const { errors, medians } of Object.values(outcomes)) {
        expect(errors).toEqual([])
        expect(medians.perCpuSecond).toBeGreaterThan(0)
      }
    }
  },
  TIMEOUT,
)

test(
  'messages come back over streams of HTTP/2, from ours and from node:http2',
  async () => {
    const progress = { line: () => {}, step: () => {}, folder: () => {} }
    const report = await runBench(options('--row', '^(http2|h2c)-100x64Bx1$'), 'bench', progress)
    const rows = report.groups.flatMap((group) => group.rows)
    expect(rows.map(({ id }) => id)).toEqual(['http2-100x64Bx1', 'h2c-100x64Bx1'])
    for (const { outcomes } of rows) {
      expect(Object.keys(outcomes)).toEqual(['ours', 'net'])
      for (const { errors, medians } of Object.values(outcomes)) {
        expect(errors).toEqual([])
        expect(medians.perCpuSecond).toBeGreaterThan(0)
      }
    }
  },
  TIMEOUT,
)

test(
  'the delay of the event loop is sampled while bombs come',
  async () => {
    const progress = { line: () => {}, step: () => {}, folder: () => {} }
    const report = await runBench(options('--row', '^deflate-delay-bombs$', '--only', 'ours'), 'bench', progress)
    const outcome = report.groups[0]?.rows[0]?.outcomes.ours
    expect(outcome?.errors).toEqual([])
    const { perSecond, loopDelayP99 = 0, loopDelayMax = 0 } = outcome?.medians ?? {}
    expect(perSecond).toBeGreaterThan(0)
    expect(loopDelayP99).toBeGreaterThan(0)
    expect(loopDelayMax).toBeGreaterThanOrEqual(loopDelayP99)
  },
  TIMEOUT,
)

test(
  'copies of the library with channels and without take turns; the one without has no look at any',
  async () => {
    const folder = await makeFolder()
    const stage = await makeStage(folder, ROOT)
    const looks = (copy: string): number =>
      readFileSync(stage.program(`channels/${copy}`), 'utf8').split('.hasSubscribers').length - 1
    expect([looks('whole') > 3, looks('without')]).toEqual([true, 0])
    const child = await Child.start({
      name: 'channels',
      program: stage.program('channels/main'),
      parameter: {},
      core: undefined,
    })
    const { channelCost, channelCostAgain } = await child.request<ChannelCost>('measure', 0.01, 10)
    expect(channelCost).toBeGreaterThan(0)
    expect(channelCostAgain).toBeGreaterThan(0)
    await child.end()
    await removeFolder(folder)
  },
  TIMEOUT,
)

test('a program that fails, cannot or ends is told apart, with what it wrote', async () => {
  const folder = await makeFolder()
  const start = async (source: string): Promise<unknown> => {
    const program = join(folder, 'program.mjs')
    await writeFile(program, source)
    return Child.start({ name: 'it', program, parameter: {}, core: undefined }).catch((error: unknown) => error)
  }
  expect(await start("process.send({ kind: 'failed', reason: 'no port' })")).toEqual(new Error('it: no port'))
  expect(await start("process.send({ kind: 'unable', reason: 'no binary' })")).toEqual(new Unable('no binary'))
  expect(await start("console.error('oh'); process.exit(3)")).toEqual(
    new Error('it: ended by itself (exit code 3); it wrote: oh'),
  )
  await removeFolder(folder)
})

test('a process that crashes while it is asked rejects the request', async () => {
  const folder = await makeFolder()
  const program = join(folder, 'program.mjs')
  await writeFile(
    program,
    "process.on('message', () => process.exit(4)); process.send({ kind: 'ready', port: 1, version: '' })",
  )
  const child = await Child.start({ name: 'it', program, parameter: {}, core: undefined })
  await expect(child.request('usage')).rejects.toThrow('it: ended by itself (exit code 4)')
  await child.end()
  await removeFolder(folder)
})

test('a pattern that matches no row is an error', () => {
  expect(() => selectRows(/^nothing$/)).toThrow('expected --row to match the id of a row (see --list); got ^nothing$')
})

test('every row has an id of its own', () => {
  const ids = selectRows(/./).map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

test('the cores that a process may use are read from its status', () => {
  expect(allowedCores('Name:\tnode\nCpus_allowed:\t2f\nCpus_allowed_list:\t0-3,5\n')).toEqual([0, 1, 2, 3, 5])
  expect(allowedCores('Name:\tnode\n')).toEqual([])
})
