// From rounds to what is read: table, page and chart of a report that was made by hand.

import { expect, test } from 'vitest'
import { CONTESTANTS } from '../src/contestants.ts'
import { format, formatRatio } from '../src/figures.ts'
import { job } from '../src/job.ts'
import { chartOf } from '../src/report/chart.ts'
import { insert, markdownOf } from '../src/report/markdown.ts'
import { hasErrors, notesOf, type Report, reportOf } from '../src/report/report.ts'
import { textOf } from '../src/report/text.ts'
import type { Row } from '../src/rows.ts'
import type { Outcome } from '../src/run.ts'

const ROW: Row = {
  id: 'echo-1x1',
  title: '1 × 1 B × 1',
  side: 'server',
  metric: 'perCpuSecond',
  job: job('echo', 1, 1),
  charted: true,
}
const IDLE: Row = { ...ROW, id: 'idle', title: 'idle', metric: 'bytesPerConnection', charted: false }

function measured(...values: number[]): Outcome {
  const rounds = values.map((value) => ({ perCpuSecond: value, perSecond: value, cpuShare: 1, peakRss: 5e7 }))
  return { rounds, errors: [] }
}

function idle(...values: number[]): Outcome {
  return { rounds: values.map((value) => ({ bytesPerConnection: value })), errors: [] }
}

function report(outcomes: Record<string, Outcome>): Report {
  return reportOf(
    {
      machine: { cpu: 'A CPU', cores: 2, memory: '4 GiB', kernel: 'Linux 6', node: 'v20.0.0' },
      command: 'npx -y pnpm@12 bench',
      rounds: 3,
      seconds: 1,
      cores: 'measured process on core 1, load on core 0',
      contestants: CONTESTANTS.filter(({ id }) => id in outcomes),
      groups: [{ title: 'Echo', text: 'Messages.', rows: [ROW, IDLE] }],
    },
    {
      results: [
        { row: ROW, outcomes },
        { row: IDLE, outcomes: { ours: idle(4000, 4000, 5000), net: idle(2000, 8000, 4000) } },
      ],
      versions: { ws: '8.0.0' },
    },
  )
}

const FULL = report({
  ours: measured(2_000_000, 2_200_000, 2_100_000),
  ws: {
    rounds: [{ perCpuSecond: 150_000, cpuShare: 0.5 }, undefined, { perCpuSecond: 140_000, cpuShare: 0.6 }],
    errors: ['it fell over'],
  },
  uws: { rounds: [undefined], errors: [], skipped: 'no binary' },
  net: measured(4_000_000, 4_400_000, 4_200_000),
})

test('the table has medians, ratios of rounds, marks and notes', () => {
  expect(textOf(FULL).split('\n').slice(3)).toEqual([
    'Echo: Messages.',
    'row             ours       ws  uWebSockets.js  node:net  ours / ws  ours / uWebSockets.js  ours / node:net',
    '1 × 1 B × 1   2.10 M  145 k*!         skipped    4.20 M      14.2×                      –            0.50×',
    'idle         4.00 KB                            4.00 KB          –                      –            0.80×',
    '',
    '* the measured process used less than 90 % of a core: it did not set the pace. ! a round failed.',
    'echo-1x1, ws: failed: it fell over',
    'uWebSockets.js skipped: no binary',
  ])
})

test('what failed is an error, what was skipped is none', () => {
  expect(hasErrors(FULL)).toBe(true)
  const skipped = report({ ours: measured(1), uws: { rounds: [], errors: [], skipped: 'no binary' } })
  expect(hasErrors(skipped)).toBe(false)
  expect(notesOf(skipped)).toEqual(['uWebSockets.js skipped: no binary'])
})

test('the report survives JSON and says what its parts mean', () => {
  expect(JSON.parse(JSON.stringify(FULL))).toEqual(FULL)
  expect(FULL.groups[0]?.rows[0]?.outcomes.net).toMatchObject({ ours: 0.5, saturated: true, skipped: null })
  expect(FULL.groups[0]?.rows[1]?.outcomes.net).toMatchObject({ ours: 0.8 }) // of 0.5, 2 and 0.8: less is better
  expect(FULL.metrics.perCpuSecond).toEqual({
    title: 'per CPU-second of the measured process',
    unit: 'count',
    better: 'higher',
  })
  expect(Object.keys(FULL.about)).toContain('outcomes.ours')
})

test('the page says the machine and the command, and has no bare star in a table', () => {
  const page = markdownOf(FULL, 'performance.svg')
  expect(page).toContain(
    'Measured by `npx -y pnpm@12 bench` on: A CPU, 2 cores, 4 GiB, Linux 6, Node v20.0.0. Compared: ws 8.0.0.',
  )
  expect(page).toContain('| 1 × 1 B × 1 | 2.10 M | 145 k\\*! | skipped | 4.20 M | 14.2× | – | 0.50× |')
  expect(page).toContain('| echo-1x1 | 2.10 M, 50.0 MB |')
})

test('only what stands between the markers is replaced', () => {
  const begin = '<!-- Written by `pnpm bench --update` from here on; do not edit. -->'
  const end = '<!-- Written by hand from here on. -->'
  expect(insert(`# Title\n${begin}\nold\n${end}\nmine\n`, 'new')).toBe(`# Title\n${begin}\n\nnew\n\n${end}\nmine\n`)
  expect(() => insert('# Title\n', 'new')).toThrow('expected a page with the lines')
  expect(() => insert(`${end}\n${begin}\n`, 'new')).toThrow('in this order')
})

test('the chart is SVG with the rows that are meant for it, the same each time', async () => {
  const chart = await chartOf(FULL)
  expect(chart).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
  expect(chart).toContain('>echo-1x1<')
  expect(chart).not.toContain('>idle<')
  expect(chart).toContain('>14.5<') // ours beside ws
  expect(await chartOf(FULL)).toBe(chart)
})

test('figures have three digits and a unit', () => {
  expect(format(1234, 'perSecond')).toBe('1.23 k')
  expect(format(999, 'perSecond')).toBe('999')
  expect(format(12_345_678, 'perCpuSecond')).toBe('12.3 M')
  expect(format(5_500, 'bytesPerConnection')).toBe('5.50 KB')
  expect(format(62_000_000, 'peakRss')).toBe('62.0 MB')
  expect(format(35.26, 'p50')).toBe('35.3 µs')
  expect(format(1500, 'p99')).toBe('1.50 ms')
  expect(format(0.897, 'cpuShare')).toBe('90 %')
  expect(formatRatio(1.256)).toBe('1.26×')
  expect(formatRatio(undefined)).toBe('–')
})
