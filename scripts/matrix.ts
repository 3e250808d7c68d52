// Runs the tests on the other Nodes that are supported, and in the other modes of the receive window (the main run is on the
// oldest Node, in the default mode). Rules: a Node comes from the npm registry into a cache that the workspace's own install
// does not see; vitest itself runs on that Node, and so do the processes that it forks; each run has a fixed time. Test files share
// the modules they load, which is a third of the work (not those of the project `apart`); the main run does not. Reports: reports/node-<major>-<mode>.json.

import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..')
const CACHE = join(ROOT, 'node_modules/.cache/nodes')
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs')
// Left out: what does not depend on the Node in use (workspace), tests the build (dist) or needs a browser (browser).
const PROJECTS = [
  'node',
  'apart',
  'server',
  'client',
  'cli',
  'examples',
  'testkit',
  'conformance',
  'conformance-http2',
  'interop',
]
const MODES: Readonly<Record<string, readonly string[]>> = {
  simd: ['protocol', ...PROJECTS],
  buffer: PROJECTS.filter(seesTheWindow),
  off: PROJECTS.filter(seesTheWindow),
}
interface Run {
  readonly major: string
  /** Of the receive window: `WS_RECEIVE_WINDOW`. With `'off'` nothing else touches Node's inside either. */
  readonly mode: string
}
const RUNS: readonly Run[] = [
  ...['22', '24', '26'].flatMap((major) => ['simd', 'off'].map((mode) => ({ major, mode }))),
  { major: '20', mode: 'off' },
  { major: '20', mode: 'buffer' },
]
// Tests mostly wait.
const AT_ONCE = availableParallelism() + 1
const TIME_OF_A_RUN = 900_000
const MOST_OUTPUT = 64 * 1024 * 1024

/** The core, HTTP/2 and programs of the library do not, nor do the peers of others see which mode it was. */
function seesTheWindow(project: string): boolean {
  return !['cli', 'conformance-http2', 'examples', 'interop', 'testkit'].includes(project)
}

const run = promisify(execFile)
const left = [...RUNS]
const failed: Run[] = []
await Promise.all(Array.from({ length: AT_ONCE }, work))
if (failed.length > 0) {
  console.error(`matrix: failed on ${failed.map(({ major, mode }) => `Node ${major} (${mode})`).join(', ')}`)
  process.exit(1)
}

async function work(): Promise<void> {
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    if (!(await passes(next))) failed.push(next)
  }
}

async function passes({ major, mode }: Run): Promise<boolean> {
  const report = join(ROOT, `reports/node-${major}-${mode}.json`)
  rmSync(report, { force: true })
  try {
    const node = process.version.startsWith(`v${major}.`) ? process.execPath : install(major)
    const version = execFileSync(node, ['-p', 'process.version'], { encoding: 'utf8' }).trim()
    if (!version.startsWith(`v${major}.`)) throw new Error(`asked for Node ${major}, got ${version}`)
    const projects = (MODES[mode] ?? []).flatMap((name) => ['--project', name])
    const { stdout } = await run(node, [VITEST, 'run', '--maxWorkers=1', ...projects, `--outputFile.json=${report}`], {
      cwd: ROOT,
      env: {
        ...process.env,
        WS_RECEIVE_WINDOW: mode,
        WS_TEST_ISOLATE: 'off',
        ...(mode === 'off' && { WS_SOCKET_WRITE: 'public', WS_SYNC_ZLIB: 'off' }),
      },
      timeout: TIME_OF_A_RUN,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT,
    })
    console.log(`matrix: Node ${version}, receive window ${mode}\n${stdout}`)
    return true
  } catch (error) {
    const { message, stdout = '' } = error as Error & { stdout?: string }
    console.error(`matrix: Node ${major} (${mode}): ${message}\n${stdout}`)
    return false
  }
}

/** Installs the newest release of a major into the cache; yields the path of its executable. */
function install(major: string): string {
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(CACHE, major)
  mkdirSync(folder, { recursive: true })
  // A package.json of its own keeps npm from taking the workspace for the project.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', `${name}@${major}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return join(folder, 'node_modules', name, 'bin/node')
}
