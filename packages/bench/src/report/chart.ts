// The chart: how each server does beside `ws`, row by row, on a logarithmic axis, so that twice and half look alike. Without `ws`
// in the run it is ours that the others are set beside.

import { OURS } from '../contestants.ts'
import { METRICS } from '../figures.ts'
import type { Report, ReportedRow } from './report.ts'

const WIDTH = 900
const ROW_HEIGHT = 56
const MARGIN = 110
const REFERENCE = 'ws'

/** Draws the rows that are meant for it as SVG. */
export async function chartOf(report: Report): Promise<string> {
  const rows = report.groups.flatMap((group) => group.rows).filter(({ charted }) => charted)
  const ids = report.contestants.filter(({ id }) => rows.some(({ outcomes }) => outcomes[id] !== undefined))
  const reference = ids.find(({ id }) => id === REFERENCE) ?? { id: OURS.id, title: OURS.title }
  const beside = ids.filter(({ id }) => id !== reference.id)
  const title = `Per CPU-second of the server, ${reference.title} = 1`
  const { init } = await import('echarts') // large, and most runs draw nothing
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: MARGIN + rows.length * ROW_HEIGHT,
  })
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: { text: title, left: 'center', top: 8 },
      legend: { top: 36 },
      grid: { left: 16, right: 56, top: 70, bottom: 8, containLabel: true },
      xAxis: { type: 'log', logBase: 2 },
      yAxis: { type: 'category', inverse: true, data: rows.map(({ id }) => id) },
      series: beside.map(({ id, title, color }) => ({
        type: 'bar',
        name: title,
        itemStyle: { color },
        label: { show: true, position: 'right', formatter: '{c}' },
        data: rows.map((row) => relative(row, id, reference.id)),
      })),
    })
    return `${plain(chart.renderToSVGString(), title)}\n`
  } finally {
    chart.dispose()
  }
}

/** With a title for those who cannot see it, without styles for a pointer and hooks for scripts, which are numbered anew each time. */
function plain(svg: string, title: string): string {
  const titled = svg.replace(/^<svg [^>]*>/, (start) => `${start}\n<title>${title}</title>`)
  return titled.replace(/<style[\s\S]*?<\/style>\n?/, '').replaceAll(/ (class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
}

/** How many times as good as the reference; null draws no bar. */
function relative({ metric, outcomes }: ReportedRow, id: string, reference: string): number | null {
  const value = outcomes[id]?.medians[metric]
  const other = outcomes[reference]?.medians[metric]
  if (value === undefined || other === undefined || value <= 0 || other <= 0) return null
  const times = METRICS[metric].better === 'higher' ? value / other : other / value
  return Number(times.toPrecision(3))
}
