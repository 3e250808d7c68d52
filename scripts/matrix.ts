// Runs the tests on the other Nodes that are supported (the main run is on the oldest). Rules: a Node comes from the npm
// registry into a cache that the workspace's own install does not see; vitest itself runs on that Node, and so do the
// processes that it forks; each run has a fixed time. Reports: reports/node-<major>.json.

import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const CACHE = join(ROOT, 'node_modules/.cache/nodes')
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs')
const NODES = ['22', '24', '26']
// Left out: what does not depend on the Node in use (workspace), tests the build (dist) or needs a browser (browser).
const PROJECTS = ['protocol', 'node', 'server', 'client', 'examples', 'testkit', 'conformance']
const TIME_OF_A_RUN = 90_000

const failed = NODES.filter((major) => !runOn(major))
if (failed.length > 0) {
  console.error(`matrix: failed on Node ${failed.join(', ')}`)
  process.exit(1)
}

function runOn(major: string): boolean {
  const report = join(ROOT, `reports/node-${major}.json`)
  rmSync(report, { force: true })
  try {
    const node = install(major)
    const version = execFileSync(node, ['-p', 'process.version'], { encoding: 'utf8' }).trim()
    if (!version.startsWith(`v${major}.`)) throw new Error(`asked for Node ${major}, got ${version}`)
    console.log(`matrix: Node ${version}`)
    const projects = PROJECTS.flatMap((name) => ['--project', name])
    execFileSync(node, [VITEST, 'run', ...projects, `--outputFile.json=${report}`], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: TIME_OF_A_RUN,
      killSignal: 'SIGKILL',
    })
    return true
  } catch (error) {
    console.error(`matrix: Node ${major}: ${(error as Error).message}`)
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
