// The kept inputs: one file each, with a comment that says what it is. `.hex` files are hex digits, `.txt` files text as it
// stands, one header line a line; lines before the input that begin with `#` are the comment.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { hex } from '../support/bytes.ts'

const FOLDER = join(import.meta.dirname, '../corpus')

export interface Kept {
  readonly name: string
  readonly comment: string
  readonly bytes: Uint8Array
}

/** The inputs of one folder of the corpus, in the order of their names. */
export function readCorpus(folder: string): Kept[] {
  return readdirSync(join(FOLDER, folder))
    .sort()
    .map((name) => parseKept(name, readFileSync(join(FOLDER, folder, name), 'latin1')))
}

export function parseKept(name: string, file: string): Kept {
  const lines = file.replace(/\n$/, '').split('\n')
  const begin = lines.findIndex((line) => !line.startsWith('#'))
  const comment = lines.slice(0, begin).join(' ').replaceAll('# ', '')
  const input = lines.slice(begin).join('\n')
  const bytes = name.endsWith('.hex') ? hex(input.toLowerCase()) : Buffer.from(input, 'latin1')
  return { name: basename(name), comment, bytes: Uint8Array.from(bytes) }
}
