// Installs what would be published as a stranger does: the tarballs, in a folder outside the workspace, where nothing but what was
// packed can be found. Offline: what the command line uses of others is packed too, from the workspace.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildAndPack } from '../../../scripts/pack.ts'

/** What `@ws/cli` depends on beside ours. */
const FOREIGN = ['commander', 'picocolors']

/** Builds, packs and installs the packages in an empty folder, with a copy of the fixtures. */
export function installPacked(folder: string): void {
  const tarballs = join(folder, 'tarballs')
  const { protocol, server, client, cli } = buildAndPack(tarballs)
  const dependencies = {
    '@ws/protocol': `file:${protocol}`,
    '@ws/server': `file:${server}`,
    '@ws/client': `file:${client}`,
    '@ws/cli': `file:${cli}`,
    ...Object.fromEntries(FOREIGN.map((name) => [name, `file:${packForeign(name, tarballs)}`])),
  }
  // The overrides make what is packed here the one that the packages get of each other.
  const overrides = Object.fromEntries(Object.keys(dependencies).map((name) => [name, `$${name}`]))
  const manifest = { private: true, dependencies, overrides }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  cpSync(join(import.meta.dirname, '../fixtures'), join(folder, 'fixtures'), { recursive: true })
}

/** Packs a dependency as it is installed in the workspace. @returns the tarball */
function packForeign(name: string, into: string): string {
  const installed = realpathSync(join(import.meta.dirname, '../../cli/node_modules', name))
  const destination = join(into, name)
  mkdirSync(destination, { recursive: true })
  const args = ['pack', installed, '--pack-destination', destination, '--ignore-scripts', '--silent']
  return join(destination, execFileSync('npm', args, { encoding: 'utf8' }).trim())
}
