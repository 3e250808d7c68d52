// §5.6, §8.1 and RFC 3629: text is UTF-8. Valid and invalid sequences at every boundary of the table of RFC 3629 §4, at every
// split, in text and in the reason of a Close; an impossible byte is judged when it comes, not at the end of its frame.

import type { Case, Section, SentFrame, Step } from '../case.ts'
import {
  begin,
  binaried,
  binary,
  bytes,
  close,
  closed,
  expect,
  joined,
  last,
  more,
  ping,
  ponged,
  send,
  text,
  texted,
} from '../frames.ts'

const RFC = 'RFC 6455 §8.1'
const GRAMMAR = 'RFC 3629 §4'
const INVALID_DATA = 1007
/** The length that a frame tells whose rest is never sent. */
const NEVER_COMPLETE = 100n

/** Whole texts. */
const VALID: Readonly<Record<string, string>> = {
  ascii: '48656c6c6f',
  nul: '00',
  u7f: '7f',
  u80: 'c280',
  u7ff: 'dfbf',
  u800: 'e0a080',
  ufff: 'e0bfbf',
  u1000: 'e18080',
  ucfff: 'ecbfbf',
  ud000: 'ed8080',
  ud7ff: 'ed9fbf',
  ue000: 'ee8080',
  ufffd: 'efbfbd',
  u10000: 'f0908080',
  u3ffff: 'f0bfbfbf',
  u40000: 'f1808080',
  ufffff: 'f3bfbfbf',
  u100000: 'f4808080',
  u10ffff: 'f48fbfbf',
  'nonchar-ufffe': 'efbfbe',
  'nonchar-uffff': 'efbfbf',
  'nonchar-ufdd0': 'efb790',
  'nonchar-u1fffe': 'f09fbfbe',
  'nonchar-u8ffff': 'f28fbfbf',
  'nonchar-u10fffe': 'f48fbfbe',
  'bom-alone': 'efbbbf',
  'bom-first': 'efbbbf48',
  'bom-twice': 'efbbbfefbbbf',
  'bom-inside': '48efbbbf48',
  greek: 'cebae1bdb9cf83cebcceb5',
  emoji: 'f09f98804df09f9880',
  combining: '65cc81',
}

/** Sequences whose last byte is the first that cannot stand where it does. */
const IMPOSSIBLE: Readonly<Record<string, string>> = {
  'stray-80': '80',
  'stray-bf': 'bf',
  'stray-after-ascii': '4880',
  'stray-after-code-point': 'c3bc80',
  'lead-c0': 'c0',
  'lead-c1': 'c1',
  'lead-f5': 'f5',
  'lead-f8': 'f8',
  'lead-fc': 'fc',
  'lead-fe': 'fe',
  'lead-ff': 'ff',
  'overlong-3-low': 'e080',
  'overlong-3-high': 'e09f',
  'overlong-4-low': 'f080',
  'overlong-4-high': 'f08f',
  'surrogate-d800': 'eda0',
  'surrogate-dfff': 'edbf',
  'past-10ffff-f490': 'f490',
  'past-10ffff-f4bf': 'f4bf',
  'two-then-ascii': 'c241',
  'two-then-lead': 'c2c3',
  'two-then-c0': 'dfc0',
  'two-then-7f': 'c27f',
  'three-then-ascii': 'e141',
  'three-then-c0': 'e1c0',
  'three-third-ascii': 'e18041',
  'three-third-c0': 'efbfc0',
  'three-e0-third-7f': 'e0a07f',
  'three-ed-third-c0': 'ed9fc0',
  'four-then-ascii': 'f141',
  'four-then-c0': 'f1c0',
  'four-third-7f': 'f1807f',
  'four-third-c0': 'f090c0',
  'four-fourth-7f': 'f180807f',
  'four-fourth-c0': 'f48fbfc0',
  'four-fourth-lead': 'f09f98f0',
  'after-valid-text': 'cebae1bdb9cf83cebcceb5eda0',
}

/** Texts that end inside a code point: wrong only once the message ends. */
const CUT_SHORT: Readonly<Record<string, string>> = {
  'two-of-1': 'c2',
  'two-of-1-last': 'df',
  'three-of-1': 'e0',
  'three-of-2': 'e0a0',
  'three-ed-of-2': 'ed9f',
  'three-ef-of-2': 'efbf',
  'four-of-1': 'f0',
  'four-of-2': 'f090',
  'four-of-3': 'f09080',
  'four-f4-of-3': 'f48fbf',
  'after-text': '48656c6c6fe282',
}

/** One of each number of bytes, to be split everywhere. */
const SPLIT: Readonly<Record<string, string>> = { two: 'c3bc', three: 'e282ac', four: 'f09f9880' }

function living(id: string, rows: string[], title: string, ...steps: Step[]): Case {
  return { id: `utf8/${id}`, rfc: RFC, rows, title, steps, outcome: 'open' }
}

function failing(id: string, rows: string[], title: string, ...frames: SentFrame[]): Case {
  const steps = [send(...frames), expect(closed(INVALID_DATA))]
  return { id: `utf8/${id}`, rfc: GRAMMAR, rows, title, steps, outcome: 'failed' }
}

function valid(): Case[] {
  return Object.entries(VALID).map(([name, digits]) => {
    const payload = bytes(`hex:${digits}`)
    const rows = name.startsWith('bom') ? ['K1', 'K6'] : ['K1', 'K2', 'K5']
    return living(
      `valid-${name}`,
      rows,
      `${name}: whole, and each byte a fragment`,
      send(text(payload)),
      expect(texted(payload)),
      send(...bytewise(payload)),
      expect(texted(payload)),
    )
  })
}

/** A message of which each byte is a frame. */
function bytewise(payload: Uint8Array): SentFrame[] {
  const parts = [...payload].map((byte) => Uint8Array.of(byte))
  return [begin(parts[0]), ...parts.slice(1).map((part) => more(part)), last()]
}

function impossible(): Case[] {
  return Object.entries(IMPOSSIBLE).flatMap(([name, digits]) => {
    const payload = bytes(`hex:${digits}`)
    const rows = ['K1', 'K4']
    return [
      failing(`invalid-${name}`, rows, `${name}: a whole frame`, text(joined(payload, ' and more'))),
      {
        ...failing(`invalid-${name}-at-once`, ['K3', 'K4'], `${name}: judged before the rest of the frame is sent`),
        steps: [send(text(payload, { declared: NEVER_COMPLETE })), expect(closed(INVALID_DATA))],
      },
      failing(
        `invalid-${name}-fragments`,
        [...rows, 'K2'],
        `${name}: each byte a fragment, no FIN`,
        ...unfinished(payload),
      ),
      {
        ...failing(`reason-${name}`, ['L6', 'K4'], `${name} in the reason of a Close`, close(1000, payload)),
        rfc: 'RFC 6455 §5.5.1',
      },
    ]
  })
}

/** The frames of a message without its last. */
function unfinished(payload: Uint8Array): SentFrame[] {
  return bytewise(payload).slice(0, -1)
}

function cutShort(): Case[] {
  return Object.entries(CUT_SHORT).flatMap(([name, digits]) => {
    const payload = bytes(`hex:${digits}`)
    return [
      failing(`cut-${name}`, ['K1'], `${name}: a whole frame`, text(payload)),
      failing(`cut-${name}-fragments`, ['K1', 'K2'], `${name}: an empty last fragment`, ...bytewise(payload)),
      {
        ...failing(`reason-cut-${name}`, ['L6'], `${name} in the reason of a Close`, close(1000, payload)),
        rfc: 'RFC 6455 §5.5.1',
      },
    ]
  })
}

function splits(): Case[] {
  return Object.entries(SPLIT).flatMap(([name, digits]) => {
    const payload = joined('ä', `hex:${digits}`, 'z')
    const ends = Array.from({ length: payload.length + 1 }, (_, at) => at)
    return ends.map((at) =>
      living(
        `split-${name}-${at}`,
        ['K2'],
        `a code point of ${name} bytes, the message split after byte ${at}`,
        send(begin(payload.subarray(0, at))),
        send(last(payload.subarray(at))),
        expect(texted(payload)),
      ),
    )
  })
}

const STATE: readonly Case[] = [
  living(
    'next-message-is-new',
    ['K1', 'K2'],
    'text, binary and text in turn: each is judged from its own beginning',
    send(text('ü'), binary('hex:c3'), text('a'), begin('hex:c3'), last('hex:bc')),
    expect(texted('ü'), binaried('hex:c3'), texted('a'), texted('ü')),
  ),
  living(
    'binary-not-judged',
    ['K8'],
    'binary need not be UTF-8, whole or in fragments',
    send(binary('hex:c0ff80eda0'), binary('hex:f4', { fin: false }), last('hex:90')),
    expect(binaried('hex:c0ff80eda0'), binaried('hex:f490')),
  ),
  living(
    'long-with-late-code-point',
    ['K1'],
    'a long text with code points of each size',
    send(text(joined('a'.repeat(70_000), 'ü€😀', 'b'.repeat(70_000)))),
    expect(texted(joined('a'.repeat(70_000), 'ü€😀', 'b'.repeat(70_000)))),
  ),
  {
    ...failing('message-before-is-echoed', ['K1', 'L14'], 'invalid text: the message before is echoed, none after'),
    steps: [
      send(text('before'), text('hex:ff'), text('after'), ping('after')),
      expect(texted('before'), closed(INVALID_DATA)),
    ],
  },
  {
    ...failing('impossible-in-second-fragment', ['K2', 'K3'], 'judged in the second fragment, before its end'),
    steps: [
      send(begin('κόσμε'), ping('so far')),
      expect(ponged('so far')),
      send(more('hex:f490', { declared: NEVER_COMPLETE })),
      expect(closed(INVALID_DATA)),
    ],
  },
  {
    ...failing(
      'split-surrogate',
      ['K4', 'K2'],
      'a surrogate whose two bytes are in two fragments, judged in the second',
    ),
    steps: [
      send(begin('hex:ed'), ping('so far')),
      expect(ponged('so far')),
      send(more('hex:a0', { declared: NEVER_COMPLETE })),
      expect(closed(INVALID_DATA)),
    ],
  },
  {
    ...failing('split-overlong', ['K4', 'K2'], 'an overlong form whose bytes are in two fragments'),
    steps: [
      send(begin('hex:f0'), ping('so far')),
      expect(ponged('so far')),
      send(more('hex:8f')),
      expect(closed(INVALID_DATA)),
    ],
  },
  {
    ...failing('long-then-impossible', ['K3'], 'after 100,000 bytes of a frame of 200,000'),
    steps: [send(text(joined('a'.repeat(100_000), 'hex:ff'), { declared: 200_000n })), expect(closed(INVALID_DATA))],
  },
  {
    ...failing('cesu', ['K4'], 'a pair of surrogates, each in three bytes (CESU-8)', text('hex:eda0bdedb880')),
  },
  {
    ...failing('nul-in-two-bytes', ['K4'], 'U+0000 in two bytes', text('hex:c080')),
  },
]

export const UTF8: Section = {
  name: 'utf8',
  title: 'UTF-8',
  cases: [...valid(), ...impossible(), ...cutShort(), ...splits(), ...STATE],
}
