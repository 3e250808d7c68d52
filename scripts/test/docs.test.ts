// The pages say what the code does: their tables are compared with the source, and the walk through TLS is walked.

import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import tls from 'node:tls'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { blocks, type Row, tableRows } from './support/markdown.ts'
import { Walkthrough } from './support/walkthrough.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** The sources are TypeScript projects of their own, so they are loaded by path. */
const source = (path: string) => import(pathToFileURL(join(ROOT, 'packages', path)).href)
const { ERROR_CODES }: { ERROR_CODES: Record<string, { close?: number }> } = await source('protocol/src/errors.ts')
const { checkUpgradeRequest } = await source('protocol/src/handshake/accept.ts')
const { connectionSettings } = await source('protocol/src/node/settings.ts')
const { closeSettings } = await source('server/src/connections.ts')
const { serverSettings } = await source('server/src/options.ts')
const { WebSocketServer } = await source('server/src/server.ts')
const { makePlan } = await source('client/src/plan.ts')
const { parseTarget } = await source('client/src/url.ts')
const { reconnectSettings } = await source('client/src/portable/reconnect-options.ts')
const { EXIT }: { EXIT: Record<string, number> } = await source('cli/src/exit.ts')
const { makeProgram } = await source('cli/src/program.ts')

describe('docs/errors.md', () => {
  const rows = tableRows(read('docs/errors.md')).filter((row) => row.code !== undefined)
  const statusOf = (code: string) => Number(rows.find((row) => row.code === code)?.status)

  test('has one row for each code, in the order of the source', () => {
    expect(rows.map((row) => row.code)).toEqual(Object.keys(ERROR_CODES))
  })

  test.each(rows)('$code: the close code is that of the source, nothing is left blank', (row) => {
    const close = ERROR_CODES[row.code ?? '']?.close
    if (close !== undefined) expect(row['close code']).toBe(String(close))
    else expect(['1006', 'none']).toContain(row['close code'] ?? 'none')
    expect(Object.values(row)).not.toContain('')
  })

  const HEADERS = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  type Headers = Record<string, string | undefined>
  const MALFORMED: Record<string, { method?: string; httpVersion?: string; headers?: Headers }> = {
    REFUSED_METHOD: { method: 'POST' },
    REFUSED_PSEUDO_HEADER: { method: 'CONNECT', headers: { ':method': 'CONNECT' } },
    REFUSED_HTTP_VERSION: { httpVersion: '1.0' },
    REFUSED_HOST: { headers: { Host: undefined } },
    REFUSED_BODY: { headers: { 'Content-Length': '1' } },
    REFUSED_UPGRADE: { headers: { Upgrade: 'h2c' } },
    REFUSED_CONNECTION: { headers: { Connection: 'close' } },
    REFUSED_VERSION: { headers: { 'Sec-WebSocket-Version': '8' } },
    REFUSED_KEY: { headers: { 'Sec-WebSocket-Key': 'short' } },
    REFUSED_SUBPROTOCOL: { headers: { 'Sec-WebSocket-Protocol': 'not a token' } },
    REFUSED_EXTENSION: { headers: { 'Sec-WebSocket-Extensions': ';' } },
  }
  const UNWANTED: Record<string, { options?: object; headers?: Headers; closing?: boolean; second?: boolean }> = {
    REFUSED_ORIGIN: { headers: { Origin: 'http://elsewhere.example' } },
    REFUSED_HOST_UNKNOWN: { options: { hosts: ['elsewhere.example'] } },
    REFUSED_PATH: { options: { path: '/chat' } },
    REFUSED_FULL: { options: { maxConnections: 1 }, second: true },
    REFUSED_ADDRESS_FULL: { options: { maxConnectionsPerAddress: 1 }, second: true },
    REFUSED_TIMEOUT: { options: { handshakeTimeout: 20, authenticate: () => new Promise(() => {}) } },
    REFUSED_CLOSING: { closing: true },
    REFUSED_BY_HOOK: { options: { authenticate: () => false } },
    REFUSED_HOOK_FAILED: { options: { authenticate: () => Promise.reject(new Error('the database is away')) } },
  }
  const SILENT = ['REFUSED_CLIENT_LEFT']

  test('names a status for each refusal that is answered', () => {
    const refusals = rows.flatMap(({ code = '' }) => (code.startsWith('REFUSED_') ? [code] : []))
    expect(refusals.sort()).toEqual([...Object.keys(MALFORMED), ...Object.keys(UNWANTED), ...SILENT].sort())
    expect(refusals.filter((code) => Number.isNaN(statusOf(code)))).toEqual(SILENT.sort())
  })

  test.each(Object.entries(MALFORMED))('%s: the status is that of the answer', (code, { headers, ...head }) => {
    const given = Object.entries({ ...HEADERS, ...headers }).filter(([, value]) => value !== undefined)
    const answer = checkUpgradeRequest({ method: 'GET', httpVersion: '1.1', rawHeaders: given.flat(), ...head })
    expect(answer).toMatchObject({ code, status: statusOf(code) })
  })

  test.each(Object.entries(UNWANTED))('%s: the status is that of the answer', async (code, wish) => {
    const options = wish.closing ? { authenticate: () => void server.close() } : wish.options
    // An HTTP server of its own patience: `handshakeTimeout` is then for the hook alone.
    const shared = http.createServer().listen(0, '127.0.0.1')
    const server = new WebSocketServer({ server: shared, ...options })
    onTestFinished(async () => {
      await server.close({ timeout: 0 })
      await new Promise((resolve) => shared.close(resolve))
    })
    await once(shared, 'listening')
    const refused = once(server, 'refused')
    const { port } = shared.address() as AddressInfo
    const ask = () =>
      http
        .get({ port, host: '127.0.0.1', agent: false, headers: { ...HEADERS, ...wish.headers } })
        .on('error', () => {})
    if (wish.second) {
      const [, first] = await once(ask(), 'upgrade')
      onTestFinished(() => first.destroy())
    }
    const request = ask()
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    answer.resume()
    expect(answer.statusCode).toBe(statusOf(code))
    expect((await refused)[0]).toMatchObject({ code, status: statusOf(code) })
  })
})

describe('docs/limits.md', () => {
  type Options = Record<string, unknown>
  interface Table {
    heading: string
    /** Checks options, as the code does. */
    check: (options: Options) => unknown
    defaults: Options
  }
  const check = {
    connection: (options: Options) => connectionSettings(options, true),
    server: (options: Options) => serverSettings({ port: 0, ...options }),
    client: (options: Options) => makePlan(parseTarget('ws://localhost'), options),
    reconnecting: ({ heartbeat = {}, ...options }: Options) =>
      reconnectSettings(options, { message: () => '', ...(heartbeat as object) }),
  }
  const { heartbeat, perMessageDeflate, ...settings } = check.connection({ perMessageDeflate: true })
  const { pulse, shouldReconnect: _, signal: __, ...reconnecting } = check.reconnecting({})
  const TABLES: Table[] = [
    {
      heading: 'Connections, both ends',
      check: check.connection,
      defaults: {
        ...settings,
        'heartbeat.interval': heartbeat.interval,
        'heartbeat.timeout': heartbeat.timeout,
      },
    },
    {
      heading: 'Compression',
      check: check.connection,
      defaults: {
        'perMessageDeflate.threshold': perMessageDeflate.threshold,
        'perMessageDeflate.level': perMessageDeflate.level,
        'perMessageDeflate.memLevel': perMessageDeflate.memLevel,
        'perMessageDeflate.syncLimit': perMessageDeflate.syncLimit,
        'perMessageDeflate.serverMaxWindowBits': perMessageDeflate.offer.serverMaxWindowBits,
        'perMessageDeflate.clientMaxWindowBits': perMessageDeflate.offer.clientMaxWindowBits,
      },
    },
    {
      heading: 'Server',
      check: check.server,
      // What Node's `listen` takes if it is told nothing.
      defaults: {
        handshakeTimeout: check.server({}).handshakeTimeout,
        maxConnections: check.server({}).maxConnections,
        maxConnectionsPerAddress: check.server({}).maxConnectionsPerAddress,
        backlog: 511,
      },
    },
    { heading: '`server.close(options)`', check: closeSettings, defaults: { timeout: closeSettings({}).timeout } },
    {
      heading: 'Client',
      check: check.client,
      defaults: { handshakeTimeout: check.client({}).timeout, maxRedirects: check.client({}).maxRedirects },
    },
    {
      heading: 'Connecting again',
      check: check.reconnecting,
      defaults: {
        ...reconnecting,
        'heartbeat.interval': pulse.interval,
        'heartbeat.timeout': pulse.timeout,
      },
    },
  ]
  const all = tableRows(read('docs/limits.md')).filter((row) => row.range !== undefined)
  const rowsOf = (table: Table) => all.filter((row) => row.heading === table.heading)

  test('has no other tables of limits than those that are compared', () => {
    expect([...new Set(all.map((row) => row.heading))]).toEqual(TABLES.map((table) => table.heading))
  })

  test.each(TABLES)('$heading: each option has one row, with its default', (table) => {
    const documented = rowsOf(table).map((row) => [row.option ?? '', row.default ?? ''] as const)
    expect(new Set(documented.map(([option]) => option)).size).toBe(documented.length)
    const defaults = Object.entries(table.defaults).map(([option, value]) => [option, shown(value)])
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(defaults))
  })

  test.each(TABLES.flatMap((table) => rowsOf(table).map((row) => ({ ...table, row, option: row.option }))))(
    '$heading: the range of $option is what is accepted',
    ({ check, row }) => {
      const { accepted, refused } = samples(row)
      for (const value of accepted) expect(() => check(optionsWith(row.option, value))).not.toThrow()
      for (const value of refused) {
        expect(() => check(optionsWith(row.option, value))).toThrow(expect.objectContaining({ code: 'USAGE' }))
      }
    },
  )

  function shown(value: unknown): string {
    if (value === Infinity) return 'none'
    return typeof value === 'number' ? value.toLocaleString('en-US') : `'${value}'`
  }

  /** What a range says is right, and what is just past it. */
  function samples({ option, range = '' }: Row): { accepted: unknown[]; refused: unknown[] } {
    const choices = [...range.matchAll(/'([^']+)'/g)].map(([, choice]) => choice)
    if (choices.length > 0) return { accepted: choices, refused: ['', 0] }
    const [, least, most] = /^(-?[\d,]+) (?:to (-?[\d,]+)|or more)$/.exec(range) ?? []
    if (least === undefined) throw new Error(`the range of ${option} cannot be understood: ${range}`)
    const number = (text: string) => Number(text.replaceAll(',', ''))
    const bounds = [number(least), most === undefined ? Number.MAX_SAFE_INTEGER : number(most)] as const
    return { accepted: [...bounds], refused: [bounds[0] - 1, bounds[1] + 1, 1.5, String(bounds[0])] }
  }

  function optionsWith(option = '', value: unknown): Options {
    const [name = '', part] = option.split('.')
    return { [name]: part === undefined ? value : { [part]: value } }
  }
})

describe('docs/tls.md', () => {
  const page = read('docs/tls.md')
  const PORT = 8443

  function walk() {
    const walkthrough = new Walkthrough(PORT)
    onTestFinished(() => walkthrough.dispose())
    return walkthrough
  }

  test('every command works, every program prints what the page says, and a renewal is noticed', async () => {
    const reader = walk()
    await reader.follow(page)

    const serial = async () => {
      const ca = readFileSync(join(reader.folder, 'ca.crt'))
      const socket = tls.connect({ host: 'localhost', port: reader.port, ca })
      await once(socket, 'secureConnect')
      const { serialNumber } = socket.getPeerCertificate()
      socket.destroy()
      return serialNumber
    }
    await reader.serve('node server.mjs', `wss://localhost:${PORT}`)
    const before = await serial()
    await reader.run(blocks(page).find(({ text }) => text.includes('-out server.crt'))?.text ?? 'false')
    expect(await serial()).toBe(before)
    reader.signal('SIGHUP')
    expect((await reader.printed(2)).split('\n')[1]).toBe('certificate renewed')
    expect(await serial()).not.toBe(before)
  }, 120_000)

  const fenced = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`
  const program = fenced('js', "// a.server.mjs\nconsole.log('ready')")
  test.each([
    ['a command that fails', fenced('sh', 'true\nfalse\ntrue'), 'line 1: exit code 1 of: true'],
    ['a part of a pipe that fails', fenced('sh', 'false | true'), 'line 1: exit code 1 of: false | true'],
    ['other output', fenced('sh', 'echo a') + fenced('text', 'b'), 'line 1: expected it to print\nb\ngot\na'],
    ['output on the other stream', fenced('sh', 'echo a >&2') + fenced('text', ''), 'got\na'],
    ['a program without a name', fenced('js', 'console.log(1)'), 'line 1: the first line of a program must be'],
    ['a program that nothing runs', fenced('js', '// a.mjs\nconsole.log(1)'), 'no command runs a.mjs'],
    ['a program that does not work', `${fenced('js', '// a.mjs\nfoo()')}${fenced('sh', 'node a.mjs')}`, 'foo is not'],
    [
      'a server that prints something else',
      `${program}${fenced('sh', 'node a.server.mjs')}${fenced('text', 'b')}`,
      'got\nready',
    ],
    ['a server that says nothing', `${program}${fenced('sh', 'node a.server.mjs')}`, 'line 5: the page does not say'],
    ['a block of another kind', fenced('ts', 'const a: number = 1'), 'line 1: nobody knows what to do'],
    ['a block that is not closed', '```sh\ntrue', 'line 1: the block is not closed'],
  ])('a mistake is noticed: %s', async (_name, markdown, message) => {
    await expect(walk().follow(markdown)).rejects.toThrow(message)
  })
})

describe('docs/cli.md', () => {
  const rows = tableRows(read('docs/cli.md'))
  interface Defined {
    name(): string
    options: { short?: string; long: string }[]
    commands: Defined[]
  }
  const program: Defined = makeProgram(() => {})
  const OPTION = /`(--?[a-zA-Z][\w-]*)/g

  test('its exit codes are those of the program, and so are those of the help', () => {
    const codes = rows.filter((row) => row.heading === 'Exit codes').map((row) => [row.name, Number(row.code)])
    expect(Object.fromEntries(codes)).toEqual(EXIT)
    const [, help = ''] = read('packages/cli/src/program.ts').split('Exit codes:')
    for (const code of Object.values(EXIT)) expect(help).toMatch(new RegExp(`\\b${code}\\b`))
  })

  test.each(['connect', 'listen', 'bench'])('%s: each option has its row', (name) => {
    const page = read('docs/cli.md').split(`\n## \`${name} `)[1]?.split('\n## ')[0] ?? ''
    const named = [...page.matchAll(OPTION)].map(([, option]) => option)
    const command = program.commands.find((one) => one.name() === name)
    for (const { long } of command?.options ?? []) expect(named).toContain(long)
  })

  test('options that it names exist', () => {
    const all = [program, ...program.commands].flatMap(({ options }) =>
      options.flatMap(({ short, long }) => [short, long]),
    )
    const prose = read('docs/cli.md').replaceAll(/`(npm|npx|printf|od) .*?`/g, '')
    for (const [, option] of prose.matchAll(OPTION)) expect(all).toContain(option)
  })
})

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/attacks.md',
  'docs/backpressure.md',
  'docs/browsers.md',
  'docs/cli.md',
  'docs/client.md',
  'docs/errors.md',
  'docs/http2.md',
  'docs/limits.md',
  'docs/liveness.md',
  'docs/observability.md',
  'docs/reconnecting.md',
  'docs/runtimes.md',
  'docs/server.md',
  'docs/streams.md',
  'docs/testing.md',
  'docs/tls.md',
  'docs/topics.md',
]

test.each(PAGES)('%s: what it links to exists', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link as string)
  expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([])
})

test('CONTRIBUTING.md: its commands are those of package.json', () => {
  const { scripts } = JSON.parse(read('package.json'))
  const rows = tableRows(read('CONTRIBUTING.md')).filter((row) => row.command !== undefined)
  expect(rows.map((row) => row.command?.replace('npx -y pnpm@12 ', ''))).toEqual(Object.keys(scripts))
})

test('docs/runtimes.md: its results are those of the checks there are', () => {
  const checks = [...read('packages/packaging/fixtures/runtimes/checks.mjs').matchAll(/check\('(.+?)', /g)]
  const rows = tableRows(read('docs/runtimes.md')).filter((row) => row.heading === 'Results')
  expect(checks.length).toBeGreaterThan(0)
  expect(rows.map((row) => row[''])).toEqual(expect.arrayContaining(checks.map(([, name]) => name)))
})

test('README.md: its figures are those of docs/performance.md', () => {
  const measured = tableRows(read('docs/performance.md')).filter((row) => row.heading === 'Echo')
  const quoted = tableRows(read('README.md')).filter((row) => row.echo !== undefined)
  expect(quoted.length).toBeGreaterThan(0)
  for (const row of quoted) {
    const source = measured.find((one) => one.row === row.echo)
    expect([row['messages per CPU-second'], row['× ws'], row['× uWebSockets.js']]).toEqual([
      source?.ours,
      source?.['ours / ws'],
      source?.['ours / uWebSockets.js'],
    ])
  }
})

describe('README.md, ARCHITECTURE.md and the pages with programs', () => {
  const section = (page: string, heading: string) => page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''

  /** Fragments in TypeScript are not run. */
  const withoutFragments = (page: string) => page.replaceAll(/^```ts\n[\s\S]*?^```$/gm, '')

  test('the server and the clients of the README do what it says', async () => {
    const reader = new Walkthrough(8080)
    onTestFinished(() => reader.dispose())
    const programs = section(read('README.md'), 'A server and a client')
    expect(blocks(programs)).toHaveLength(7)
    await reader.follow(programs)
  }, 60_000)

  test('the programs of docs/server.md print what it says, and SIGHUP replaces the workers of the last of them', async () => {
    const reader = new Walkthrough(8080)
    onTestFinished(() => reader.dispose())
    await reader.follow(read('docs/server.md'))
    const { connect } = await source('client/src/connect.ts')
    const socket = await connect(`ws://127.0.0.1:${reader.port}`)
    reader.signal('SIGHUP')
    expect(await socket.closed).toMatchObject({ code: 1012, reason: 'a new version', wasClean: true })
    expect((await reader.printed(2)).split('\n')[1]).toBe('all replaced')
  }, 60_000)

  test('docs/server.md: SIGTERM ends the server that it shows for that', async () => {
    const reader = new Walkthrough(8080)
    onTestFinished(() => reader.dispose())
    await reader.follow(section(read('docs/server.md'), '4. The end'))
    const { connect } = await source('client/src/connect.ts')
    const socket = await connect(`ws://127.0.0.1:${reader.port}`)
    reader.signal('SIGTERM')
    expect(await socket.closed).toMatchObject({ code: 1012, reason: 'a new version', wasClean: true })
    expect((await reader.printed(2)).split('\n')[1]).toBe('1 closed, 0 terminated')
  }, 60_000)

  test('the programs of docs/http2.md print what it says', async () => {
    const reader = new Walkthrough(8080)
    onTestFinished(() => reader.dispose())
    await reader.follow(withoutFragments(read('docs/http2.md')))
  }, 60_000)

  test('docs/server.md names reasons that exist', () => {
    const named = [...section(read('docs/server.md'), '1. Who may connect').matchAll(/`(REFUSED_\w+)`/g)]
    const codes = Object.keys(ERROR_CODES)
    for (const [, code] of named) expect(codes).toContain(code)
  })

  test.each([
    'docs/cli.md',
    'docs/client.md',
    'docs/protocol.md',
    'docs/reconnecting.md',
    'docs/streams.md',
    'docs/backpressure.md',
    'docs/testing.md',
    'docs/topics.md',
    'docs/liveness.md',
    'docs/observability.md',
  ])(
    'the programs of %s print what it says',
    async (page) => {
      const reader = new Walkthrough(8080)
      onTestFinished(() => reader.dispose())
      await reader.follow(read(page))
    },
    60_000,
  )

  test('the state diagram is the transition table', async () => {
    const { TRANSITIONS }: { TRANSITIONS: Record<string, Record<string, string>> } =
      await source('protocol/src/state.ts')
    const [diagram] = blocks(read('ARCHITECTURE.md')).filter(({ language }) => language === 'mermaid')
    const name = (state: string) => state.replace('-', '_')
    const arrows = Object.entries(TRANSITIONS).flatMap(([state, events]) =>
      Object.entries(events).map(([event, next]) => `  ${name(state)} --> ${name(next)}: ${event}`),
    )
    expect(diagram?.text).toBe(['stateDiagram-v2', '  [*] --> open', ...arrows].join('\n'))
  })

  test('each file that ARCHITECTURE.md names in a table exists', () => {
    const layers = { 'The core': 'packages/protocol/src', 'The adapter': 'packages/protocol/src/node' }
    for (const { heading, file } of tableRows(read('ARCHITECTURE.md'))) {
      const [, folder] = Object.entries(layers).find(([layer]) => heading.startsWith(layer)) ?? []
      const names = (file ?? '').replaceAll('`', '').split(', ')
      for (const name of names) expect([name, existsSync(join(ROOT, folder ?? '', name))]).toEqual([name, true])
    }
  })
})

describe.each(['docs/invariants.md', 'docs/attacks.md'])('%s', (name) => {
  const page = read(name)
  const pattern = /^ {4}- \[(.+?)\]\(\.\.\/(.+?)\)(?:: “(.+)”)?$/gm
  const references = [...page.matchAll(pattern)].map(([, shown, path, title]) => ({ shown, path, title }))

  test('its entries are numbered, and each names a test', () => {
    const numbered = page.split(/^(?=\d+\. )/m).slice(1)
    expect(numbered.map((entry) => Number.parseInt(entry, 10))).toEqual(numbered.map((_, index) => index + 1))
    for (const entry of numbered) expect(entry).toMatch(/^ {4}- \[/m)
    expect(references.length).toBe([...page.matchAll(/^ {4}- /gm)].length)
  })

  test.each(references)('$path: $title', ({ shown, path, title }) => {
    expect(shown).toBe(path)
    expect(read(path as string).includes(title ?? 'test')).toBe(true)
  })
})
