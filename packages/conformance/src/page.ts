// Where the generated page is, and whether it still says what was found.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const PAGE = join(import.meta.dirname, '../../../docs/conformance.md')

/** Whether the page of the repository is `content`. */
export async function isUpToDate(content: string): Promise<boolean> {
  return content === (await readFile(PAGE, 'utf8').catch(() => ''))
}

export async function writePage(content: string): Promise<void> {
  await writeFile(PAGE, content)
}
