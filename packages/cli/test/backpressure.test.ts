// Both ways, who is slow holds back who is fast. What shows it: a connection on which more than `maxBackpressure` (16
// MiB) waits is cut off, and a program that keeps what its reader does not take grows by that. The slow side here takes a
// piece every other millisecond.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { dial, serve } from './support/peers.ts'
import { start } from './support/program.ts'

const PIECE = 64 * 1024
const PIECES = 768
const LINE = `${'x'.repeat(PIECE - 1)}\n`
const PAUSE = 2

/** What the program's memory was at most, in KiB, is the last line of its errors. (`resourceUsage()` also counts what it was forked from.) */
const TELL_MEMORY = encodeURIComponent(`
  import { readFileSync } from 'node:fs'
  const peak = () => /^VmHWM:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]
  process.on('exit', () => process.stderr.write(peak()))
`)

test('connect: a slow server holds the input back', async () => {
  let got = 0
  const { url } = await serve({
    message: async (_, data) => {
      got += data.length
      await sleep(PAUSE)
    },
  })
  const program = start(['connect', url, '-q', '--wait', '0'], { input: LINE.repeat(PIECES) })
  expect(await program.ended).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(got).toBe(PIECES * (PIECE - 1))
})

test('connect: a slow reader holds the server back', async () => {
  const peak = async (pieces: number) => {
    const { url, server } = await serve()
    server.on('connection', async (socket) => {
      for (let left = pieces; left > 0; left--) if (!socket.send(LINE)) await socket.drained()
      void socket.close(1000)
    })
    const env = { NODE_OPTIONS: `--import data:text/javascript,${TELL_MEMORY}` }
    const program = start(['connect', url, '-q', '--wait', 'forever'], { env })
    const { stdout } = program.process
    stdout.on('data', () => {
      stdout.pause()
      setTimeout(() => stdout.resume(), PAUSE)
    })
    const { code, stdout: text, stderr } = await program.ended
    expect([code, text.length]).toEqual([0, pieces * (PIECE + 1)])
    return Number(stderr) * 1024
  }
  const grown = (await peak(PIECES)) - (await peak(1))
  expect(grown).toBeLessThan((PIECES * PIECE * 3) / 4)
})

test('connect: answers that the reader has not taken yet are not given up', async () => {
  const { url } = await serve({
    message: async (socket) => {
      for (let left = PIECES; left > 0; left--) if (!socket.send(LINE)) await socket.drained()
    },
  })
  const program = start(['connect', url, '-q', '--wait', '0.5'], { input: 'all of it' })
  const { stdout } = program.process
  stdout.on('data', () => {
    stdout.pause()
    setTimeout(() => stdout.resume(), PAUSE)
  })
  const { code, stdout: text } = await program.ended
  expect([code, text.length]).toEqual([0, PIECES * (PIECE + 1)])
})

test('listen: a slow client holds the input back', async () => {
  const program = start(['listen', '0'])
  const [, url] = await program.printed(/listening at (\S+)/)
  const socket = await dial(url as string)
  program.process.stdin.end(LINE.repeat(PIECES))
  let count = 0
  for await (const _ of socket) {
    await sleep(PAUSE)
    if (++count === PIECES) break
  }
  expect(count).toBe(PIECES)
})

test('listen --exec: a slow program holds the client back, a slow client the program', async () => {
  const program = start(['listen', '0', '--exec', 'cat'])
  const [, url] = await program.printed(/listening at (\S+)/)
  const socket = await dial(url as string)
  const sent = (async () => {
    for (let left = PIECES; left > 0; left--) if (!socket.send(LINE.trim())) await socket.drained()
  })()
  let count = 0
  for await (const message of socket) {
    expect(message.length).toBe(PIECE - 1)
    await sleep(PAUSE)
    if (++count === PIECES) break
  }
  await sent
  expect(count).toBe(PIECES)
})

test('connect --reconnect: a slow server holds the input back', async () => {
  let got = 0
  const { url, server } = await serve({
    message: async (_, data) => {
      got += data.length
      await sleep(PAUSE)
    },
  })
  const connected = once(server, 'connection')
  const args = ['connect', url, '-q', '--wait', '0', '--reconnect']
  const program = start(args, { input: LINE.repeat(PIECES) })
  await connected
  expect(await program.ended).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(got).toBe(PIECES * (PIECE - 1))
})
