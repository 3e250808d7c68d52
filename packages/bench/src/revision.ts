// The sources of another revision, unpacked beside the programs of a run. An archive and no worktree: nothing is registered with
// git, so an interrupted run leaves nothing there to repair.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { ROOT } from './stage.ts'

/** What the programs are made of. */
const SOURCES = ['packages/protocol/src', 'packages/server/src', 'packages/client/src']

/** A revision's commit, in short. @throws Error if git knows no such revision */
export async function commitOf(revision: string): Promise<string> {
  try {
    const git = ['rev-parse', '--short', '--verify', '--end-of-options', `${revision}^{commit}`]
    return (await promisify(execFile)('git', git, { cwd: ROOT })).stdout.trim()
  } catch {
    throw new Error(`expected --compare with a revision that git knows; got ${revision}`)
  }
}

/** Unpacks the library's sources of a commit into a folder. */
export async function unpack(commit: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const archive = spawn('git', ['archive', '--format=tar', commit, ...SOURCES], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const tar = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'inherit', 'inherit'] })
  const ends = Promise.all([archive, tar].map((child) => once(child, 'close')))
  await pipeline(archive.stdout, tar.stdin)
  const codes = (await ends).map(([code]) => code)
  if (codes.some((code) => code !== 0))
    throw new Error(`${commit} could not be unpacked: exit codes ${codes.join(', ')}`)
}
