// Installs what would be published as a stranger does: the tarballs, in a folder outside the workspace, where nothing but what was
// packed can be found. Offline: the packages depend on each other only.

import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildAndPack } from '../../../scripts/pack.ts'

/** Builds, packs and installs the three packages in an empty folder, with a copy of the fixtures. */
export function installPacked(folder: string): void {
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
}
