// `listen`: the four things it can do, who may come in, and how it ends.

import type { HandshakeError } from '@ws/client'
import { makeCertificates } from '@ws/testkit'
import { expect, test } from 'vitest'
import { filesWith } from './support/folder.ts'
import { dial, next } from './support/peers.ts'
import { type Program, run, start } from './support/program.ts'

async function listen(...args: string[]): Promise<{ program: Program; url: string }> {
  const program = start(['listen', '0', ...args])
  const [, url] = await program.printed(/listening at (\S+)/)
  return { program, url: url as string }
}

test('prints what comes, sends what it reads to everybody, and waits until somebody is there', async () => {
  const { program, url } = await listen()
  program.process.stdin.write('for the first\n')
  const first = await dial(url)
  expect(await next(first)).toBe('for the first')
  const second = await dial(`${url}/path`)
  await program.printed(/2 connected from 127\.0\.0\.1: \/path/)
  program.process.stdin.write('for all\n')
  expect([await next(first), await next(second)]).toEqual(['for all', 'for all'])
  first.send('from one')
  await program.printed(/from one\n/)
  second.send('from two')
  await program.printed(/from two\n/)
  await second.close(4000, 'enough')
  await program.printed(/2 closed with 4000: enough/)
  expect(program.stdout).toBe('from one\nfrom two\n')
})

test('--json: who said what', async () => {
  const { program, url } = await listen('--json', '--protocol', 'chat')
  const socket = await dial(`${url}/a`, { protocols: ['chat'] })
  socket.send('hello')
  socket.send(Buffer.of(1))
  await program.printed(/AQ==/)
  await socket.close(1000)
  await program.printed(/"close"/)
  expect(
    program.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { event: 'listening', url },
    { event: 'open', connection: 1, address: '127.0.0.1', url: '/a', protocol: 'chat' },
    { event: 'message', connection: 1, type: 'text', data: 'hello' },
    { event: 'message', connection: 1, type: 'binary', data: 'AQ==' },
    { event: 'close', connection: 1, code: 1000, reason: '' },
  ])
})

test('--echo', async () => {
  const { program, url } = await listen('--echo')
  const socket = await dial(url)
  socket.send('text')
  expect(await next(socket)).toBe('text')
  socket.send(Buffer.of(1, 2))
  expect(await next(socket)).toEqual(Buffer.of(1, 2))
  expect(program.stdout).toBe('')
})

test('--broadcast: to all others', async () => {
  const { url } = await listen('--broadcast')
  const [one, two, three] = [await dial(url), await dial(url), await dial(url)]
  one.send('hello')
  expect([await next(two), await next(three)]).toEqual(['hello', 'hello'])
  two.send(Buffer.of(7))
  expect(await next(one)).toEqual(Buffer.of(7)) // and not its own
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s: closes with 1001, and ends well', async (signal) => {
  const { program, url } = await listen('--echo')
  const socket = await dial(url)
  program.process.kill(signal)
  expect(await socket.closed).toMatchObject({ code: 1001, wasClean: true })
  expect((await program.ended).code).toBe(0)
})

test('the end of its input is not its end', async () => {
  const program = start(['listen', '0'], { input: 'last line' })
  const [, url] = await program.printed(/listening at (\S+)/)
  const socket = await dial(url as string)
  expect(await next(socket)).toBe('last line')
  socket.send('still there')
  await program.printed(/still there\n/)
})

test('wss: with --cert and --key', async () => {
  const { ca, server } = await makeCertificates()
  const files = filesWith({ 'a.crt': server.cert, 'a.key': server.key })
  const { url } = await listen('--echo', '--cert', files['a.crt'], '--key', files['a.key'])
  expect(url).toMatch(/^wss:/)
  const socket = await dial(url, { ca })
  socket.send('secret')
  expect(await next(socket)).toBe('secret')
  expect(await run(['listen', '0', '--cert', files['a.crt']])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: expected --cert and --key together; got only --cert\n',
  })
})

test('pages: of other origins, and by names that are not of this machine, only with --origin', async () => {
  const { program, url } = await listen('--echo', '--origin', 'https://mine.test')
  const refusal = (options: object) => dial(url, options).then(undefined, (error: HandshakeError) => error.status)
  expect(await refusal({ origin: 'https://other.test' })).toBe(403)
  await program.printed(/refused 127\.0\.0\.1 \(403\): REFUSED_ORIGIN: .*\n.*--origin/)
  expect(await refusal({ headers: { Host: 'rebound.test' } })).toBe(403)
  await program.printed(/REFUSED_HOST_UNKNOWN/)
  const socket = await dial(url, { origin: 'https://mine.test' })
  expect(socket.readyState).toBe(1)
  const open = await listen('--echo', '--origin', '*')
  expect((await dial(open.url, { origin: 'https://other.test' })).readyState).toBe(1)
})

test('a port that is taken', async () => {
  const { url } = await listen('--echo')
  const { port } = new URL(url)
  const { code, stderr } = await run(['listen', port])
  expect(code).toBe(1)
  expect(stderr).toBe(
    `error: EADDRINUSE: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n  hint: another program listens there; choose another port, or 0 for any that is free\n`,
  )
})
