import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import {
  checkHeaders,
  type Extension,
  formatExtensions,
  groupHeaders,
  type Header,
  headerLines,
  isHeaderValue,
  isToken,
  parseExtensions,
  parseTokenList,
} from '../../src/handshake/headers.ts'

const ALL_LATIN1 = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** `name` or `name=value` for each parameter: an extension as a list of strings. */
function flat(extensions: Extension[] | undefined): string[][] | undefined {
  return extensions?.map(({ name, parameters }) => [
    name,
    ...parameters.map((given) => (given.value === undefined ? given.name : `${given.name}=${given.value}`)),
  ])
}

describe('isToken', () => {
  test('is visible ASCII without separators', () => {
    expect(ALL_LATIN1.filter(isToken)).toEqual(ALL_LATIN1.filter((character) => TOKEN.test(character)))
  })

  test.each([
    ['', false],
    ['a', true],
    ['permessage-deflate', true],
    ['a b', false],
    ['a ', false],
    ['é', false],
    ['\u212a', false],
    ['__proto__', true],
  ])('%j: %s', (text, valid) => {
    expect(isToken(text)).toBe(valid)
  })
})

describe('isHeaderValue', () => {
  test('takes no control characters but the tab', () => {
    expect(ALL_LATIN1.filter(isHeaderValue)).toEqual(ALL_LATIN1.filter((c) => /^[\t\x20-\x7e\x80-\xff]$/.test(c)))
  })

  test.each([
    ['', true],
    ['a b\tc', true],
    ['\u0100', false],
    ['a\r\nX: y', false],
    ['ends in NUL\0', false],
    ['😀', false],
  ])('%j: %s', (text, valid) => {
    expect(isHeaderValue(text)).toBe(valid)
  })
})

describe('checkHeaders [B8, E5]', () => {
  const reserved = ['upgrade', 'sec-websocket-']

  test.each<[string, Header[]]>([
    ['none', []],
    [
      'cookies',
      [
        ['Set-Cookie', 'a=b'],
        ['Set-Cookie', 'c=d'],
      ],
    ],
    ['an empty value', [['X', '']]],
    ['a name that only begins like a reserved one', [['Upgrade-Insecure-Requests', '1']]],
    [
      'a name that is a property of every object',
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    ],
  ])('takes %s', (_, headers) => {
    expect(checkHeaders(headers, reserved)).toBe(undefined)
  })

  test.each<[string, unknown[], string]>([
    [
      'CR LF in a value',
      ['X', 'a\r\nb'],
      'value of header X must be a string without control characters or characters past U+00FF; got "a\\r\\nb"',
    ],
    [
      'NUL in a value',
      ['X', 'a\0'],
      'value of header X must be a string without control characters or characters past U+00FF; got "a\\u0000"',
    ],
    [
      'a number as a value',
      ['X', 5],
      'value of header X must be a string without control characters or characters past U+00FF; got 5',
    ],
    [
      'no value',
      ['X'],
      'value of header X must be a string without control characters or characters past U+00FF; got undefined',
    ],
    ['an empty name', ['', 'x'], 'header name must be a token (RFC 9110 §5.6.2); got ""'],
    ['a name with CR LF', ['X\r\nY', 'x'], 'header name must be a token (RFC 9110 §5.6.2); got "X\\r\\nY"'],
    ['a name with a colon', ['X:', 'x'], 'header name must be a token (RFC 9110 §5.6.2); got "X:"'],
    ['a name that is no string', [1, 'x'], 'header name must be a token (RFC 9110 §5.6.2); got 1'],
    ['a reserved name', ['UPGRADE', 'x'], 'header UPGRADE is written by the handshake itself and cannot be given'],
    [
      'a reserved prefix',
      ['Sec-WebSocket-Key', 'x'],
      'header Sec-WebSocket-Key is written by the handshake itself and cannot be given',
    ],
  ])('throws on %s', (_, header, message) => {
    const headers = [['Fine', 'x'], header] as unknown as Header[]
    expect(() => checkHeaders(headers, reserved)).toThrow(new UsageError(message))
  })
})

describe('groupHeaders and headerLines', () => {
  const fields = groupHeaders([
    'Host',
    'a',
    'X-Y',
    ' 1\t',
    'hOST',
    'b',
    '__proto__',
    'p',
    'Constructor',
    'c',
    'Empty',
    ' \t ',
  ])

  test.each([
    ['host', ['a', 'b']],
    ['x-y', ['1']],
    ['__proto__', ['p']],
    ['constructor', ['c']],
    ['empty', ['']],
    ['toString', []],
    ['missing', []],
  ])('%s: %j [D12, D21]', (name, lines) => {
    expect(headerLines(fields, name)).toEqual(lines)
  })

  test('trims nothing but space and tab', () => {
    expect(headerLines(groupHeaders(['A', '\u00a0 x\u00a0']), 'a')).toEqual(['\u00a0 x\u00a0'])
  })
})

describe('parseTokenList', () => {
  test.each<[string[], string[] | undefined]>([
    [['chat'], ['chat']],
    [
      ['a', 'b, c'],
      ['a', 'b', 'c'],
    ], // [D10, F4]
    [['keep-alive, Upgrade'], ['keep-alive', 'Upgrade']],
    [[' a\t,\t b '], ['a', 'b']],
    [[',a,,b,'], ['a', 'b']], // [F3]
    [
      ['a', '', 'b'],
      ['a', 'b'],
    ],
    [['__proto__, constructor'], ['__proto__', 'constructor']], // [D21]
    [['a,a'], ['a', 'a']],
    [[], undefined],
    [[''], undefined],
    [[',', ' , '], undefined], // [F3]
    [['a b'], undefined], // [F5]
    [['a;b'], undefined],
    [['"a"'], undefined],
    [['a,é'], undefined],
    [['a\u00a0'], undefined],
    [['a\0'], undefined],
  ])('%j: %j', (lines, tokens) => {
    expect(parseTokenList(lines)).toEqual(tokens)
  })
})

describe('parseExtensions', () => {
  test.each<[string, string[][]]>([
    ['permessage-deflate', [['permessage-deflate']]],
    ['permessage-deflate ; client_max_window_bits = 10', [['permessage-deflate', 'client_max_window_bits=10']]],
    ['a;b;c=d;b', [['a', 'b', 'c=d', 'b']]],
    ['a; b="10"', [['a', 'b=10']]],
    ['a; b="1\\0"', [['a', 'b=10']]],
    ['a; b="\\1\\0"; c', [['a', 'b=10', 'c']]],
    ['a; b = "x" ; c , d', [['a', 'b=x', 'c'], ['d']]],
    [',a', [['a']]],
    ['a,,b', [['a'], ['b']]],
    ['a , , b ,', [['a'], ['b']]],
    ['\ta\t;\tb\t=\tc\t', [['a', 'b=c']]],
    ['x; __proto__=1; constructor', [['x', '__proto__=1', 'constructor']]],
    ['__proto__; toString=1', [['__proto__', 'toString=1']]],
    ['A, a', [['A'], ['a']]],
    ['pmd; server_max_window_bits=99, pmd', [['pmd', 'server_max_window_bits=99'], ['pmd']]],
  ])('%j [F1, F2, F3, F6, F7, D21]', (line, extensions) => {
    expect(flat(parseExtensions([line]))).toEqual(extensions)
  })

  test('several lines are one list, in order [F4, D11]', () => {
    expect(flat(parseExtensions(['a; b', 'c', '', 'd, e']))).toEqual([['a', 'b'], ['c'], ['d'], ['e']])
  })

  test('a parameter without a value differs from one with an empty-looking value', () => {
    expect(parseExtensions(['a; b; c=d'])).toEqual([
      {
        name: 'a',
        parameters: [
          { name: 'b', value: undefined },
          { name: 'c', value: 'd' },
        ],
      },
    ])
  })

  test.each([
    '',
    ' ',
    ',',
    ', ,',
    ';',
    'a;',
    'a; ',
    'a;;b',
    'a;,b',
    ';a',
    'a b',
    'a=b',
    'a; =1',
    'a; b=',
    'a; b= ;c',
    'a; b c',
    'a; b=c d',
    'a; b="x y"',
    'a; b=""',
    'a; b="x',
    'a; b="',
    'a; b="x\\',
    'a; b="\\',
    'a; b="x\\"',
    'a; b="x"y',
    'a; b="x""y"',
    'a; b="é"',
    'a; b="\\""',
    '"a"',
    'a; "b"',
    'a; b=c=d',
    'é',
    'a\0',
    'a; b\0',
    'a\u00a0',
    'a, b c',
    'a/b',
  ])('%j is malformed [F2, F3, F5, C8]', (line) => {
    expect(parseExtensions([line])).toBe(undefined)
  })

  test('no lines are malformed', () => {
    expect(parseExtensions([])).toBe(undefined)
  })
})

describe('formatExtensions', () => {
  test.each([
    ['permessage-deflate'],
    ['permessage-deflate; client_max_window_bits; server_max_window_bits=10'],
    ['a, b; c, d; e=f; g'],
  ])('%s', (line) => {
    expect(formatExtensions(parseExtensions([line]) ?? [])).toBe(line)
  })

  test('nothing is nothing', () => {
    expect(formatExtensions([])).toBe('')
  })

  test('what it writes is read back the same', () => {
    const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,6}$/)
    const parameter = fc.record({ name: token, value: fc.option(token, { nil: undefined }) })
    const extension = fc.record({ name: token, parameters: fc.array(parameter, { maxLength: 3 }) })
    fc.assert(
      fc.property(fc.array(extension, { minLength: 1, maxLength: 4 }), (extensions) => {
        expect(parseExtensions([formatExtensions(extensions)])).toEqual(extensions)
      }),
    )
  })
})

describe('linear time, whatever comes [F8]', () => {
  const PIECES = [
    ' ',
    ',',
    ' ,',
    '\t',
    '\t,',
    'a ',
    'a,',
    ' a',
    ';',
    'a;',
    ';a',
    ';a=',
    ';a="',
    '="',
    '"',
    '\\',
    '"\\',
    ';a="\\a"',
    '=',
  ]
  /** Beginnings that lead the parser to different places before the same piece comes over and over. */
  const BEGINNINGS = ['', 'a', 'a;', 'a; b=', 'a; b="', 'a; b="\\']
  const hostile = (length: number, beginnings = BEGINNINGS): string[] =>
    PIECES.flatMap((piece) => beginnings.map((start) => start + piece.repeat(length / piece.length)))

  /** How often the parsers look at a character: they do so with `charAt` and nothing else. */
  function steps(header: string): number {
    const { charAt } = String.prototype
    let count = 0
    String.prototype.charAt = function (index) {
      count++
      return charAt.call(this, index)
    }
    try {
      parseExtensions([header])
      parseTokenList([header])
      groupHeaders(['name', header])
    } finally {
      String.prototype.charAt = charAt
    }
    return count
  }

  test('the three parsers together look at each of 64 Ki characters nine times at most', () => {
    const counts = hostile(64 * 1024).map((header) => [header.slice(0, 16), steps(header) / header.length] as const)
    expect(counts.filter(([, count]) => count > 9)).toEqual([])
    // So the counter does count.
    expect(counts.filter(([, count]) => count > 3).length).toBeGreaterThan(10)
  })

  test('1 MiB is judged as 1 KiB is', () => {
    const verdicts = (length: number): boolean[] =>
      hostile(length, ['', 'a; b="']).flatMap((header) => [
        parseExtensions([header]) !== undefined,
        parseTokenList([header]) !== undefined,
      ])
    expect(verdicts(1024 * 1024)).toEqual(verdicts(1024))
  }, 60_000)

  test('no text whatever leaves it in a loop, and what it gives are tokens', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...' \t,;="\\ab', '\0', 'é'), maxLength: 30 })
    fc.assert(
      fc.property(nasty, (header) => {
        const extensions = parseExtensions([header]) ?? []
        const parts = extensions.flatMap(({ name, parameters }) => [
          name,
          ...parameters.flatMap((given) => (given.value === undefined ? [given.name] : [given.name, given.value])),
        ])
        expect(parts.filter((part) => !TOKEN.test(part))).toEqual([])
        expect((parseTokenList([header]) ?? []).filter((part) => !TOKEN.test(part))).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })
})
