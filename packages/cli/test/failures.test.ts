// What goes wrong: the words, and the exit codes. docs/cli.md has the table.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { filesWith } from './support/folder.ts'
import { serve, serveEcho } from './support/peers.ts'
import { run } from './support/program.ts'

describe('usage: what was expected, what came', () => {
  test.each([
    [['connect'], "error: missing required argument 'url'\n(see --help)\n"],
    [['connect', 'localhost'], 'error: URL must be absolute and valid, like ws://host:port/path; got "localhost"\n'],
    [['connect', '--reconnect', 'ftp://a'], 'error: URL must begin with ws:, wss:, http: or https:; got "ftp://a/"\n'],
    [['connect', 'ws://a', '--colour'], "error: unknown option '--colour'\n(see --help)\n"],
    [
      ['connect', 'ws://a', '--wait', 'long'],
      "error: option '--wait <seconds>' argument 'long' is invalid. expected seconds, more than 0 and at most 2147483; got 'long'\n(see --help)\n",
    ],
    [
      ['connect', 'ws://a', '-H', 'no colon'],
      "error: option '-H, --header <header>' argument 'no colon' is invalid. expected 'Name: value'; got 'no colon'\n(see --help)\n",
    ],
    [['connect', 'ws://a', '-H', 'Upgrade: h2c'], /^error: header upgrade/i],
    [['connect', 'ws://a', '--ca', '/none'], /expected a file that can be read; got ENOENT/],
    [['connect', 'ws://a', '--ca', 'package.json'], /expected a file in PEM \(-----BEGIN …\); got /],
    [['listen', '70000'], /expected a whole number from 0 to 65535; got '70000'/],
    [
      ['listen', '0', '--echo', '--broadcast'],
      "error: option '--echo' cannot be used with option '--broadcast'\n(see --help)\n",
    ],
    [
      ['bench', 'ws://a', '--rate', '5', '--in-flight', '2'],
      /'--rate <number>' cannot be used with option '--in-flight/,
    ],
    [['bench', 'ws://a', '--size', '1000000', '--in-flight', '99'], /at most 16 MiB; got 99 × 1000000 bytes\n$/],
    [['conect'], "error: unknown command 'conect'\n(Did you mean connect?)\n(see --help)\n"],
  ])('%j', async (args, words) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([2, ''])
    if (typeof words === 'string') expect(stderr).toBe(words)
    else expect(stderr).toMatch(words)
  })
})

test('nobody listens', async () => {
  const { port, close } = await silentPort((socket) => socket.destroy())
  await close()
  expect(await run(['connect', `ws://127.0.0.1:${port}`])).toEqual({
    code: 3,
    stdout: '',
    stderr: `error: CONNECT_FAILED: cannot connect to 127.0.0.1:${port}: the connection was refused; is the server running, and on this port? (ECONNREFUSED)\n`,
  })
})

test('the server refuses: its answer, and what may help', async () => {
  const { url } = await serve(undefined, { authenticate: () => ({ status: 401, body: 'who\u001b[2J are you?' }) })
  const { code, stdout, stderr } = await run(['connect', url, '--json'])
  expect(code).toBe(4)
  expect(JSON.parse(stdout)).toMatchObject({ event: 'error', code: 'HANDSHAKE_STATUS' })
  expect(stderr).toMatch(/^error: HANDSHAKE_STATUS: .*401/)
  expect(stderr).toContain('\n  the answer: who\\x1b[2J are you?\n')
  expect(stderr).toContain("\n  hint: credentials go into a header: -H 'Authorization: Bearer …'")
})

test('the server answers what is no HTTP', async () => {
  const { port } = await silentPort((socket) => socket.end('hello\r\n\r\n'))
  const { code, stderr } = await run(['connect', `ws://127.0.0.1:${port}`])
  expect(stderr).toMatch(/^error: HANDSHAKE_MALFORMED: the answer of 127\.0\.0\.1:\d+ is not valid HTTP/)
  expect(code).toBe(4)
})

test('the connection is lost', async () => {
  const { url, server } = await serve()
  server.on('connection', (socket) => socket.terminate())
  const { code, stdout, stderr } = await run(['connect', url, '--json', '--wait', 'forever'])
  expect(stdout).toContain('{"event":"close","code":1006,"reason":"","wasClean":false,"cause":"CONNECTION_LOST"}\n')
  expect(stderr).toMatch(/^error: CONNECTION_LOST: the connection was lost/m)
  expect(code).toBe(5)
})

describe('closed by the server', () => {
  test.each([
    [1000, 0],
    [1001, 0],
    [1011, 6],
    [4999, 6],
  ])('with %i: exit code %i', async (close, exit) => {
    const { url, server } = await serve()
    server.on('connection', (socket) => void socket.close(close))
    expect((await run(['connect', url, '-q', '--wait', 'forever'])).code).toBe(exit)
  })

  test('without a code', async () => {
    const { url, server } = await serve()
    server.on('connection', (socket) => void socket.close())
    expect((await run(['connect', url, '--wait', 'forever'])).stderr).toMatch(/^closed with 1005$/m)
  })
})

describe('TLS', () => {
  test('a certificate that nobody trusts, --ca, and --insecure with its warning', async () => {
    const { ca, server } = await makeCertificates()
    const { url } = await serve({ message: (socket, data) => void socket.send(data) }, { tls: server })
    const files = filesWith({ 'ca.pem': ca })

    const refused = await run(['connect', url], { input: 'a' })
    expect(refused.stderr).toMatch(/^error: TLS_FAILED: TLS with 127\.0\.0\.1:\d+ failed: .*\n {2}hint: --ca FILE/)
    expect([refused.code, refused.stdout]).toEqual([3, ''])

    const trusted = await run(['connect', url, '-q', '--ca', files['ca.pem']], { input: 'a' })
    expect(trusted).toEqual({ code: 0, stdout: 'a\n', stderr: '' })

    const insecure = await run(['connect', url, '-q', '--insecure'], { input: 'a' })
    expect(insecure).toMatchObject({ code: 0, stdout: 'a\n' })
    expect(insecure.stderr).toMatch(/^warning: --insecure: the certificate of the server is not checked/)
  })
})

test('the standard output cannot be written', async () => {
  const { url } = await serveEcho()
  const { code, stderr } = await run(['connect', url, '-q', '--wait', 'forever'], { input: 'a', stdout: '/dev/full' })
  expect(stderr).toMatch(/^error: ENOSPC: /)
  expect(code).toBe(1)
})

/** A TCP server. */
async function silentPort(onConnection: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {}).resume()
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  onTestFinished(() => (server.listening ? close() : undefined))
  return { port, close }
}
