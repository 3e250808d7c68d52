// The standards report: every row of docs/standards.md with its tests, per end. Rules: a row without a test has a written
// reason, a reason that is out of date is a fault, and so is a test of an unknown row. A test names its rows in square
// brackets, in a string of a test file: `[G5]`, `[L2, L4]`. A case of the conformance catalogue names them as data, and counts
// for the ends that it runs at. Usage: standards.ts

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

const ROOT = join(import.meta.dirname, '..')

type End = 'server' | 'client'

/** The ends that a row binds, by its column `who`. A proxy is neither. */
const ENDS: ReadonlyMap<string, readonly End[]> = new Map([
  ['server', ['server']],
  ['client', ['client']],
  ['both', ['server', 'client']],
  ['proxy', []],
])

/** What a reason begins with. `partly` stands beside tests, the others in place of them. */
const REASON = /^(not built yet|not yet|does not apply|partly): \S/

/** One row of the page. */
export interface Row {
  readonly id: string
  /** The heading that it stands under. */
  readonly section: string
  readonly level: string
  readonly who: string
  readonly requirement: string
  /** Why there is no test, or none of a part; `''` if there is nothing to say. */
  readonly reason: string
}

/** A test that names a row. */
export interface Citation {
  readonly id: string
  /** Its file, from the root, or the catalogue that it is a case of. */
  readonly path: string
  /** The ends that it is for, if its path does not tell. */
  readonly ends?: readonly End[]
}

/** As much of a case of the catalogue as is looked at. */
interface CatalogueCase {
  readonly rows: readonly string[]
}

/** The catalogue of packages/conformance: its cases, and the ends that each runs at. */
interface Catalogue<Case extends CatalogueCase> {
  readonly cases: readonly Case[]
  readonly endsOf: (test: Case) => readonly End[]
}

/** The rows of the page, in order. */
export function parsePage(page: string): Row[] {
  return page.split(/^## /m).flatMap((part) => {
    const section = part.slice(0, part.indexOf('\n'))
    return [...part.matchAll(/^\| ([A-Z]\d+) .*$/gm)].map(([line]) => {
      const [, id = '', , level = '', who = '', requirement = '', reason = ''] = line
        .split('|')
        .map((cell) => cell.trim())
      return { id, section, level, who, requirement, reason }
    })
  })
}

/** The rows that the strings of a test file name; comments do not count. */
export function citations(path: string, text: string): Citation[] {
  const found: Citation[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      for (const id of namedIn(node.text)) found.push({ id, path })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest))
  return found
}

function namedIn(name: string): string[] {
  return [...name.matchAll(/\[([A-Z]\d+(?:, [A-Z]\d+)*)\]/g)].flatMap(([, ids = '']) => ids.split(', '))
}

/** The rows that the cases of a catalogue name. */
export function catalogueCitations<Case extends CatalogueCase>({ cases, endsOf }: Catalogue<Case>): Citation[] {
  return cases.flatMap((test) => test.rows.map((id) => ({ id, path: CATALOGUE, ends: endsOf(test) })))
}

/** The ends that a test shows something of: the core and what both ends share count for both. */
function endsOf({ path, ends }: Citation): readonly End[] {
  if (ends !== undefined) return ends
  const name = path.split('/')[1] ?? ''
  return ENDS.get(name) ?? ['server', 'client']
}

/** What is wrong with the page or the tests, a line each. */
export function faults(rows: readonly Row[], cited: readonly Citation[]): string[] {
  const ids = new Set(rows.map((row) => row.id))
  const repeated = rows.filter((row, index) => rows.findIndex(({ id }) => id === row.id) !== index)
  return [
    ...repeated.map(({ id }) => `${id}: the page has it twice`),
    ...rows.flatMap((row) => rowFault(row, cited) ?? []),
    ...cited.filter(({ id }) => !ids.has(id)).map(({ id, path }) => `${id}: unknown row, named in ${path}`),
  ]
}

function rowFault(row: Row, cited: readonly Citation[]): string | undefined {
  const { id, who, reason } = row
  const bound = ENDS.get(who)
  if (bound === undefined) return `${id}: who must be ${[...ENDS.keys()].join(', ')}; got ${who}`
  if (reason !== '' && !REASON.test(reason)) return `${id}: a reason that does not say what it is: ${reason}`
  const untested = bound.filter((end) => testsOf(row, end, cited).length === 0)
  const tested = cited.some((citation) => citation.id === id)
  const instead = reason !== '' && !reason.startsWith('partly: ')
  if (instead) return tested ? `${id}: has a test, so its reason is out of date: ${reason}` : undefined
  if (bound.length === 0 && !tested) return `${id}: no test, and no reason`
  return untested.length > 0 ? `${id}: no test that counts for the ${untested.join(' and the ')}` : undefined
}

function testsOf({ id }: Row, end: End, cited: readonly Citation[]): Citation[] {
  return cited.filter((citation) => citation.id === id && endsOf(citation).includes(end))
}

/** The whole report: each section with its count, each row with its tests per end, and the sum. */
export function report(rows: readonly Row[], cited: readonly Citation[]): string[] {
  const sections = [...new Set(rows.map((row) => row.section))]
  const lines = sections.flatMap((section) => {
    const own = rows.filter((row) => row.section === section)
    return [`${section}: ${counted(own)}`, ...own.flatMap((row) => rowLines(row, cited)), '']
  })
  return [...lines, counted(rows)]
}

function counted(rows: readonly Row[]): string {
  const count = (kind: RegExp): number => rows.filter(({ reason }) => kind.test(reason)).length
  const parts = [
    [count(/^$|^partly/), 'with tests'],
    [count(/^partly/), 'of them in part'],
    [count(/^not /), 'not yet'],
    [count(/^does not/), 'do not apply'],
  ] as const
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)
  return `${rows.length} rows: ${said.join(', ')}`
}

function rowLines(row: Row, cited: readonly Citation[]): string[] {
  const bound = ENDS.get(row.who) ?? []
  const tests = bound.map((end) => [end, listed(testsOf(row, end, cited))] as const).filter(([, files]) => files !== '')
  const alike = tests.length > 1 && tests.every(([, files]) => files === tests[0]?.[1])
  const shown = alike ? [['both', tests[0]?.[1]] as const] : tests
  return [
    `  ${row.id.padEnd(3)} ${row.requirement}${row.level === '–' ? '' : ` (${row.level})`}`,
    ...shown.map(([end, files]) => `      ${end}: ${files}`),
    ...(row.reason === '' ? [] : [`      ${row.reason}`]),
  ]
}

/** The files of tests, each with how often it names the row, if more than once; of the catalogue, how many cases. */
function listed(tests: readonly Citation[]): string {
  const files = new Map<string, number>()
  for (const { path } of tests) files.set(path, (files.get(path) ?? 0) + 1)
  return [...files].map(([path, times]) => (path === CATALOGUE ? counting(times) : named(path, times))).join(', ')
}

function named(path: string, times: number): string {
  return path.replace('packages/', '') + (times > 1 ? ` ×${times}` : '')
}

function counting(cases: number): string {
  return `${CATALOGUE}: ${cases} ${cases === 1 ? 'case' : 'cases'}`
}

/** Folders whose files name rows. */
const FOLDERS = [
  { packages: ['protocol', 'server', 'client', 'conformance', 'interop'], folder: 'test', ending: '.test.ts' },
  { packages: ['interop'], folder: 'src', ending: '.ts' },
]
/** Stands in place of a file for the cases of packages/conformance. */
const CATALOGUE = 'conformance'
/** Imported as they run, for the compiler's project of scripts does not see packages. */
const CATALOGUE_MODULES = ['catalogue.ts', 'case.ts'].map((name) => join(ROOT, 'packages/conformance/src', name))

/** Reads the page, the tests and the catalogue of this workspace. */
export async function readWorkspace(): Promise<{ rows: Row[]; cited: Citation[] }> {
  const paths = FOLDERS.flatMap(({ packages, folder, ending }) =>
    packages
      .map((name) => `packages/${name}/${folder}`)
      .filter((path) => existsSync(join(ROOT, path)))
      .flatMap((path) => filesOf(path).filter((file) => file.endsWith(ending))),
  )
  return {
    rows: parsePage(readFileSync(join(ROOT, 'docs/standards.md'), 'utf8')),
    cited: [
      ...paths.sort().flatMap((path) => citations(path, readFileSync(join(ROOT, path), 'utf8'))),
      ...catalogueCitations(await readCatalogue()),
    ],
  }
}

async function readCatalogue(): Promise<Catalogue<CatalogueCase>> {
  const [catalogue, ends] = await Promise.all(CATALOGUE_MODULES.map((path) => import(pathToFileURL(path).href)))
  return { cases: catalogue.CATALOGUE, endsOf: ends.endsOf }
}

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`)
}

async function main(): Promise<void> {
  const { rows, cited } = await readWorkspace()
  for (const line of report(rows, cited)) console.log(line)
  const wrong = faults(rows, cited)
  for (const line of wrong) console.log(`FAULT ${line}`)
  process.exitCode = wrong.length > 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
