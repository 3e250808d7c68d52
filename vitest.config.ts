// One vitest run over all projects. Rules: `@ws/*` resolves to the sources (custom export condition), each test file
// ends with a leak check, a failing test is never tried again, and coverage below its threshold fails the run.

import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'

// Ours before Vite's own for Node.
const conditions = ['@ws/source', 'module', 'node', 'development|production']
const CATALOGUE_OVER_HTTP2 = 'packages/conformance/test/http2.test.ts'
const BROWSER_TESTS = 'packages/*/test/**/*.browser.test.ts'
/** Those that load modules anew, replace some, or begin with ones that nothing has used: no other file has theirs, whatever the run says. */
const APART_TESTS = 'packages/*/test/**/*.apart.test.ts'
/** Each file has modules of its own, unless the run is one of many: loading them anew is a third of its work. */
const ISOLATE = process.env.WS_TEST_ISOLATE !== 'off'

interface Options {
  include: string[]
  exclude?: string[]
  globalSetup?: string
  testTimeout?: number
  isolate?: boolean
}

function project(name: string, options: Options) {
  const {
    include,
    exclude = [BROWSER_TESTS, APART_TESTS],
    testTimeout = 10_000,
    globalSetup,
    isolate = ISOLATE,
  } = options
  return {
    ssr: { resolve: { conditions } },
    test: {
      name,
      include,
      exclude: [...configDefaults.exclude, ...exclude],
      pool: 'forks' as const,
      isolate,
      setupFiles: ['packages/testkit/src/leak-check.ts'],
      testTimeout,
      hookTimeout: testTimeout,
      ...(globalSetup && { globalSetup }),
    },
  }
}

export default defineConfig({
  test: {
    // Tests mostly wait: two cores take two files.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // The JSON report is what .ci/run adds up.
    reporters: ['default', 'json'],
    outputFile: { json: 'reports/vitest.json' },
    projects: [
      project('protocol', {
        include: ['packages/protocol/test/**/*.test.ts'],
        exclude: ['packages/protocol/test/node/**'],
      }),
      project('node', { include: ['packages/protocol/test/node/**/*.test.ts'] }),
      project('apart', { include: [APART_TESTS], exclude: [], isolate: true }),
      project('server', { include: ['packages/server/test/**/*.test.ts'] }),
      project('client', { include: ['packages/client/test/**/*.test.ts'] }),
      // The program, as a process: each test starts one, and some a terminal.
      project('cli', {
        include: ['packages/cli/test/**/*.test.ts'],
        globalSetup: 'packages/cli/test/support/bundle.ts',
        testTimeout: 30_000,
      }),
      project('examples', { include: ['packages/examples/test/**/*.test.ts'] }),
      // Also of the leak check: what the runner has open would be in its baseline.
      project('testkit', { include: ['packages/testkit/test/**/*.test.ts'], isolate: true }),
      // The catalogue of cases, whole, at both ends.
      project('conformance', {
        include: ['packages/conformance/test/**/*.test.ts'],
        exclude: [CATALOGUE_OVER_HTTP2],
        testTimeout: 60_000,
      }),
      // Its frames once more, each connection a stream: that way never sees the window.
      project('conformance-http2', { include: [CATALOGUE_OVER_HTTP2], exclude: [], testTimeout: 60_000 }),
      // Short soaks, of broken servers too; `pnpm soak` runs longer.
      project('soak', { include: ['packages/soak/test/**/*.test.ts'], testTimeout: 60_000 }),
      project('bench', { include: ['packages/bench/test/**/*.test.ts'], testTimeout: 60_000 }),
      // Pairs of clients and servers, ours and those of others; `pnpm interop --all` runs them all.
      project('interop', { include: ['packages/interop/test/**/*.test.ts'], testTimeout: 60_000 }),
      // The workspace's own rules (imports, purity of the core) and scripts.
      project('workspace', { include: ['scripts/test/**/*.test.ts'], testTimeout: 30_000 }),
      project('browser', { include: [BROWSER_TESTS], exclude: [], testTimeout: 30_000 }),
      // The packed packages, installed and used like a stranger would.
      project('dist', {
        include: ['packages/packaging/test/**/*.test.ts'],
        globalSetup: 'packages/packaging/test/pack-and-install.ts',
        testTimeout: 60_000,
      }),
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/{protocol,server,client}/src/**/*.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: {
        // Every rule of the protocol is a branch, and each has its test.
        'packages/protocol/src/{*,!(node)/**/*}.ts': { branches: 100 },
        'packages/protocol/src/node/**/*.ts': { branches: 90 },
        'packages/server/src/**/*.ts': { branches: 90 },
        'packages/client/src/**/*.ts': { branches: 90 },
      },
    },
  },
})
