// Global setup of the `dist` project: the packed packages, installed outside the workspace.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { installPacked } from '../src/install.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with the installed packages and a copy of the fixtures. */
    installed: string
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'ws-dist-'))
  installPacked(folder)
  project.provide('installed', folder)
  return () => rmSync(folder, { recursive: true })
}
