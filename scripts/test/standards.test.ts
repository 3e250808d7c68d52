// The standards report: on small inputs, and the page and the tests of this workspace.

import { describe, expect, test } from 'vitest'
import { catalogueCitations, citations, faults, parsePage, readWorkspace, report } from '../standards.ts'

// Ids are put together here, so that no string of this file names a row.
const named = (ids: string) => `[${ids}]`

const page = (...rows: string[]) => `# Standards\n\n## X. Things\n\n| id | source |\n| -- | -- |\n${rows.join('\n')}\n`
const row = (id: string, who: string, reason = '') => `| ${id} | 6455 | MUST | ${who} | It works. | ${reason} |`
const cite = (id: string, path: string) => ({ id, path })

const CORE = 'packages/protocol/test/a.test.ts'
const SERVER = 'packages/server/test/b.test.ts'
const CLIENT = 'packages/client/test/c.test.ts'

test('parsePage', () => {
  expect(parsePage(page(row('X1', 'both'), row('X2', 'client', 'not yet: no time')))).toEqual([
    { id: 'X1', section: 'X. Things', level: 'MUST', who: 'both', requirement: 'It works.', reason: '' },
    {
      id: 'X2',
      section: 'X. Things',
      level: 'MUST',
      who: 'client',
      requirement: 'It works.',
      reason: 'not yet: no time',
    },
  ])
})

test('citations: in strings and templates, not in comments or code', () => {
  const text = `
    // ${named('X1')}
    test('${named('X2, X3')} a ${named('X4')}', () => list[X5])
    test.each([["${named('X6')} b"], [\`c \${d} ${named('X7')}\`], [\`${named('X8')}\`]])('[L] %s [X9', () => {})
  `
  expect(citations(CORE, text).map(({ id }) => id)).toEqual(['X2', 'X3', 'X4', 'X6', 'X7', 'X8'])
  expect(citations(CORE, `'${named('X2')}'`)).toEqual([cite('X2', CORE)])
})

describe('the cases of the catalogue', () => {
  const cases = [{ rows: ['X1', 'X2'] }, { rows: ['X1'] }]
  const atServer = catalogueCitations({ cases, endsOf: () => ['server'] })
  const atBoth = catalogueCitations({ cases, endsOf: () => ['server', 'client'] })

  test('each row of a case is a citation', () => {
    expect(atServer).toEqual(['X1', 'X2', 'X1'].map((id) => ({ id, path: 'conformance', ends: ['server'] })))
  })

  test('they count for the ends that they run at', () => {
    const rows = parsePage(page(row('X1', 'both'), row('X2', 'server')))
    expect(faults(rows, atServer)).toEqual(['X1: no test that counts for the client'])
    expect(faults(rows, atBoth)).toEqual([])
    expect(faults(parsePage(page(row('X1', 'both', 'not yet: no time'), row('X2', 'server'))), atBoth)).toEqual([
      'X1: has a test, so its reason is out of date: not yet: no time',
    ])
  })

  test('the report says how many there are', () => {
    const rows = parsePage(page(row('X1', 'both'), row('X2', 'server')))
    expect(report(rows, [...atBoth, cite('X1', CORE)])).toEqual([
      'X. Things: 2 rows: 2 with tests',
      '  X1  It works. (MUST)',
      '      both: conformance: 2 cases, protocol/test/a.test.ts',
      '  X2  It works. (MUST)',
      '      server: conformance: 1 case',
      '',
      '2 rows: 2 with tests',
    ])
  })
})

describe('faults', () => {
  test.each([
    ['a test of the core counts for both', row('X1', 'both'), [CORE], []],
    ['a test of each end', row('X1', 'both'), [SERVER, CLIENT], []],
    ['a test of one end only', row('X1', 'both'), [SERVER], ['X1: no test that counts for the client']],
    ['a test of the other end', row('X1', 'server'), [CLIENT], ['X1: no test that counts for the server']],
    ['no test', row('X1', 'both'), [], ['X1: no test that counts for the server and the client']],
    ['a reason', row('X1', 'both', 'not yet: no time'), [], []],
    ['a row of proxies', row('X1', 'proxy'), [], ['X1: no test, and no reason']],
    ['a row of proxies with a reason', row('X1', 'proxy', 'does not apply: we are none'), [], []],
    [
      'a reason and a test',
      row('X1', 'client', 'not yet: no time'),
      [CLIENT],
      ['X1: has a test, so its reason is out of date: not yet: no time'],
    ],
    ['a part', row('X1', 'client', 'partly: not this'), [CLIENT], []],
    ['a part of nothing', row('X1', 'client', 'partly: not this'), [], ['X1: no test that counts for the client']],
    ['a reason of no kind', row('X1', 'client', 'hm'), [], ['X1: a reason that does not say what it is: hm']],
    ['nobody', row('X1', 'us'), [CORE], ['X1: who must be server, client, both, proxy; got us']],
  ])('%s', (_, line, paths, expected) => {
    const cited = paths.map((path) => cite('X1', path))
    expect(faults(parsePage(page(line)), cited)).toEqual(expected)
  })

  test('a row that the page has twice, and one that it has not', () => {
    expect(faults(parsePage(page(row('X1', 'both'), row('X1', 'both'))), [cite('X1', CORE), cite('X2', CORE)])).toEqual(
      ['X1: the page has it twice', `X2: unknown row, named in ${CORE}`],
    )
  })
})

test('report', () => {
  const rows = parsePage(
    page(row('X1', 'both'), row('X2', 'both', 'partly: not this'), row('X3', 'both', 'not yet: no')),
  )
  const cited = [cite('X1', CORE), cite('X1', CORE), cite('X2', SERVER), cite('X2', CLIENT)]
  expect(report(rows, cited)).toEqual([
    'X. Things: 3 rows: 2 with tests, 1 of them in part, 1 not yet',
    '  X1  It works. (MUST)',
    '      both: protocol/test/a.test.ts ×2',
    '  X2  It works. (MUST)',
    '      server: server/test/b.test.ts',
    '      client: client/test/c.test.ts',
    '      partly: not this',
    '  X3  It works. (MUST)',
    '      not yet: no',
    '',
    '3 rows: 2 with tests, 1 of them in part, 1 not yet',
  ])
})

test('every row of docs/standards.md has a test or a reason, and every test a row', async () => {
  const { rows, cited } = await readWorkspace()
  expect(faults(rows, cited)).toEqual([])
  expect(rows.length).toBe(235)
  expect(cited.filter(({ path }) => path === 'conformance').length).toBeGreaterThan(1_000)
})
