// RFC 6455 §4.1: answers, right and wrong, and what the client makes of them.

import type { ResponseCase, Section } from '../../case.ts'
import { answered, PLAIN } from './heads.ts'
import { RESPONSES_AS_HTTP } from './response-http.ts'

const NAME = 'handshake/response'
const answering = answered({ section: NAME, rfc: 'RFC 6455 §4.1' })
const UPGRADES: readonly ResponseCase[] = [
  answering('upgrade-case', ['C2'], 'Upgrade in another case', { replace: ['Upgrade: WebSocket'] }, PLAIN),
  ...[
    ['none', []],
    ['empty', ['Upgrade:']],
    ['h2c', ['Upgrade: h2c']],
    ['list', ['Upgrade: websocket, h2c']],
    ['list-second', ['Upgrade: h2c, websocket']],
    ['twice', ['Upgrade: websocket', 'Upgrade: websocket']],
    ['two', ['Upgrade: websocket', 'Upgrade: h2c']],
    ['version', ['Upgrade: websocket/13']],
    ['prefix', ['Upgrade: xwebsocket']],
    ['suffix', ['Upgrade: websockets']],
    ['quoted', ['Upgrade: "websocket"']],
    ['kelvin', ['Upgrade: websoc\xe2\x84\xaaet']],
    ['no-break-space', ['Upgrade: websocket\xa0']],
  ].map(([name, lines]) =>
    answering(
      `upgrade-${name}`,
      ['C2', 'C13'],
      `a wrong Upgrade: ${name}`,
      { omit: ['Upgrade'], add: lines as string[] },
      'HANDSHAKE_UPGRADE',
    ),
  ),
  answering('connection-case', ['C3'], 'Connection in another case', { replace: ['Connection: uPGRADE'] }, PLAIN),
  answering('connection-list', ['C3'], 'Connection as a list', { replace: ['Connection: keep-alive, Upgrade'] }, PLAIN),
  answering(
    'connection-empty-elements',
    ['C3', 'F3'],
    'Connection as a list with empty elements',
    { replace: ['Connection: ,,Upgrade,'] },
    PLAIN,
  ),
  answering(
    'connection-lines',
    ['C3', 'F4'],
    'Connection on two lines',
    { replace: ['Connection: keep-alive', 'Connection: Upgrade'] },
    PLAIN,
  ),
  ...[
    ['none', []],
    ['empty', ['Connection:']],
    ['close', ['Connection: close']],
    ['keep-alive', ['Connection: keep-alive']],
    ['prefix', ['Connection: xUpgrade']],
    ['suffix', ['Connection: Upgraded']],
    ['words', ['Connection: keep alive Upgrade']],
  ].map(([name, lines]) =>
    answering(
      `connection-${name}`,
      ['C3', 'C13'],
      `a wrong Connection: ${name}`,
      { omit: ['Connection'], add: lines as string[] },
      'HANDSHAKE_CONNECTION',
    ),
  ),
]

const ACCEPTS: readonly ResponseCase[] = [
  answering(
    'accept-space',
    ['C4'],
    'space around the accept value',
    { replace: ['Sec-WebSocket-Accept: \t {accept} \t'] },
    PLAIN,
  ),
  answering(
    'accept-name-case',
    ['C4'],
    'the header in another case',
    { replace: ['sEC-wEBSOCKET-aCCEPT: {accept}'] },
    PLAIN,
  ),
  ...[
    ['none', []],
    ['empty', ['']],
    ['other', ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']],
    ['lower-case', ['{accept in lower case}']],
    ['no-padding', ['{accept without padding}']],
    ['hexadecimal', ['{accept in hexadecimal digits}']],
    ['decoded-key', ['{accept for the decoded key}']],
    ['no-guid', ['{accept without the GUID}']],
    ['guid-lower-case', ['{accept with the GUID in lower case}']],
    ['key', ['{key}']],
    ['quoted', ['"{accept}"']],
    ['more', ['{accept}x']],
    ['padding-more', ['{accept}=']],
    ['list', ['{accept}, {accept}']],
    ['comma', ['{accept},']],
    ['space-inside', ['{accept} x']],
  ].map(([name, values]) =>
    answering(
      `accept-${name}`,
      ['C4', 'C13'],
      `a wrong accept value: ${name}`,
      {
        omit: ['Sec-WebSocket-Accept'],
        add: (values as string[]).map((value) => `Sec-WebSocket-Accept: ${value}`),
      },
      'HANDSHAKE_ACCEPT',
    ),
  ),
  answering(
    'accept-twice',
    ['C5', 'C13'],
    'the accept value twice',
    { add: ['Sec-WebSocket-Accept: {accept}'] },
    'HANDSHAKE_ACCEPT',
  ),
  answering(
    'accept-two',
    ['C5', 'C13'],
    'a wrong accept value behind the right one',
    { add: ['Sec-WebSocket-Accept: x'] },
    'HANDSHAKE_ACCEPT',
  ),
  answering(
    'accept-far',
    ['C5', 'C16', 'C13'],
    'a second accept value behind 2,500 headers',
    {
      add: [...Array.from({ length: 2_500 }, () => 'a:'), 'Sec-WebSocket-Accept: {accept}'],
    },
    'HANDSHAKE_ACCEPT',
  ),
]

/** What the client offers, the lines of the answer, and the subprotocol; `undefined` for a refusal. */
const SUBPROTOCOLS: readonly (readonly [
  id: string,
  rows: readonly string[],
  offered: readonly string[],
  lines: readonly string[],
  chosen?: string,
])[] = [
  ['first', ['C9', 'B6'], ['a', 'b'], ['a'], 'a'],
  ['second', ['C9'], ['a', 'b'], ['b'], 'b'],
  ['space', ['C9'], ['a'], ['\t a \t'], 'a'],
  ['none', ['C11'], ['a', 'b'], [], ''],
  ['unoffered', ['C9'], ['a'], ['b']],
  ['none-offered', ['C9'], [], ['a']],
  ['case', ['C9'], ['echo'], ['Echo']],
  ['empty', ['C9'], ['a'], ['']],
  ['empty-none-offered', ['C9'], [], ['']],
  ['list', ['C10'], ['a', 'b'], ['a, b']],
  ['list-of-one', ['C10'], ['a'], ['a,']],
  ['twice', ['C10'], ['a'], ['a', 'a']],
  ['two', ['C10'], ['a', 'b'], ['a', 'b']],
  ['quoted', ['C9'], ['a'], ['"a"']],
  ['prototype', ['C9'], ['a'], ['__proto__']],
]

function subprotocols(): ResponseCase[] {
  const made = SUBPROTOCOLS.map(([id, rows, protocols, lines, chosen]) =>
    answering(
      `subprotocol-${id}`,
      chosen === undefined ? [...rows, 'C13'] : rows,
      `a subprotocol: ${id}`,
      { add: lines.map((line) => `Sec-WebSocket-Protocol: ${line}`) },
      chosen === undefined ? 'HANDSHAKE_SUBPROTOCOL' : { ...PLAIN, protocol: chosen },
      { options: { protocols } },
    ),
  )
  const required = { protocols: ['a', 'b'], requireProtocol: true }
  return [
    ...made,
    answering('subprotocol-required', ['C11'], 'none chosen where one is required', {}, 'HANDSHAKE_SUBPROTOCOL', {
      options: required,
    }),
    answering(
      'subprotocol-required-chosen',
      ['C11'],
      'one chosen where one is required',
      { add: ['Sec-WebSocket-Protocol: b'] },
      { ...PLAIN, protocol: 'b' },
      {
        options: required,
      },
    ),
  ]
}

export const RESPONSES: Section = {
  name: NAME,
  title: 'Answers to the client',
  cases: [...RESPONSES_AS_HTTP, ...UPGRADES, ...ACCEPTS, ...subprotocols()],
}
