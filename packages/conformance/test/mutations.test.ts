// `pnpm mutants` takes minutes; that its mutations still fit the sources is seen at once.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CATALOGUE } from '../src/catalogue.ts'
import { MUTATIONS } from '../src/mutants/mutations.ts'

const SOURCES = join(import.meta.dirname, '../../protocol/src')

it.each(MUTATIONS)('$file: $text stands exactly once', ({ file, text, replacement }) => {
  expect(readFileSync(join(SOURCES, file), 'utf8').split(text)).toHaveLength(2)
  expect(replacement).not.toBe(text)
})

it('the sections that must notice them have cases', () => {
  const names = [...new Set(MUTATIONS.flatMap(({ sections }) => sections))]
  expect(names.filter((name) => !CATALOGUE.some(({ id }) => id.startsWith(name)))).toEqual([])
})
