// Short soaks: of the server as it is, and of servers that break each of the promises, which must be reported.

import { describe, expect, test } from 'vitest'
import { soak } from '../src/run.ts'
import { judge } from '../src/verdict.ts'

const SHORT = { minutes: 0.05, connections: 30, seed: 1 }
/** However loaded the machine is: each starts two processes. */
const TIMEOUT = 120_000

async function verdictOn(server?: string) {
  const program = server === undefined ? {} : { server: new URL(`support/${server}.server.ts`, import.meta.url) }
  const { report, broken } = await soak({ ...SHORT, ...program }, () => {})
  return { report, broken, ...judge(report, broken) }
}

describe.concurrent('a soak', () => {
  test(
    'of the server as it is: it passes',
    async () => {
      const { lines, report, passed } = await verdictOn()
      expect(lines.slice(-2)).toEqual(['left: nothing', 'passed'])
      expect([passed, report?.tally.faults, report?.tally.present]).toEqual([true, [], 0])
      expect(report?.tally.kept).toBeGreaterThan(0)
      expect(Object.keys(report?.server.refusals ?? {}).length).toBeGreaterThan(0)
    },
    TIMEOUT,
  )

  test(
    'of a server that loses messages: replies and news are missed, nothing else',
    async () => {
      const { lines, report, passed } = await verdictOn('forgetful')
      expect([passed, lines.at(-1), report?.left]).toEqual([false, 'FAILED', []])
      const faults = report?.tally.faults.join('\n')
      expect(faults).toMatch(/guest \(seed \d+\): expected (ask \d+, got ask \d+|\d+ replies before bye, got \d+)$/m)
      expect(faults).toMatch(/guest \(seed \d+\): expected news up to \d+ before bye, got it up to \d+$/m)
    },
    TIMEOUT,
  )

  test(
    'of a server that leaks: memory, connections, sockets and timers are named, no message is missed',
    async () => {
      const { lines, report, passed } = await verdictOn('leaky')
      expect([passed, lines.at(-1), report?.tally.faults]).toEqual([false, 'FAILED', []])
      expect(lines.find((line) => line.startsWith('memory:'))).toMatch(/grown too much: .*arrayBuffers/)
      expect(report?.left.join(', ')).toMatch(
        /\d+ WebSocketConnection in memory, \d+ Socket in memory, .*\d+ Timeout\b/,
      )
    },
    TIMEOUT,
  )

  test(
    'of a server that crashes: its last words are shown',
    async () => {
      const { lines, report, broken, passed } = await verdictOn('crashing')
      expect([passed, report]).toEqual([false, undefined])
      expect(broken.join('\n')).toContain('the process of the server: it ended with exit code 1; it wrote:')
      expect(broken.join('\n')).toContain('Error: not this one')
      expect(lines.at(-1)).toBe('FAILED: it did not come to its end')
    },
    TIMEOUT,
  )
})
