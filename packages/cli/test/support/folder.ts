// A folder for files of a test, removed with it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Writes files into a new folder. @returns their paths, by name */
export function filesWith<Name extends string>(contents: Readonly<Record<Name, string>>): Record<Name, string> {
  const folder = mkdtempSync(join(tmpdir(), 'ws-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const entries = Object.entries<string>(contents).map(([name, text]) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return [name, path]
  })
  return Object.fromEntries(entries)
}
