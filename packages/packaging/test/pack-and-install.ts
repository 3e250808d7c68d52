// Global setup of the `dist` project: builds and packs the three packages, and installs the tarballs in an empty folder
// outside the workspace, where nothing but what was packed can be found. Offline: the packages depend on each other only.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildAndPack } from '../../../scripts/pack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with the installed packages and a copy of the fixtures. */
    installed: string
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'ws-dist-'))
  const { protocol, server, client } = buildAndPack(join(folder, 'tarballs'))
  const dependencies = {
    '@ws/protocol': `file:${protocol}`,
    '@ws/server': `file:${server}`,
    '@ws/client': `file:${client}`,
  }
  // The override makes the packed `@ws/protocol` the one that the other two get.
  const manifest = { private: true, dependencies, overrides: { '@ws/protocol': '$@ws/protocol' } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  cpSync(join(import.meta.dirname, '../fixtures'), join(folder, 'fixtures'), { recursive: true })
  project.provide('installed', folder)
  return () => rmSync(folder, { recursive: true })
}
