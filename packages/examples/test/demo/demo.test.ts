// The command `pnpm demo`, as a user runs it.

import { createHash } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, takePort } from '../support/port.ts'
import { startDemo } from '../support/program.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const VERDICT = /^verdict {4,}all (\d+) samples arrived, in order; every count agrees$/m

/** What a process said, in order. */
const linesOf = (lines: readonly string[], name: string) =>
  lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length).trim())

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

const pidsIn = (lines: readonly string[]) =>
  [...lines.join('\n').matchAll(/process (\d+)/g)].map(([, pid]) => Number(pid))

test('runs to a clean end in which all counts agree', { timeout: 30_000 }, async () => {
  const port = await freePort()
  const demo = startDemo('--port', String(port), '--seconds', '1')
  expect(await demo.exit).toEqual({ code: 0, signal: null })
  expect(demo.errors).toBe('')
  const { lines } = demo
  expect(lines[0]).toContain(`listens at ws://127.0.0.1:${port}/updates`)

  const [, samples] = await demo.printed(VERDICT)
  const count = Number(samples)
  expect(count).toBeGreaterThan(0)
  expect(count).toBeLessThanOrEqual(20)
  const arrived = linesOf(lines, 'subscriber').filter((line) => line.startsWith('#'))
  expect(arrived.map((line) => Number.parseInt(line.slice(1), 10))).toEqual(Array.from(arrived, (_, i) => i + 1))
  expect(arrived).toHaveLength(count)

  for (const name of ['publisher', 'subscriber']) {
    const said = linesOf(lines, name)
    const after = (start: string) =>
      said
        .find((line) => line.startsWith(start))
        ?.slice(start.length)
        .trim()
    expect(after('> GET')).toBe('/updates HTTP/1.1')
    const accept = createHash('sha1')
      .update(`${after('> Sec-WebSocket-Key:')}${GUID}`)
      .digest('base64')
    expect(after('expected accept:')).toBe(`${accept} = base64(SHA-1(key + GUID))`)
    expect(after('< HTTP/1.1')).toBe('101 Switching Protocols')
    expect(after('< Sec-WebSocket-Accept:')).toBe(`${accept} (as expected)`)
    expect(linesOf(lines, 'close')).toContain(`${name} saw 1000 (clean), server saw 1000 (clean)`)
  }

  const counts = linesOf(lines, 'counts').slice(1, -1)
  expect(counts).toHaveLength(4)
  for (const line of counts) {
    const pairs = [...line.matchAll(/([\d,]+) = ([\d,]+)/g)].map(([, sent, received]) => [sent, received])
    expect(pairs).toHaveLength(3)
    for (const [sent, received] of pairs) expect(sent).toBe(received)
  }
  expect(counts[0]).toContain(`${count} = ${count}   ${count + 1} = ${count + 1}`)
  expect(pidsIn(lines)).toHaveLength(3)
  expect(pidsIn(lines).map(isGone)).toEqual([true, true, true])
})

test('a taken port is told in one line', async () => {
  const { server, port } = await takePort()
  onTestFinished(() => void server.close())
  const demo = startDemo('--port', String(port))
  expect(await demo.exit).toEqual({ code: 1, signal: null })
  expect(demo.errors).toBe(`port ${port} is taken: choose another with --port\n`)
  expect(demo.lines).toEqual([])
})

test('a wrong argument is told in one line', async () => {
  const demo = startDemo('--port', 'http')
  expect(await demo.exit).toEqual({ code: 2, signal: null })
  expect(demo.errors).toBe('expected --port with a number from 0 to 65535; got http (see --help)\n')
  expect(demo.lines).toEqual([])
})

test('--help', async () => {
  const demo = startDemo('--help')
  expect(await demo.exit).toEqual({ code: 0, signal: null })
  expect(demo.errors).toBe('')
  expect(demo.lines.join('\n')).toContain('--seconds N')
})

test('Ctrl-C ends it early, in good order', { timeout: 30_000 }, async () => {
  const demo = startDemo('--port', '0', '--seconds', '600')
  await demo.printed(/^subscriber +#3 /m)
  demo.interrupt()
  expect(await demo.exit).toEqual({ code: 130, signal: null })
  expect(demo.errors).toBe('')
  expect(Number((await demo.printed(VERDICT))[1])).toBeGreaterThanOrEqual(3)
  expect(pidsIn(demo.lines).map(isGone)).toEqual([true, true, true])
})

test('Ctrl-C while it starts leaves nothing behind', { timeout: 30_000 }, async () => {
  const demo = startDemo('--port', '0')
  await demo.printed(/listens at/)
  demo.interrupt()
  expect(await demo.exit).toEqual({ code: 130, signal: null })
  expect(pidsIn(demo.lines).map(isGone)).not.toContain(false)
})

test('a client that is lost is a failure, and the others end', { timeout: 30_000 }, async () => {
  const demo = startDemo('--port', '0', '--seconds', '600')
  const [, pid] = await demo.printed(/^subscriber +process (\d+) is connected/m)
  await demo.printed(/^subscriber +#1 /m)
  process.kill(Number(pid), 'SIGKILL')
  expect(await demo.exit).toEqual({ code: 1, signal: null })
  expect(demo.errors).toBe('subscriber: its process ended too early (SIGKILL)\n')
  expect(pidsIn(demo.lines).map(isGone)).toEqual([true, true, true])
})
