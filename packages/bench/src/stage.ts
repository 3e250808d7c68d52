// Makes the programs that are measured: plain JavaScript for plain Node, as users run the library, without a loader that
// would add its own memory and its own wrappers. Rules: a bundle holds the sources of one tree of ours, packages of others are
// imported from node_modules; every run has a folder of its own, so that runs do not meet.

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Options } from 'tsup'

const BENCH = join(import.meta.dirname, '..')
/** Ignored by git, and inside the package, so that its dependencies are found. */
const STAGES = join(BENCH, 'dist')
export const ROOT: string = join(BENCH, '../..')

const PROGRAMS = [
  'servers/ours',
  'servers/ws',
  'servers/uws',
  'servers/net',
  'servers/window',
  'clients/ours',
  'clients/ws',
  'clients/undici',
  'load/main',
  'codec/main',
  'channels/main',
]

/** Programs that are ready to run. */
export interface Stage {
  /** The file of a program, for example of `servers/ours`. */
  program(name: string): string
}

/** A folder for one run; to be removed. */
export async function makeFolder(): Promise<string> {
  await mkdir(STAGES, { recursive: true })
  return mkdtemp(join(STAGES, 'run-'))
}

export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true })
}

/**
 * Bundles the programs with the library of a tree.
 * @param folder where they go
 * @param tree the root of a checkout of ours
 */
export async function makeStage(folder: string, tree: string): Promise<Stage> {
  const entries = Object.fromEntries(PROGRAMS.map((name) => [name, join(BENCH, 'src', `${name}.ts`)]))
  await bundle(entries, folder, tree)
  const copy = join(BENCH, 'src/channels/copy.ts')
  await bundle({ 'channels/whole': copy }, folder, tree, [])
  await bundle({ 'channels/without': copy }, folder, tree, [WITHOUT_CHANNELS])
  return { program: (name) => join(folder, `${name}.js`) }
}

/** Leaves no look at a channel in the library. */
const WITHOUT_CHANNELS: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'without channels',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      return { contents: source.replaceAll(/\b[A-Z]+\.hasSubscribers\b/g, 'false'), loader: 'ts' }
    })
  },
}

async function bundle(
  entry: Record<string, string>,
  folder: string,
  tree: string,
  copyPlugins?: Options['esbuildPlugins'],
): Promise<void> {
  await build({
    config: false,
    entry,
    outDir: folder,
    esbuildPlugins: copyPlugins ?? [],
    format: 'esm',
    target: 'node20',
    platform: 'node',
    tsconfig: join(BENCH, 'tsconfig.json'),
    silent: true,
    external: ['ws', 'undici', 'tinybench'],
    noExternal: [/^@ws\//],
    esbuildOptions: (options) => {
      options.alias = sourcesOf(tree)
      options.minifySyntax = copyPlugins !== undefined // what is never true is left out; what is compared is made alike
    },
  })
}

function sourcesOf(tree: string): Record<string, string> {
  const source = (path: string): string => join(tree, 'packages', path)
  return {
    '@ws/protocol/node': source('protocol/src/node/index.ts'),
    '@ws/protocol': source('protocol/src/index.ts'),
    '@ws/server': source('server/src/index.ts'),
    '@ws/client': source('client/src/index.ts'),
  }
}
