// What the tests read out of a page: its fenced blocks, and the rows of its tables.

/** A fenced block. */
export interface Block {
  /** The line of its opening fence, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page, in order. @throws Error if one is not closed */
export function blocks(markdown: string): Block[] {
  const found: Block[] = []
  let open: { line: number; language: string; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (fence === null) open?.lines.push(line)
    else if (open === undefined) open = { line: index + 1, language: (fence[1] as string).trim(), lines: [] }
    else {
      found.push({ line: open.line, language: open.language, text: open.lines.join('\n') })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: the block is not closed`)
  return found
}

/** A row of a table, by the names of its columns, and the heading above it. */
export type Row = { readonly heading: string; readonly [column: string]: string }

/** The rows of all tables of a page, in order; a cell that is nothing but code loses its backticks. */
export function tableRows(markdown: string): Row[] {
  const rows: Row[] = []
  let heading = ''
  let columns: string[] | undefined
  for (const line of markdown.split('\n')) {
    if (line.startsWith('#')) heading = line.replace(/^#+ /, '')
    if (!line.startsWith('|')) columns = undefined
    else if (columns === undefined) columns = cells(line)
    else if (!/^[|: -]+$/.test(line)) rows.push(row(heading, columns, cells(line)))
  }
  return rows
}

function row(heading: string, columns: string[], values: string[]): Row {
  if (values.length !== columns.length) throw new Error(`a row of other length than its table: ${values.join(' | ')}`)
  return Object.fromEntries([['heading', heading], ...columns.map((column, index) => [column, values[index]])])
}

function cells(line: string): string[] {
  return line
    .trim()
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'))
}
