// Checks the tarballs that would be published: publint (is package.json true?) and attw (do the declarations resolve as
// the code does, from ESM and from CJS?). `node16` leaves out resolvers that know no `exports`; Node 20 has none.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAndPack } from './pack.ts'

/** Programs: nobody imports them, so they have no declarations. */
const PROGRAMS = ['cli']

const folder = mkdtempSync(join(tmpdir(), 'ws-check-'))
try {
  for (const [name, tarball] of Object.entries(buildAndPack(folder))) {
    execFileSync('publint', [tarball, '--strict'], { stdio: 'inherit' })
    if (PROGRAMS.includes(name)) continue
    execFileSync('attw', [tarball, '--profile', 'node16'], { stdio: 'inherit' })
  }
} finally {
  rmSync(folder, { recursive: true })
}
