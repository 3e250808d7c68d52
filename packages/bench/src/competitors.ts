// Packages that only the comparison needs and that a fresh clone should not carry: installed the first time, with a lockfile of
// their own, into a folder that git ignores. A machine without a way to the registry still runs everything else.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Where they are imported from. */
export const COMPETITORS: string = join(import.meta.dirname, '../competitors')
const TIMEOUT = 5 * 60_000

/** Makes sure that they are there. @returns why they are not @param onInstall called if they have to be installed */
export async function installCompetitors(onInstall: () => void): Promise<string | undefined> {
  if (await isInstalled()) return undefined
  onInstall()
  try {
    const npm = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    await promisify(execFile)('npm', npm, { cwd: COMPETITORS, timeout: TIMEOUT, killSignal: 'SIGKILL' })
    return undefined
  } catch (error) {
    return `not installed: ${firstLine(error as Error & { stderr?: string })}`
  }
}

/** Whether what npm noted at the end of its last install is what the lockfile asks for. */
async function isInstalled(): Promise<boolean> {
  const [wanted, installed] = await Promise.all([
    versionsIn('package-lock.json'),
    versionsIn('node_modules/.package-lock.json'),
  ])
  return wanted !== undefined && wanted === installed
}

/** The packages of a lockfile, in words; undefined if there is no such file. */
async function versionsIn(file: string): Promise<string | undefined> {
  const lock = await readFile(join(COMPETITORS, file), 'utf8').catch(() => undefined)
  if (lock === undefined) return undefined
  const packages: Record<string, { version?: string }> = JSON.parse(lock).packages
  return Object.entries(packages)
    .filter(([path]) => path !== '') // the folder itself
    .map(([path, { version }]) => `${path}@${version}`)
    .join(' ')
}

function firstLine({ message, stderr = '' }: Error & { stderr?: string }): string {
  return (stderr.trim() || message).split('\n', 1)[0] as string
}
