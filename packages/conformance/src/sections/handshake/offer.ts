// RFC 6455 §9.1, §11.3.4; RFC 7692 §5, §7: the lists that a client offers: subprotocols, extensions, and permessage-deflate. An
// offer that cannot be taken is declined, and the next one is tried; only a header that breaks the grammar is refused.

import type { Agreed, HandshakeOptions, RequestCase, Section } from '../../case.ts'
import { closed, text } from '../../frames.ts'
import { asked, PLAIN } from './heads.ts'

const NAME = 'handshake/offer'
const asking = asked({ section: NAME, rfc: 'RFC 7692 §7' })
const BAD = [400]
const PMD = 'permessage-deflate'
type Options = NonNullable<HandshakeOptions['perMessageDeflate']>

/** Offered subprotocols, a string for each line, and the one that a server of `a` and `b` chooses; `undefined` for a refusal. */
const SUBPROTOCOLS: readonly (readonly [
  id: string,
  rows: readonly string[],
  lines: readonly string[],
  chosen?: string,
])[] = [
  ['one', ['E2'], ['a'], 'a'],
  ['order', ['D10'], ['x, b, a'], 'b'],
  ['lines', ['D10', 'F4'], ['x', 'y, a', 'b'], 'a'],
  ['empty-elements', ['D10', 'F3'], [',, a ,,'], 'a'],
  ['tabs', ['D10'], ['\tx\t,\tb\t'], 'b'],
  ['twice', ['D10'], ['b, b'], 'b'],
  ['none-in-common', ['E2'], ['x, y'], ''],
  ['case', ['E2'], ['A, B'], ''],
  ['prototype', ['D21', 'E2'], ['__proto__, constructor, toString'], ''],
  ['all-token-characters', ['D10'], ["!#$%&'*+-.^_`|~0Az, a"], 'a'],
  ['many', ['D10', 'F8'], [Array.from({ length: 1_000 }, (_, index) => `p${index}`).join(','), 'b'], 'b'],
  ['spaces', ['F8'], [`x${' '.repeat(6_000)},a`], 'a'],
  ['commas', ['F8'], [`${','.repeat(6_000)}a`], 'a'],
  ['space-inside', ['D10'], ['a b']],
  ['only-comma', ['D10', 'F3'], [',']],
  ['only-commas', ['D10', 'F3'], [', ,\t,']],
  ['empty', ['D10', 'F3'], ['']],
  ['slash', ['D10'], ['a, a/b']],
  ['quoted', ['D10'], ['"a"']],
  ['semicolon', ['D10'], ['a; q=1']],
  ['latin', ['D10'], ['a, caf\xe9']],
  ['second-line-wrong', ['D10', 'F5'], ['a', 'b c']],
  ['quadratic', ['F8', 'D10'], [`a${' '.repeat(6_000)}x`]],
]

function subprotocols(): RequestCase[] {
  return SUBPROTOCOLS.map(([id, rows, lines, chosen]) =>
    asking(
      `subprotocol-${id}`,
      chosen === undefined ? [...rows, 'D13'] : rows,
      `subprotocols: ${id}`,
      { add: lines.map((line) => `Sec-WebSocket-Protocol: ${line}`) },
      chosen === undefined ? BAD : { ...PLAIN, protocol: chosen },
      { rfc: 'RFC 6455 §11.3.4', options: { protocols: ['a', 'b'] } },
    ),
  )
}

/** Headers that break the grammar, and some that only look so; what a server with compression answers, or that it refuses. */
const GRAMMAR: readonly (readonly [id: string, rows: readonly string[], lines: readonly string[], answer?: string])[] =
  [
    [
      'spaces',
      ['F1', 'N17'],
      ['  permessage-deflate  ;  server_max_window_bits  =  10  '],
      `${PMD}; server_max_window_bits=10`,
    ],
    [
      'tabs',
      ['F1', 'N17'],
      ['\tpermessage-deflate\t;\tserver_max_window_bits\t=\t10\t'],
      `${PMD}; server_max_window_bits=10`,
    ],
    [
      'no-spaces',
      ['F1', 'N17'],
      ['x;y=1,permessage-deflate;server_max_window_bits=10'],
      `${PMD}; server_max_window_bits=10`,
    ],
    ['quoted', ['F2'], ['permessage-deflate; server_max_window_bits="10"'], `${PMD}; server_max_window_bits=10`],
    [
      'quoted-escape',
      ['F2'],
      ['permessage-deflate; server_max_window_bits="1\\0"'],
      `${PMD}; server_max_window_bits=10`,
    ],
    [
      'quoted-escapes',
      ['F2'],
      ['permessage-deflate; server_max_window_bits="\\1\\0"'],
      `${PMD}; server_max_window_bits=10`,
    ],
    ['empty-elements', ['F3'], [',, permessage-deflate ,,'], PMD],
    ['lines', ['F4', 'D11'], ['x-first; a=1', 'permessage-deflate'], PMD],
    ['unknown', ['D12', 'F6'], ['x-webkit-deflate-frame, mux; max-channels=4, foo; bar="baz"'], ''],
    ['unknown-parameters', ['D12'], ['foo; a; a; a=1; b="x", permessage-deflate'], PMD],
    ['prototype', ['D21'], ['__proto__, constructor; prototype, permessage-deflate'], PMD],
    [
      'prototype-parameter',
      ['D21', 'N1'],
      ['permessage-deflate; __proto__=1, permessage-deflate; constructor, permessage-deflate'],
      PMD,
    ],
    ['name-case', ['F7', 'N17'], ['Permessage-Deflate'], ''],
    ['many', ['F8'], [Array.from({ length: 1_000 }, (_, index) => `x${index}; a=1`).join(','), PMD], PMD],
    ['many-parameters', ['F8', 'N1'], [`${PMD}${'; a'.repeat(2_000)}, ${PMD}`], PMD],
    ['many-spaces', ['F8'], [`x${' '.repeat(6_000)};${' '.repeat(6_000)}a, ${PMD}`], PMD],
    ['many-commas', ['F8', 'F3'], [`${','.repeat(8_000)}${PMD}`], PMD],
    ['empty', ['F3', 'F5'], ['']],
    ['only-comma', ['F3', 'F5'], [',']],
    ['only-semicolon', ['F5'], [';']],
    ['semicolon-last', ['F5'], ['permessage-deflate;']],
    ['semicolons', ['F5'], ['permessage-deflate;; server_max_window_bits=10']],
    ['semicolon-first', ['F5'], ['; permessage-deflate']],
    ['no-name', ['F5'], ['permessage-deflate; =10']],
    ['no-value', ['F5'], ['permessage-deflate; server_max_window_bits=']],
    ['value-only', ['F5'], ['=10']],
    ['two-equals', ['F5'], ['permessage-deflate; server_max_window_bits==10']],
    ['name-space', ['F5'], ['permessage deflate']],
    ['parameter-space', ['F5'], ['permessage-deflate; server max window bits']],
    ['value-space', ['F5'], ['permessage-deflate; server_max_window_bits=1 0']],
    ['quoted-space', ['F2', 'F5'], ['permessage-deflate; server_max_window_bits="1 0"']],
    ['quoted-empty', ['F2', 'F5'], ['permessage-deflate; server_max_window_bits=""']],
    ['quoted-open', ['F2', 'F5'], ['permessage-deflate; server_max_window_bits="10']],
    ['quoted-open-escape', ['F2', 'F5'], ['permessage-deflate; server_max_window_bits="10\\']],
    ['quoted-escaped-end', ['F2', 'F5'], ['permessage-deflate; server_max_window_bits="10\\"']],
    ['quoted-more', ['F5'], ['permessage-deflate; server_max_window_bits="1"0']],
    ['quoted-comma', ['F2', 'F5'], ['permessage-deflate; a="b,c"']],
    ['quoted-name', ['F5'], ['"permessage-deflate"']],
    ['single-quotes', ['F5'], ['permessage-deflate; a=(1)']],
    ['slash', ['F5'], ['permessage/deflate']],
    ['latin', ['F5'], ['permessage-deflat\xe9']],
    ['second-wrong', ['F5', 'D11'], ['permessage-deflate, a b']],
    ['second-line-wrong', ['F5', 'D11'], ['permessage-deflate', 'a=;']],
    ['quadratic', ['F8', 'F5'], [`a${' '.repeat(8_000)}b`]],
    ['quadratic-quotes', ['F8', 'F5'], [`a; b="${'\\"'.repeat(4_000)}`]],
  ]

function grammar(): RequestCase[] {
  return GRAMMAR.map(([id, rows, lines, answer]) =>
    asking(
      `grammar-${id}`,
      answer === undefined ? [...rows, 'D11', 'D13'] : rows,
      `extensions: ${id}`,
      { add: lines.map((line) => `Sec-WebSocket-Extensions: ${line}`) },
      answer === undefined ? BAD : { ...PLAIN, extensions: answer },
      { rfc: 'RFC 6455 §9.1', options: { perMessageDeflate: true } },
    ),
  )
}

/** The parameters of one offer, and those of the answer; `undefined` if the offer is declined. */
interface Offer {
  readonly rows: readonly string[]
  readonly offer: string
  readonly answer?: string
  readonly options?: Options
}

const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15]
const FLAGS = ['server_no_context_takeover', 'client_no_context_takeover']
const SERVER_BITS = 'server_max_window_bits'
const CLIENT_BITS = 'client_max_window_bits'
const BAD_BITS = ['7', '16', '0', '08', '015', '+9', '-9', '0x9', '9.0', '1e1', '99', '1000000000000', 'ten', '9a']

const TAKEN: readonly Offer[] = [
  { rows: ['N1'], offer: '', answer: '' },
  { rows: ['N9'], offer: FLAGS[0] as string, answer: FLAGS[0] as string },
  { rows: ['N12'], offer: FLAGS[1] as string, answer: FLAGS[1] as string },
  { rows: ['N9', 'N12'], offer: FLAGS.join('; '), answer: FLAGS.join('; ') },
  { rows: ['N6', 'N7'], offer: CLIENT_BITS, answer: '' },
  ...WINDOWS.map((bits) => ({ rows: ['N3', 'N4'], offer: `${SERVER_BITS}=${bits}`, answer: `${SERVER_BITS}=${bits}` })),
  ...WINDOWS.map((bits) => ({
    rows: ['N3', 'N6', 'N7'],
    offer: `${CLIENT_BITS}=${bits}`,
    answer: bits === 15 ? '' : `${CLIENT_BITS}=${bits}`,
  })),
  {
    rows: ['N17'],
    offer: `${CLIENT_BITS}=11; ${FLAGS[1]}; ${SERVER_BITS}=12; ${FLAGS[0]}`,
    answer: `${FLAGS.join('; ')}; ${SERVER_BITS}=12; ${CLIENT_BITS}=11`,
  },
]

const DECLINED: readonly Offer[] = [
  ...['foo', 'foo=1', 'server_max_window', '__proto__', 'Server_No_Context_Takeover', 'SERVER_MAX_WINDOW_BITS=10'].map(
    (offer) => ({
      rows: ['N1', 'N17'],
      offer,
    }),
  ),
  ...FLAGS.flatMap((flag) => [
    { rows: ['N1'], offer: `${flag}; ${flag}` },
    { rows: ['N1'], offer: `${flag}=1` },
    { rows: ['N1'], offer: `${flag}=true` },
  ]),
  { rows: ['N1', 'N4'], offer: SERVER_BITS },
  ...BAD_BITS.map((value) => ({ rows: ['N1', 'N3'], offer: `${SERVER_BITS}=${value}` })),
  ...BAD_BITS.map((value) => ({ rows: ['N1', 'N3', 'N6'], offer: `${CLIENT_BITS}=${value}` })),
  { rows: ['N1'], offer: `${SERVER_BITS}=10; ${SERVER_BITS}=10` },
  { rows: ['N1'], offer: `${SERVER_BITS}=10; ${SERVER_BITS}=12` },
  { rows: ['N1'], offer: `${CLIENT_BITS}; ${CLIENT_BITS}=10` },
  { rows: ['N1'], offer: `${CLIENT_BITS}; ${CLIENT_BITS}` },
  { rows: ['N1'], offer: `${FLAGS[0]}; ${CLIENT_BITS}; foo` },
]

/** What the server is set to narrows what is offered. */
const NARROWED: readonly Offer[] = [
  { rows: ['N5'], offer: '', answer: `${SERVER_BITS}=9`, options: { serverMaxWindowBits: 9 } },
  { rows: ['N4'], offer: `${SERVER_BITS}=12`, answer: `${SERVER_BITS}=9`, options: { serverMaxWindowBits: 9 } },
  { rows: ['N4'], offer: `${SERVER_BITS}=9`, answer: `${SERVER_BITS}=9`, options: { serverMaxWindowBits: 12 } },
  { rows: ['N7'], offer: CLIENT_BITS, answer: `${CLIENT_BITS}=9`, options: { clientMaxWindowBits: 9 } },
  { rows: ['N7'], offer: `${CLIENT_BITS}=12`, answer: `${CLIENT_BITS}=9`, options: { clientMaxWindowBits: 9 } },
  { rows: ['N7'], offer: `${CLIENT_BITS}=9`, answer: `${CLIENT_BITS}=9`, options: { clientMaxWindowBits: 12 } },
  { rows: ['N7'], offer: '', answer: '', options: { clientMaxWindowBits: 9 } },
  { rows: ['N10'], offer: '', answer: FLAGS[0] as string, options: { serverNoContextTakeover: true } },
  { rows: ['N11'], offer: '', answer: FLAGS[1] as string, options: { clientNoContextTakeover: true } },
]

function header(parameters: string): string {
  return parameters === '' ? PMD : `${PMD}; ${parameters}`
}

function agreement(answer: string | undefined): Agreed {
  return { ...PLAIN, extensions: answer === undefined ? '' : header(answer) }
}

/** Parameters as a part of a case's id. */
function named(parameters: string): string {
  return parameters === '' ? 'plain' : parameters.replaceAll('; ', '+').replaceAll(' ', '')
}

function offers(): RequestCase[] {
  const one = (prefix: string, { rows, offer, answer, options = true }: Offer, index = 0): RequestCase =>
    asking(
      `${prefix}-${named(offer)}${index === 0 ? '' : `-${index}`}`,
      rows,
      `${prefix}: ${header(offer)}`,
      { add: [`Sec-WebSocket-Extensions: ${header(offer)}`] },
      agreement(answer),
      { options: { perMessageDeflate: options } },
    )
  return [
    ...TAKEN.map((offer) => one('taken', offer)),
    ...DECLINED.map((offer) => one('declined', offer)),
    ...NARROWED.map((offer, index) => one('narrowed', offer, index + 1)),
  ]
}

/** Several offers: the first that can be taken is. */
function fallbacks(): RequestCase[] {
  const several = (id: string, offered: readonly string[], answer: string | undefined, lines = [offered.join(', ')]) =>
    asking(
      `fallback-${id}`,
      ['F6', 'N1'],
      `offers: ${id}`,
      { add: lines.map((line) => `Sec-WebSocket-Extensions: ${line}`) },
      agreement(answer),
      { options: { perMessageDeflate: true } },
    )
  const bad = header(`${SERVER_BITS}=99`)
  return [
    several('second', [bad, header(`${SERVER_BITS}=10`)], `${SERVER_BITS}=10`),
    several('first-of-two', [header(`${SERVER_BITS}=10`), PMD], `${SERVER_BITS}=10`),
    several('third', [bad, header('foo'), header(FLAGS[0] as string), PMD], FLAGS[0]),
    several('none', [bad, header('foo'), header(`${CLIENT_BITS}=7`)], undefined),
    several('behind-others', ['x-foo; a=1', bad, 'x-bar', PMD], ''),
    several('lines', [], `${SERVER_BITS}=10`, [bad, `x-foo, ${header(`${SERVER_BITS}=10`)}`, PMD]),
    several('hundred', [...Array.from({ length: 100 }, () => bad), PMD], ''),
  ]
}

const OFF: readonly RequestCase[] = [
  asking(
    'off',
    ['E3', 'N1'],
    'compression is off: every offer is declined',
    { add: [`Sec-WebSocket-Extensions: ${PMD}`] },
    PLAIN,
    {
      options: { perMessageDeflate: false },
    },
  ),
  asking('none', ['E3'], 'nothing is offered, so nothing is answered', {}, PLAIN, {
    options: { perMessageDeflate: true },
  }),
  ...(
    [
      [PMD, false],
      [header('foo'), true],
    ] as const
  ).map(([offer, perMessageDeflate]) =>
    asking(
      `rsv1-after-${perMessageDeflate ? 'declined' : 'off'}`,
      ['G1', 'N1'],
      'what was declined is not there: RSV1 fails',
      { add: [`Sec-WebSocket-Extensions: ${offer}`] },
      PLAIN,
      {
        options: { perMessageDeflate },
        conversation: {
          steps: [{ send: [text('hex:f248cdc9c90700', { rsv: 4 })] }, { expect: [closed(1002)] }],
          outcome: 'failed',
        },
      },
    ),
  ),
]

export const OFFERS: Section = {
  name: NAME,
  title: 'Offers to the server: subprotocols, extensions, compression',
  cases: [...subprotocols(), ...grammar(), ...offers(), ...fallbacks(), ...OFF],
}
