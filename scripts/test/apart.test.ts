// Where test files share their modules (the matrix), what one of them does to modules is seen by the others: the mode of the receive
// window was once that of whoever had loaded it last. Files that do such things say so in their name and have modules of their own.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const PACKAGES = join(import.meta.dirname, '../../packages')
/** Loads anew, replaces, or loads under another environment of ours. */
const TOUCHES_MODULES = /\bvi\.(resetModules|mock|doMock|unmock|doUnmock)\(|\bvi\.stubEnv\('WS_/

test('test files that touch modules are named *.apart.test.ts', () => {
  const touching = testFiles().filter((path) => TOUCHES_MODULES.test(readFileSync(path, 'utf8')))
  expect(touching.length).toBeGreaterThan(0)
  expect(touching.filter((path) => !path.endsWith('.apart.test.ts'))).toEqual([])
})

function testFiles(): string[] {
  return readdirSync(PACKAGES).flatMap((name) => {
    const folder = join(PACKAGES, name, 'test')
    if (!existsSync(folder)) return []
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return files.filter((path) => path.endsWith('.ts')).map((path) => join(folder, path))
  })
}
