// The packed packages as a stranger uses them: from ESM, from CommonJS, from both at once and from TypeScript, each in
// its own process in a folder where only the tarballs are installed. A fixture prints what it saw, as JSON, and must
// then end by itself: a resource that is left open is a time-out.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, inject, test } from 'vitest'

const installed = inject('installed')
const fixtures = join(installed, 'fixtures')
const require = createRequire(import.meta.url)
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const SESSION = {
  connect: ['héllo', [1, 2, 3], 1000, true],
  WebSocket: ['héllo', [1, 2, 3], 1000, true],
}

/** Runs a script of the fixtures; yields what it printed. */
async function runs(script: string, ...args: string[]): Promise<unknown> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(fixtures, script), ...args], {
    cwd: installed,
    // Nothing of this run's own: not the condition that means the sources, not the coverage.
    env: { PATH: process.env.PATH },
    timeout: 30_000,
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

/** Strict, declarations checked too. */
function compilerConfig(source: string, further: object = {}): object {
  return {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      module: 'node16',
      moduleResolution: 'node16',
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      types: ['node'],
      // The compiler and Node's types are the workspace's; the packages under test are not.
      typeRoots: [join(dirname(require.resolve('@types/node/package.json')), '..')],
      ...further,
    },
    files: [source],
  }
}

async function compiles(project: string): Promise<void> {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  const failure = await promisify(execFile)(process.execPath, [tsc, '-p', project], { cwd: fixtures }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  expect(failure).toBe('')
}

test('ESM', async () => {
  expect(await runs('esm.mjs')).toEqual({ ...SESSION, accept: [ACCEPT, ACCEPT] })
})

test('CommonJS', async () => {
  expect(await runs('cjs.cjs')).toEqual({ ...SESSION, accept: [ACCEPT, ACCEPT] })
})

test('an ESM server and a CommonJS client in one process; errors are told apart by code', async () => {
  expect(await runs('mixed.mjs')).toEqual({
    ...SESSION,
    refused: { cjs: ['HANDSHAKE_STATUS', 404, false], esm: ['HANDSHAKE_STATUS', 404, true] },
    misused: { cjs: 'USAGE', esm: 'USAGE' },
  })
})

test.each(['@ws/protocol', '@ws/protocol/node', '@ws/server', '@ws/client'])(
  '%s exports the same names in both formats, and no other than these',
  async (entry) => {
    const { esm, cjs } = (await runs('exports.mjs', entry)) as { esm: string[]; cjs: string[] }
    expect(cjs).toEqual(esm)
    expect(esm).toMatchSnapshot()
  },
)

describe('TypeScript, strict, declarations checked too', () => {
  test.each([
    ['ESM', 'typed.mts', 'typed.mjs'],
    ['CommonJS', 'typed.cts', 'typed.cjs'],
  ])('%s', async (_format, source, output) => {
    copyFileSync(join(fixtures, 'typed.ts'), join(fixtures, source))
    const project = `${source}.json`
    writeFileSync(join(fixtures, project), JSON.stringify(compilerConfig(source)))
    await compiles(project)
    expect(await runs(output)).toEqual(['echo text', 1, 2, 1000, 'echo standard', 1000, 'function', ACCEPT])
  })
})

describe('@ws/client in a browser', () => {
  const ALONE = 'ReconnectingWebSocket'
  const IN_NODE = ['WebSocketConnection', 'createWebSocketStream']

  /** What a page would load: a bundler takes the condition `browser`, and leaves out what is not used. */
  async function bundled(code: string): Promise<string> {
    const stdin = { contents: code, resolveDir: fixtures }
    const options = { bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022' } as const
    const { outputFiles } = await build({ stdin, write: false, ...options })
    return outputFiles[0]?.text ?? ''
  }

  test('ReconnectingWebSocket alone has at most 3 KB, compressed', async () => {
    const code = await bundled(`export { ${ALONE} } from '@ws/client'`)
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(3 * 1024)
  })

  test('what is not used is left out; nothing of Node is in it', async () => {
    expect((await bundled("export { WebSocket } from '@ws/client'")).length).toBeLessThan(200)
    const connect = await bundled("export { connect } from '@ws/client'")
    expect(connect).not.toContain('reconnecting')
    expect(await bundled("export * from '@ws/client'")).not.toMatch(/["']node:|\bBuffer\b|\bprocess\b/)
  })

  test('exports what Node has, but for what a browser cannot have', async () => {
    const [browser, node] = (await runs('browser-exports.mjs')) as [string[], string[]]
    expect(browser).toEqual(node.filter((name) => !IN_NODE.includes(name)))
  })

  test('TypeScript without the types of Node: one type Connection', async () => {
    copyFileSync(join(fixtures, 'browser.ts'), join(fixtures, 'browser.mts'))
    const config = compilerConfig('browser.mts', {
      module: 'esnext',
      moduleResolution: 'bundler',
      customConditions: ['browser'],
      lib: ['ES2023', 'DOM'],
      types: [],
      noEmit: true,
    })
    writeFileSync(join(fixtures, 'browser.json'), JSON.stringify(config))
    await compiles('browser.json')
  })
})

describe('@ws/cli', () => {
  const options = { cwd: installed, env: { PATH: process.env.PATH, HOME: installed }, timeout: 30_000 }
  const npx = (...args: string[]) =>
    promisify(execFile)('npx', ['--offline', '--no', '--', '@ws/cli', ...args], options)

  test('npx @ws/cli runs its program', async () => {
    expect((await npx('--help')).stdout).toMatch(/^Usage: ws-cli /)
  })

  test('a server, and a client that sends it something', async () => {
    // Started by its own name: a signal to npx does not always reach what it runs.
    const server = spawn(join(installed, 'node_modules/.bin/ws-cli'), ['listen', '0', '--echo'], options)
    const ended = once(server, 'close')
    try {
      const [line] = await once(server.stderr.setEncoding('utf8'), 'data')
      const [url = ''] = /ws:\S+/.exec(line) ?? []
      const client = npx('connect', url, '-q')
      client.child.stdin?.end('hello\n')
      expect(await client).toEqual({ stdout: 'hello\n', stderr: '' })
    } finally {
      server.kill('SIGTERM')
    }
    expect(await ended).toEqual([0, null])
  })

  test('is one program, with no names to import', async () => {
    const { bin, exports } = JSON.parse(readFileSync(join(installed, 'node_modules/@ws/cli/package.json'), 'utf8'))
    expect([bin, exports]).toEqual([{ 'ws-cli': './dist/main.js' }, { './package.json': './package.json' }])
  })
})

describe.each(['protocol', 'server', 'client', 'cli'])('the tarball of @ws/%s', (name) => {
  const folder = join(installed, 'node_modules/@ws', name)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

  test('holds the build, the licence, a README and nothing of the workspace', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => !file.startsWith('dist')).sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
    expect(JSON.stringify(manifest)).not.toMatch(/@ws\/source|workspace:|catalog:/)
  })

  const DEPENDENCIES: Readonly<Record<string, readonly string[]>> = {
    protocol: [],
    server: ['@ws/protocol'],
    client: ['@ws/protocol'],
    cli: ['@ws/client', '@ws/server', 'commander', 'picocolors'],
  }

  test('depends on what it should', () => {
    expect(Object.keys(manifest.dependencies ?? {})).toEqual(DEPENDENCIES[name])
  })
})
