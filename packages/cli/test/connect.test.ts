// `connect`: what goes in and out, and how it ends.

import { EventEmitter, once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { serve, serveEcho } from './support/peers.ts'
import { type Result, run, start } from './support/program.ts'

const objects = ({ stdout }: Result) =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

test('lines go out as messages, messages come in as lines, the status goes elsewhere', async () => {
  const { url } = await serveEcho()
  const input = 'héllo\n\nwith CR\r\nwithout an end'
  expect(await run(['connect', url], { input })).toEqual({
    code: 0,
    stdout: 'héllo\n\nwith CR\nwithout an end\n',
    stderr: `connected to ${url}/\nclosed with 1000\n`,
  })
})

test('--quiet: no status', async () => {
  const { url } = await serveEcho()
  expect(await run(['connect', url, '--quiet'], { input: 'a' })).toEqual({ code: 0, stdout: 'a\n', stderr: '' })
})

test('--wait forever: it stays until the server closes, and all that came before the Close is printed', async () => {
  const { url } = await serve({
    message: (socket) => {
      for (let number = 1; number <= 10_000; number++) socket.send(String(number))
      void socket.close(1000, 'that is all')
    },
  })
  const { code, stdout, stderr } = await run(['connect', url, '--wait', 'forever'], { input: 'begin' })
  expect(stdout).toBe(Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n`).join(''))
  expect([code, stderr]).toEqual([0, `connected to ${url}/\nclosed with 1000: that is all\n`])
})

test('--wait 0: it closes when the input has ended, and all of that arrives', async () => {
  const got: unknown[] = []
  const { url, server } = await serve({ message: (_, data) => void got.push(data) })
  const connected = once(server, 'connection')
  const { code } = await run(['connect', url, '--wait', '0'], { input: 'a\nb\n' })
  const [socket] = await connected
  expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true })
  expect([code, got]).toEqual([0, ['a', 'b']])
})

test('bytes are printed as base64, and it says so once', async () => {
  const { url } = await serve({
    message: (socket, data) => {
      socket.send(Buffer.from(data))
      socket.send(Buffer.of(0, 255))
    },
  })
  const { stdout, stderr } = await run(['connect', url], { input: 'a' })
  expect(stdout).toBe('YQ==\nAP8=\n')
  expect(stderr.match(/base64/g)).toHaveLength(1)
})

test('what is no UTF-8 is not sent, and not repaired', async () => {
  const got: unknown[] = []
  const { url } = await serve({ message: (_, data) => void got.push(data) })
  const { code, stderr } = await run(['connect', url, '-q'], { input: Buffer.from('good\nb\xe4d\n', 'latin1') })
  expect([code, got]).toEqual([1, ['good']])
  expect(stderr).toBe('error: expected UTF-8 from standard input; line 2 is none (--binary sends any bytes)\n')
})

test('--binary: any bytes out and in, as they are', async () => {
  const { url } = await serveEcho()
  const input = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251))
  const program = start(['connect', url, '--binary', '-q'], { input })
  expect((await program.ended).code).toBe(0)
  expect(program.bytes.equals(input)).toBe(true)
})

test('--json: one object a line, whatever comes', async () => {
  const handlers = {
    message: (
      socket: { send(data: unknown): unknown; close(code: number, reason: string): unknown },
      data: unknown,
    ) => {
      socket.send(`${data}\nand \u009b more`)
      socket.send(Buffer.of(1, 2))
      socket.close(4000, 'reason')
    },
  }
  const { url } = await serve(handlers as never, { protocols: ['chat'] })
  const result = await run(['connect', url, '--json', '--protocol', 'news', '--protocol', 'chat'], { input: 'a' })
  expect(objects(result)).toEqual([
    { event: 'open', url: `${url}/`, protocol: 'chat', extensions: '' },
    { event: 'message', type: 'text', data: 'a\nand \u009b more' },
    { event: 'message', type: 'binary', data: 'AQI=' },
    { event: 'close', code: 4000, reason: 'reason', wasClean: true },
  ])
  expect(result.stdout).toContain('\\u009b')
  expect([result.code, result.stderr]).toEqual([
    6,
    `connected to ${url}/, subprotocol chat\nerror: closed with 4000: reason\n`,
  ])
})

test('-H: headers of the handshake', async () => {
  let seen: unknown[] = []
  const { url } = await serve(undefined, {
    authenticate: ({ headers }) => {
      seen = [headers.authorization, headers['x-list'], headers.origin]
    },
    origins: '*',
  })
  const headers = [
    '-H',
    'Authorization: Bearer a:b',
    '-H',
    'X-List: 1',
    '-H',
    'x-list:2',
    '-H',
    'Origin: https://a.test',
  ]
  expect(await run(['connect', url, '-q', '--wait', '0', ...headers])).toMatchObject({ code: 0, stderr: '' })
  expect(seen).toEqual(['Bearer a:b', '1, 2', 'https://a.test'])
})

test('credentials of the URL are used, and not shown', async () => {
  let seen: string | undefined
  const { url } = await serve(undefined, {
    authenticate: ({ headers }) => {
      seen = headers.authorization
    },
  })
  const { stdout, stderr } = await run(['connect', url.replace('//', '//alice:secret@'), '--json', '--wait', '0'])
  expect(seen).toBe(`Basic ${btoa('alice:secret')}`)
  expect(stdout + stderr).not.toMatch(/alice|secret/)
})

test('--ping: says how long the answers take', async () => {
  const { url, server } = await serve()
  const connected = once(server, 'connection')
  const program = start(['connect', url, '--ping=0.01', '--json'])
  const [socket] = await connected
  for (let count = 0; count < 3; count++) await once(socket, 'ping')
  void socket.close(1000)
  const result = await program.ended
  const pongs = objects(result).filter(({ event }) => event === 'pong')
  expect(pongs.length).toBeGreaterThan(0)
  for (const { ms } of pongs) expect(ms).toBeGreaterThan(0)
  expect(result.stderr).toMatch(/^pong after \d+\.\d ms$/m)
})

test('a reader that has seen enough: it ends quietly, and well', async () => {
  const { url, server } = await serveEcho()
  const connected = once(server, 'connection')
  const program = start(['connect', url, '-q', '--wait', 'forever'])
  const [socket] = await connected
  program.process.stdin.write('one\n')
  await program.printed(/one\n/)
  program.process.stdout.destroy()
  program.process.stdin.write('two\n')
  expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true })
  expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
})

describe('signals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s closes with 1000', async (signal, code) => {
    const { url, server } = await serve()
    const connected = once(server, 'connection')
    const program = start(['connect', url])
    const [socket] = await connected
    await program.printed(/connected/)
    program.process.kill(signal)
    expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true })
    expect(await program.ended).toMatchObject({ code, stderr: `connected to ${url}/\nclosed with 1000\n` })
  })

  test('SIGINT while it connects', async () => {
    const asked = new EventEmitter()
    const { url, server } = await serve(undefined, {
      authenticate: () => {
        asked.emit('asked')
        return new Promise(() => {})
      },
    })
    const refused = once(server, 'refused')
    const program = start(['connect', url])
    await once(asked, 'asked')
    program.process.kill('SIGINT')
    expect(await program.ended).toEqual({ code: 130, stdout: '', stderr: '' })
    expect((await refused)[0]).toMatchObject({ code: 'REFUSED_CLIENT_LEFT' })
  })
})
