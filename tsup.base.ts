// How a published package is built, one place for all: ESM, CJS and declarations of both, for Node 20, with
// source maps. `@ws/protocol` stays an import, so that a process holds one copy of each format.

import type { Options } from 'tsup'

/** The options for a package with these entries; `tsconfig` is the project that sees all of its sources. */
export function library(entry: Record<string, string>, tsconfig: string): Options {
  return {
    entry,
    tsconfig,
    format: ['esm', 'cjs'],
    target: 'node20',
    platform: 'node',
    sourcemap: true,
    clean: true,
    // Entries share their common code in CJS too, as they do in ESM; with `treeshake` it is Rollup that turns the shared
    // chunks into CJS, which leaves classes and operators as they are (tsup's other way rewrites them, and is slower).
    splitting: true,
    treeshake: true,
    external: [/^@ws\//],
    // `node:` cannot be taken by a package of that name.
    removeNodeProtocol: false,
    dts: {
      compilerOptions: {
        // The declarations of an entry are bundled from all its files at once, whichever projects check them.
        composite: false,
        rootDir: 'src',
        noUncheckedIndexedAccess: false,
        // tsup sets `baseUrl`, which TypeScript 6 calls deprecated.
        ignoreDeprecations: '6.0',
      },
    },
  }
}
