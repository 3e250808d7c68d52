// The generated part of docs/performance.md. Rules: it stands between two markers, and what people write outside of them stays;
// it holds no time and no date.

import { readFile, writeFile } from 'node:fs/promises'
import { format } from '../figures.ts'
import { MARKS, type Table, tablesOf } from './cells.ts'
import { notesOf, type Report } from './report.ts'

const BEGIN = '<!-- Written by `pnpm bench --update` from here on; do not edit. -->'
const END = '<!-- Written by hand from here on. -->'
const NEW_PAGE = `# Performance\n\n${BEGIN}\n${END}\n`

/** Replaces the generated part of a page; makes the page if there is none. */
export async function updatePage(file: string, report: Report, chart: string): Promise<void> {
  const page = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return NEW_PAGE
    throw error
  })
  await writeFile(file, insert(page, markdownOf(report, chart)))
}

/** @throws Error if the page lacks the markers */
export function insert(page: string, generated: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`expected a page with the lines ${BEGIN} and ${END}, in this order`)
  return `${page.slice(0, begin)}${BEGIN}\n\n${generated}\n\n${page.slice(end)}`
}

/** @param chart the path of the chart from the page */
export function markdownOf(report: Report, chart: string): string {
  const { machine, rounds, seconds, cores, command, contestants } = report
  const { cpu, cores: count, memory, kernel, node } = machine
  const versions = contestants
    .filter(({ version }) => version !== '')
    .map(({ title, version }) => `${title} ${version}`)
  return [
    `Measured by \`${command}\` on: ${cpu}, ${count} cores, ${memory}, ${kernel}, Node ${node}. Compared: ${versions.join(', ')}.`,
    '',
    `${capital(cores)}. Rounds: ${rounds}, of ${seconds} s each. Figures are medians; a ratio is the median of the rounds' ratios, and above 1 ours is`,
    'better. Every server but node:net, which parses nothing, has limits and UTF-8 checks on; ours has its default options.',
    '',
    `![How each server does beside ws](${chart})`,
    '',
    ...tablesOf(report).flatMap((table) => [...renderTable('##', table), '']),
    ...perSecond(report),
    `${inert(MARKS)}`,
    ...notesOf(report).map((note) => `\n- ${note}`),
  ].join('\n')
}

/** What was done in wall-clock time, and the memory that it took: the same measurements, seen otherwise. */
function perSecond(report: Report): string[] {
  const rows = report.groups.flatMap(({ rows }) => rows).filter(({ metric }) => metric === 'perCpuSecond')
  const present = report.contestants.filter(({ id }) => rows.some(({ outcomes }) => outcomes[id] !== undefined))
  const lines = rows.map((row) => [
    row.id,
    ...present.map(({ id }) => {
      const { perSecond: speed, peakRss } = row.outcomes[id]?.medians ?? {}
      return speed === undefined || peakRss === undefined
        ? ''
        : `${format(speed, 'perSecond')}, ${format(peakRss, 'peakRss')}`
    }),
  ])
  const text = 'The same measurements by the clock on the wall, with the peak memory of the measured process.'
  return [
    ...renderTable('##', {
      title: 'Per second, and peak memory',
      text,
      head: ['row', ...present.map(({ title }) => title)],
      lines,
    }),
    '',
  ]
}

function renderTable(level: string, { title, text, head, lines }: Table): string[] {
  const render = (cells: readonly string[]): string => `| ${cells.map(inert).join(' | ')} |`
  return [
    `${level} ${title}`,
    '',
    text,
    '',
    render(head),
    `| --- |${' ---: |'.repeat(head.length - 1)}`,
    ...lines.map(render),
  ]
}

function inert(cell: string): string {
  return cell.replaceAll('*', '\\*').replaceAll('|', '\\|')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
