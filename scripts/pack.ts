// Builds and packs the published packages. Rules: what is checked and what the `dist` tests install is what would be
// published, so the tarballs come from pnpm, which applies `publishConfig` and replaces `workspace:`.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const PUBLISHED = ['protocol', 'server', 'client', 'cli'] as const

/** Where a package's tarball is, by the package's folder name. */
export type Tarballs = Record<(typeof PUBLISHED)[number], string>

/** Builds the packages and packs them into a folder. */
export function buildAndPack(into: string): Tarballs {
  pnpm(['run', 'build'], ROOT)
  const pack = (name: string) => {
    const folder = join(into, name)
    mkdirSync(folder, { recursive: true })
    pnpm(['pack', '--pack-destination', folder], join(ROOT, 'packages', name))
    const [tarball] = readdirSync(folder)
    if (tarball === undefined) throw new Error(`pnpm packed nothing for ${name}`)
    return join(folder, tarball)
  }
  return { protocol: pack('protocol'), server: pack('server'), client: pack('client'), cli: pack('cli') }
}

/** Runs the pnpm that runs us, else the one that the workspace is made for. Its output is shown only when it fails. */
function pnpm(args: string[], cwd: string): void {
  const own = process.env.npm_execpath ?? ''
  const [command, ...before] = basename(own).startsWith('pnpm') ? [own] : ['npx', '-y', 'pnpm@12']
  try {
    execFileSync(command as string, [...before, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`pnpm ${args.join(' ')} failed in ${cwd}\n${stdout}${stderr}`)
  }
}
