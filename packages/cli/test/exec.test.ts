// `listen --exec`: a program for each connection, its life and the connection's.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dial, next } from './support/peers.ts'
import { start } from './support/program.ts'

async function listen(command: string, ...args: string[]) {
  const program = start(['listen', '0', '--exec', command, ...args])
  const [, url] = await program.printed(/listening at (\S+)/)
  return { program, url: url as string }
}

/** Whether a process has ended, or is about to be buried. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

test('messages are lines of its input, lines of its output are messages; each connection has its own', async () => {
  const { url } = await listen('while read line; do echo "$REMOTE_ADDR $REQUEST_URI $line"; done')
  const [one, two] = [await dial(`${url}/one?a=1`), await dial(`${url}/two`)]
  one.send('hello')
  two.send('$(exit 1) `exit` ;')
  expect(await next(one)).toBe('127.0.0.1 /one?a=1 hello')
  expect(await next(two)).toBe('127.0.0.1 /two $(exit 1) `exit` ;')
})

test('it ends well: 1000, when all that it printed has been sent', async () => {
  const { url } = await listen('echo one; printf two')
  const socket = await dial(url)
  const messages: unknown[] = []
  for await (const message of socket) messages.push(message)
  expect(messages).toEqual(['one', 'two'])
  expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true })
})

test.each([
  ['exit 3', 'the program ended with exit code 3'],
  ['kill -9 $$', 'the program ended with SIGKILL'],
  ['this-is-no-command 2>/dev/null', 'the program ended with exit code 127'],
])('%s: 1011', async (command, reason) => {
  const { url } = await listen(command)
  const socket = await dial(url)
  expect(await socket.closed).toMatchObject({ code: 1011, reason, wasClean: true })
})

test('the connection ends: so does its input, and it can finish', async () => {
  const { program, url } = await listen('cat >/dev/null; echo finished >&2')
  const socket = await dial(url)
  await socket.close(1000)
  await program.printed(/^finished$/m)
})

test('the connection ends: a program that goes on is ended with all that it has started', async () => {
  // Both ignore the end of their input, and the first also SIGTERM.
  const { program, url } = await listen(`trap '' TERM; sleep 1000 & echo $$ $!; while :; do sleep 1000; done`)
  const socket = await dial(url)
  const pids = String(await next(socket))
    .split(' ')
    .map(Number)
  await socket.close(1000)
  program.process.kill('SIGINT')
  expect((await program.ended).code).toBe(0) // it waits for its children
  expect(pids.map(isGone)).toEqual([true, true])
})

test('bytes for a program of lines: 1003; with --binary they are its input and output as they are', async () => {
  const lines = await dial((await listen('cat')).url)
  lines.send(Buffer.of(1))
  expect(await lines.closed).toMatchObject({ code: 1003, reason: 'expected text' })
  const bytes = await dial((await listen('cat', '--binary')).url)
  bytes.send(Buffer.of(0, 10, 255))
  expect(await next(bytes)).toEqual(Buffer.of(0, 10, 255))
})

test('output that is no UTF-8: 1011, and the words are on this side', async () => {
  const { program, url } = await listen("printf 'b\\344d\\n'; cat")
  const socket = await dial(url)
  expect(await socket.closed).toMatchObject({ code: 1011, reason: 'the program failed' })
  await program.printed(/error: expected UTF-8 from the program; line 1 is none/)
})

test('where others can reach it, it warns', async () => {
  const program = start(['listen', '0', '--host', '0.0.0.0', '--exec', 'true'])
  await program.printed(/warning: everybody who can reach 0\.0\.0\.0/)
})
