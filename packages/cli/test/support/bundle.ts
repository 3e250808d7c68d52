// Global setup of the `cli` project: the program in one file, made from all sources, since it is started very often: a
// process that has to translate them takes ten times as long.

import { join } from 'node:path'
import { build } from 'esbuild'

const PACKAGE = join(import.meta.dirname, '../..')

/** As deep as `src` and `dist`: from there it finds its package.json. */
export const PROGRAM: string = join(PACKAGE, '.test/main.mjs')

export default async function setup(): Promise<void> {
  await build({
    entryPoints: [join(PACKAGE, 'src/main.ts')],
    outfile: PROGRAM,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@ws/source'],
    external: ['commander', 'picocolors'],
  })
}
