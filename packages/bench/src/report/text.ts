// The report on a terminal.

import { MARKS, type Table, tablesOf } from './cells.ts'
import { notesOf, type Report } from './report.ts'

export function textOf(report: Report): string {
  const { machine, cores, rounds, seconds } = report
  const { cpu, cores: count, memory, kernel, node } = machine
  return [
    `${cpu}, ${count} cores, ${memory}, ${kernel}, Node ${node}`,
    `${cores}; rounds: ${rounds}, of ${seconds} s each; figures are medians`,
    ...tablesOf(report).map(renderTable),
    '',
    MARKS,
    ...notesOf(report),
  ].join('\n')
}

function renderTable({ title, text, head, lines }: Table): string {
  const widths = head.map((name, column) => Math.max(name.length, ...lines.map((line) => line[column]?.length ?? 0)))
  const render = (line: readonly string[]): string =>
    line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  ')
  return ['', `${title}: ${text}`, render(head), ...lines.map(render)].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
