// RFC 6455 §9.1, RFC 7692 §5, §7: extensions in the server's answer. The client takes only what it offered, and nothing wider.

import type { HandshakeOptions, ResponseCase, Section } from '../../case.ts'
import { closed, text } from '../../frames.ts'
import { answered, PLAIN } from './heads.ts'

const NAME = 'handshake/answer'
const answering = answered({ section: NAME, rfc: 'RFC 7692 §7' })
const PMD = 'permessage-deflate'
const REFUSED = 'HANDSHAKE_EXTENSION'
const SERVER_ALONE = 'server_no_context_takeover'
const CLIENT_ALONE = 'client_no_context_takeover'
const SERVER_BITS = 'server_max_window_bits'
const CLIENT_BITS = 'client_max_window_bits'
const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15]
const BAD_BITS = ['7', '16', '0', '08', '015', '+9', '-9', '0x9', '9.0', '1e1', '99', 'ten', '9a', '']
type Options = NonNullable<HandshakeOptions['perMessageDeflate']>

/** What the client offers by its options. */
const OFFERS: readonly (readonly [id: string, options: Options, offer: string])[] = [
  ['plain', true, CLIENT_BITS],
  ['server-alone', { serverNoContextTakeover: true }, `${SERVER_ALONE}; ${CLIENT_BITS}`],
  ['client-alone', { clientNoContextTakeover: true }, `${CLIENT_ALONE}; ${CLIENT_BITS}`],
  ...WINDOWS.map(
    (bits) =>
      [
        `server-${bits}`,
        { serverMaxWindowBits: bits },
        bits === 15 ? CLIENT_BITS : `${SERVER_BITS}=${bits}; ${CLIENT_BITS}`,
      ] as const,
  ),
  ...WINDOWS.map(
    (bits) =>
      [`client-${bits}`, { clientMaxWindowBits: bits }, bits === 15 ? CLIENT_BITS : `${CLIENT_BITS}=${bits}`] as const,
  ),
]

function header(parameters: string): string {
  return parameters === '' ? PMD : `${PMD}; ${parameters}`
}

/** A client with these options gets these lines. */
function judging(
  id: string,
  rows: readonly string[],
  lines: readonly string[],
  opens: boolean,
  options: Options = true,
  offer = CLIENT_BITS,
): ResponseCase {
  return answering(
    id,
    opens ? rows : [...rows, 'C13'],
    `${lines.length === 0 ? 'no extension' : lines.join(' and ').slice(0, 100)}; ${opens ? 'right' : 'wrong'} for ${JSON.stringify(options)}`,
    { add: lines.map((line) => `Sec-WebSocket-Extensions: ${line}`) },
    opens ? { ...PLAIN, extensions: lines.join() } : REFUSED,
    { options: { perMessageDeflate: options }, offer: options === false ? '' : header(offer) },
  )
}

/** Declined: the connection is plain, and RSV1 fails. */
function declined(): ResponseCase[] {
  return [
    ...OFFERS.map(([id, options, offer]) => judging(`declined-${id}`, ['B9', 'N13'], [], true, options, offer)),
    {
      ...judging('declined-rsv1', ['G1', 'C6'], [], true),
      conversation: {
        steps: [{ send: [text('hex:f248cdc9c90700', { rsv: 4 })] }, { expect: [closed(1002)] }],
        outcome: 'failed',
      },
    },
  ]
}

function id(parameters: string): string {
  return parameters === '' ? 'plain' : parameters.replaceAll('; ', '+').replaceAll(' ', '_')
}

const RIGHT: readonly (readonly [rows: readonly string[], parameters: string])[] = [
  [['C6'], ''],
  [['N10'], SERVER_ALONE],
  [['N11'], CLIENT_ALONE],
  [['N10', 'N11'], `${SERVER_ALONE}; ${CLIENT_ALONE}`],
  ...WINDOWS.map((bits) => [['N3', 'N5'], `${SERVER_BITS}=${bits}`] as const),
  ...WINDOWS.map((bits) => [['N3', 'N7', 'N8'], `${CLIENT_BITS}=${bits}`] as const),
  [['N17'], `${CLIENT_BITS}=9;${SERVER_BITS} = 10 ; ${CLIENT_ALONE};${SERVER_ALONE}`],
  [['F2'], `${SERVER_BITS}="10"`],
]

const WRONG: readonly (readonly [rows: readonly string[], parameters: string])[] = [
  [['N2'], 'foo'],
  [['N2'], 'foo=1'],
  [['N2'], '__proto__'],
  [['N2', 'N17'], 'Server_No_Context_Takeover'],
  [['N2'], `${SERVER_ALONE}=1`],
  [['N2'], `${CLIENT_ALONE}=true`],
  [['N2'], `${SERVER_ALONE}; ${SERVER_ALONE}`],
  [['N2'], `${CLIENT_ALONE}; ${CLIENT_ALONE}`],
  [['N2'], `${SERVER_BITS}=10; ${SERVER_BITS}=10`],
  [['N2'], `${CLIENT_BITS}=10; ${CLIENT_BITS}=9`],
  [['N2', 'N5'], SERVER_BITS],
  [['N2', 'N7'], CLIENT_BITS],
  ...BAD_BITS.map((value) => [['N2', 'N3'], `${SERVER_BITS}=${value}`] as const),
  ...BAD_BITS.map((value) => [['N2', 'N3', 'N7'], `${CLIENT_BITS}=${value}`] as const),
]

/** Answers that widen what was asked for, and such that narrow it. */
function bounds(): ResponseCase[] {
  const nine = { serverMaxWindowBits: 9 }
  const ninth = `${SERVER_BITS}=9; ${CLIENT_BITS}`
  const own = { clientMaxWindowBits: 9 }
  const owned = `${CLIENT_BITS}=9`
  const alone = { serverNoContextTakeover: true }
  const lonely = `${SERVER_ALONE}; ${CLIENT_BITS}`
  return [
    judging('bound-server-same', ['N4'], [header(`${SERVER_BITS}=9`)], true, nine, ninth),
    judging('bound-server-less', ['N4'], [header(`${SERVER_BITS}=8`)], true, nine, ninth),
    judging('bound-server-more', ['N14'], [header(`${SERVER_BITS}=10`)], false, nine, ninth),
    judging('bound-server-none', ['N14'], [PMD], false, nine, ninth),
    judging('bound-client-same', ['N7'], [header(`${CLIENT_BITS}=9`)], true, own, owned),
    judging('bound-client-less', ['N7'], [header(`${CLIENT_BITS}=8`)], true, own, owned),
    judging('bound-client-more', ['N7', 'N14'], [header(`${CLIENT_BITS}=10`)], false, own, owned),
    judging('bound-client-none', ['N8'], [PMD], true, own, owned),
    judging('bound-alone-kept', ['N9'], [header(SERVER_ALONE)], true, alone, lonely),
    judging('bound-alone-dropped', ['N9', 'N14'], [PMD], false, alone, lonely),
  ]
}

const HEADERS: readonly ResponseCase[] = [
  judging('unoffered', ['C6'], [PMD], false, false),
  judging('unoffered-unknown', ['C6'], ['x-foo'], false, false),
  judging('unoffered-empty', ['C8'], [''], false, false),
  judging('unknown', ['C6'], ['x-foo'], false),
  judging('unknown-behind', ['C6', 'C7'], [`${PMD}, x-foo`], false),
  judging('unknown-before', ['C6'], [`x-foo, ${PMD}`], false),
  judging('old-name', ['C6', 'N15'], ['x-webkit-deflate-frame'], false),
  judging('name-case', ['F7', 'C6'], ['Permessage-Deflate'], false),
  judging('twice', ['C7', 'N15'], [`${PMD}, ${PMD}`], false),
  judging('twice-different', ['C7', 'N15'], [`${PMD}; ${SERVER_BITS}=10, ${PMD}`], false),
  judging('lines', ['C7'], [PMD, PMD], false),
  judging('lines-unknown', ['C7'], [PMD, 'x-foo'], false),
  judging('lines-empty', ['C7', 'C8'], [PMD, ''], false),
  judging('prototype', ['C6'], ['__proto__'], false),
  ...[
    '',
    ',',
    ';',
    `${PMD};`,
    `${PMD};;`,
    `${PMD}; =1`,
    `${PMD}; a=`,
    `${PMD} x`,
    'a="x y"',
    `${PMD}; a=""`,
    `${PMD}; a="10`,
    `"${PMD}"`,
    'permessage/deflate',
    `${PMD}\xe9`,
  ].map((value, index) => judging(`malformed-${index + 1}`, ['C8', 'F5'], [value], false)),
  judging('quadratic', ['C8', 'F8'], [`${PMD}${' '.repeat(8_000)}x`], false),
]

export const ANSWERS: Section = {
  name: NAME,
  title: 'Extensions in answers to the client',
  cases: [
    ...declined(),
    ...RIGHT.map(([rows, parameters]) => judging(`right-${id(parameters)}`, rows, [header(parameters)], true)),
    ...WRONG.map(([rows, parameters]) => judging(`wrong-${id(parameters)}`, rows, [header(parameters)], false)),
    ...bounds(),
    ...HEADERS,
  ],
}
