// §5.5, §5.5.2, §5.5.3: what holds for every control frame; pings and pongs, also after a Close.

import type { Case, Section, SentFrame, Step } from '../case.ts'
import {
  begin,
  binaried,
  binary,
  close,
  closed,
  END,
  expect,
  frame,
  last,
  more,
  ping,
  pong,
  ponged,
  STILL_OPEN,
  send,
  text,
  texted,
} from '../frames.ts'

const PROTOCOL_ERROR = 1002
const CONTROL = [
  { name: 'close', opcode: 8, valid: 'hex:03e8' },
  { name: 'ping', opcode: 9, valid: '' },
  { name: 'pong', opcode: 10, valid: '' },
]
const TEN = Array.from({ length: 10 }, (_, index) => `ping ${index}`)
const THOUSAND = Array.from({ length: 1_000 }, (_, index) => `${index}`)

function living(id: string, rfc: string, rows: string[], title: string, ...steps: Step[]): Case {
  return { id: `pings/${id}`, rfc: `RFC 6455 ${rfc}`, rows, title, steps, outcome: 'open' }
}

function failing(id: string, rows: string[], title: string, ...frames: SentFrame[]): Case {
  const steps = [send(...frames), expect(closed(PROTOCOL_ERROR))]
  return { id: `pings/${id}`, rfc: 'RFC 6455 §5.5', rows, title, steps, outcome: 'failed' }
}

function answered(): Case[] {
  const payloads = [
    { name: 'empty', payload: '' },
    { name: '1-byte', payload: 'a' },
    { name: 'text', payload: 'Hello, wörld' },
    { name: 'octets', payload: 'hex:00fffefdfcfb00ff' },
    { name: 'not-utf8', payload: 'hex:c328a0a1edafbf' },
    { name: '124-bytes', payload: { fill: 0xfe, size: 124 } },
    { name: '125-bytes', payload: { fill: 0xfe, size: 125 } },
  ]
  return payloads.map(({ name, payload }) =>
    living(`ping-${name}`, '§5.5.2', ['J1', 'J3', 'K8'], `ping, ${name}`, send(ping(payload)), expect(ponged(payload))),
  )
}

function ignoredPongs(): Case[] {
  const payloads = ['', 'unsolicited', 'hex:ff00', { fill: 1, size: 125 }]
  return payloads.map((payload, index) =>
    living(
      `unsolicited-pong-${index + 1}`,
      '§5.5.3',
      ['J5'],
      'an unsolicited pong is not answered',
      send(pong(payload), ping('after')),
      expect(ponged('after')),
    ),
  )
}

const SERIES: readonly Case[] = [
  living(
    'ten-pings',
    '§5.5.3',
    ['J4'],
    'ten pings, ten pongs, in order',
    send(...TEN.map((payload) => ping(payload))),
    expect(...TEN.map((payload) => ponged(payload))),
  ),
  living(
    'thousand-pings',
    '§5.5.3',
    ['J3', 'J4'],
    'a thousand pings in one write do not cost the connection; a peer that reads gets them all',
    send(...THOUSAND.map((payload) => ping(payload))),
    expect(...THOUSAND.map((payload) => ponged(payload))),
  ),
  living(
    'ten-pongs-then-ping',
    '§5.5.3',
    ['J5'],
    'ten unsolicited pongs, then a ping',
    send(...TEN.map((payload) => pong(payload)), ping('last')),
    expect(ponged('last')),
  ),
  living(
    'ping-and-message',
    '§5.5.2',
    ['J3', 'G8'],
    'pings and messages are answered in the order in which they came',
    send(ping('1'), text('a'), ping('2'), binary('b'), ping('3')),
    expect(ponged('1'), texted('a'), ponged('2'), binaried('b'), ponged('3')),
  ),
]

const BETWEEN: readonly Case[] = [
  living(
    'between-fragments',
    '§5.4',
    ['I4', 'J3'],
    'a ping between fragments is answered before the message is complete',
    send(begin('frag'), ping('now')),
    expect(ponged('now')),
    send(last('ment')),
    expect(texted('fragment')),
  ),
  living(
    'between-all-fragments',
    '§5.4',
    ['I4', 'J3'],
    'pings between all of five fragments',
    send(begin('1'), ping('a'), more('2'), ping('b'), more('3'), ping('c'), more('4'), ping('d'), last('5')),
    expect(ponged('a'), ponged('b'), ponged('c'), ponged('d'), texted('12345')),
  ),
  living(
    'pong-between-fragments',
    '§5.4',
    ['I4', 'J5'],
    'an unsolicited pong between fragments',
    send(begin('1'), pong('x'), last('2')),
    expect(texted('12')),
  ),
  living(
    'inside-code-point',
    '§5.4',
    ['I4', 'K2'],
    'a ping between fragments that split a code point',
    send(begin('hex:e2'), ping('hex:ff'), more('hex:82'), ping('hex:80'), last('hex:ac')),
    expect(ponged('hex:ff'), ponged('hex:80'), texted('€')),
  ),
  living(
    'largest-between-fragments',
    '§5.4',
    ['I4', 'J1'],
    'a ping of 125 bytes between fragments of binary',
    send(binary('a', { fin: false }), ping({ fill: 9, size: 125 }), last('b')),
    expect(ponged({ fill: 9, size: 125 }), binaried('ab')),
  ),
]

function broken(): Case[] {
  return CONTROL.flatMap(({ name, opcode, valid }) => [
    failing(`${name}-126`, ['J1'], `${name} of 126 bytes`, frame(opcode, { fill: 0x61, size: 126 })),
    failing(`${name}-126-byte-2`, ['J1', 'G11'], `${name} of 126 bytes: judged on byte 2`, {
      ...frame(opcode, { fill: 0x61, size: 126 }),
      headerOnly: 2,
    }),
    failing(`${name}-65536-byte-2`, ['J1', 'G11'], `${name} of 65,536 bytes: judged on byte 2`, {
      ...frame(opcode, undefined, { declared: 65_536n }),
      headerOnly: 2,
    }),
    failing(`${name}-16-bit`, ['J1', 'G5'], `${name} with its length in 16 bits`, frame(opcode, valid, { form: 16 })),
    failing(`${name}-64-bit`, ['J1', 'G5'], `${name} with its length in 64 bits`, frame(opcode, valid, { form: 64 })),
    failing(`${name}-fragmented`, ['J2'], `${name} without FIN`, frame(opcode, valid, { fin: false })),
    failing(`${name}-fragmented-byte-1`, ['J2', 'G11'], `${name} without FIN: judged on byte 1`, {
      ...frame(opcode, valid, { fin: false }),
      headerOnly: 1,
    }),
    failing(
      `${name}-fragmented-in-message`,
      ['J2'],
      `${name} without FIN inside a message`,
      begin('a'),
      frame(opcode, valid, { fin: false }),
      last('b'),
    ),
  ])
}

const FRAGMENTED_WHOLE = failing(
  'ping-fragmented-continued',
  ['J2'],
  'a ping in two fragments',
  frame(9, 'a', { fin: false }),
  last('b'),
)

/** Once a Close has gone one way or the other. */
const AROUND_CLOSE: readonly Case[] = [
  {
    id: 'pings/after-own-close',
    rfc: 'RFC 6455 §5.5.2',
    rows: ['J6', 'L8'],
    title: 'a ping after the target sent Close, and before it got one, is answered',
    steps: [
      send(text('close, please')),
      expect(closed(4001)),
      send(ping('still there?'), ping('hex:00')),
      expect(ponged('still there?'), ponged('hex:00')),
      send(close(4001)),
    ],
    outcome: 'closed',
    reported: { code: 4001, wasClean: true },
    application: 'closer',
  },
  {
    id: 'pings/between-fragments-after-own-close',
    rfc: 'RFC 6455 §5.5.2',
    rows: ['J6', 'L8', 'I4'],
    title: 'a ping inside a message after the target sent Close',
    steps: [
      send(text('close, please')),
      expect(closed(4001)),
      send(begin('not '), ping('now'), last('delivered')),
      expect(ponged('now')),
      send(close(1001)),
    ],
    outcome: 'closed',
    reported: { code: 1001, wasClean: true },
    application: 'closer',
  },
  {
    id: 'pings/too-long-after-own-close',
    rfc: 'RFC 6455 §5.5',
    rows: ['J1', 'L7', 'L14'],
    title: 'a ping that is too long after the target sent Close: TCP ends, no second Close',
    steps: [send(text('close, please')), expect(closed(4001)), send(ping({ fill: 1, size: 126 }), close(1000))],
    outcome: 'failed',
    reported: { code: PROTOCOL_ERROR, wasClean: false },
    application: 'closer',
  },
  {
    id: 'pings/after-peer-close',
    rfc: 'RFC 6455 §5.5.2',
    rows: ['J7', 'L9'],
    title: 'a ping after the peer sent Close is not answered',
    steps: [send(close(1000), ping('too late')), expect(closed(1000))],
    outcome: 'closed',
    reported: { code: 1000, wasClean: true },
  },
  {
    id: 'pings/end-inside-ping',
    rfc: 'RFC 6455 §7.1.5',
    rows: ['L13', 'L19'],
    title: 'TCP ends inside a ping: 1006',
    steps: [send(ping('cut off', { headerOnly: 2 })), END],
    outcome: 'lost',
  },
]

export const PINGS: Section = {
  name: 'pings',
  title: 'Control frames, pings and pongs',
  cases: [
    ...answered(),
    ...ignoredPongs(),
    ...SERIES,
    ...BETWEEN,
    ...broken(),
    FRAGMENTED_WHOLE,
    ...AROUND_CLOSE,
    living('flood-then-open', '§5.5.2', ['J3'], 'after pings the connection is as before', ...STILL_OPEN),
  ],
}
