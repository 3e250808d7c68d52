// The runtimes beside Node: where they come from, and how they run a program. Rule: they come from the npm registry into a cache that the
// workspace's own install does not see, as the other Nodes of scripts/matrix.ts do; their packages for one platform hold the executable,
// so no install script has to run.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const CACHE = join(import.meta.dirname, '../../../../node_modules/.cache/runtimes')

export interface Runtime {
  readonly name: 'Node' | 'Bun' | 'Deno'
  readonly version: string
  readonly executable: string
  /** What comes before the program's path. */
  readonly args: readonly string[]
}

interface Source {
  /** The package for each platform that is known. */
  readonly packages: Readonly<Record<string, string>>
  readonly executable: string
  readonly args: readonly string[]
}

const SOURCES: Readonly<Record<'Bun' | 'Deno', Source>> = {
  Bun: {
    packages: { 'linux-x64': '@oven/bun-linux-x64', 'linux-arm64': '@oven/bun-linux-aarch64' },
    executable: 'bin/bun',
    args: [],
  },
  Deno: {
    packages: { 'linux-x64': '@deno/linux-x64-glibc', 'linux-arm64': '@deno/linux-arm64-glibc' },
    executable: 'deno',
    args: ['run', '--no-prompt', '--allow-net', '--allow-read', '--allow-write'],
  },
}

export const NODE: Runtime = {
  name: 'Node',
  version: process.versions.node,
  executable: process.execPath,
  args: [],
}

/** Installs a runtime; one that is there already is taken. @param version of its npm package, or `latest` */
export function installRuntime(name: 'Bun' | 'Deno', version: string): Runtime {
  const { packages, executable, args } = SOURCES[name]
  const platform = `${process.platform}-${process.arch}`
  const packageName = packages[platform]
  if (packageName === undefined) throw new Error(`${name}: no package is known for ${platform}`)
  const folder = join(CACHE, `${name}-${version}`)
  const path = join(folder, 'node_modules', packageName, executable)
  if (version === 'latest' || !existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    // A package.json of its own keeps npm from taking the workspace for the project.
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
    execFileSync('npm', ['install', ...flags, `${packageName}@${version}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  const [found = ''] = /\d+\.\d+\.\d+/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' })) ?? []
  return { name, version: found, executable: path, args }
}
