// RFC 7692 §6, §7.2: what must fail. RSV1 where it may not be (1002), data that is corrupt, that refers to what is not in the
// window, or that ends too early (1007), and text that is not UTF-8 once it is inflated (1007).

import type { Case, Compression, ExpectedFrame, Section, SentFrame, SentMessage } from '../../case.ts'
import {
  begin,
  bits,
  bytes,
  close,
  closed,
  compress,
  expect,
  frame,
  hex,
  IGNORED,
  last,
  more,
  ping,
  pong,
  ponged,
  send,
  text,
  texted,
} from '../../frames.ts'
import { ALONE, agreed, data, FULL, generated, RSV1, WINDOWS, words } from './agreed.ts'
import { HELLO, HELLO_AGAIN, packed, reach } from './blocks.ts'

const NAME = 'compression/faults'
const PROTOCOL_ERROR = 1002
const INVALID_DATA = 1007

function failing(
  id: string,
  rows: string[],
  title: string,
  code: number,
  frames: SentFrame[],
  before: ExpectedFrame[] = [],
): Case {
  const steps = [send(...frames, ...IGNORED), expect(...before, closed(code))]
  return { id: `${NAME}/${id}`, rfc: 'RFC 7692 §6', rows, title, compression: FULL, steps, outcome: 'failed' }
}

// --- Reserved bits

const CONTROL = { ping, pong, close } as const

function reserved(): Case[] {
  const controls = (['ping', 'pong', 'close'] as const).flatMap((name) => {
    const wrong = name === 'close' ? close(1000, '', { rsv: RSV1 }) : CONTROL[name]('x', { rsv: RSV1 })
    return [
      failing(`rsv1-${name}`, ['O2', 'G1'], `RSV1 on a ${name}`, PROTOCOL_ERROR, [wrong]),
      failing(`rsv1-${name}-inside`, ['O2', 'G1', 'O18'], `RSV1 on a ${name} within a message`, PROTOCOL_ERROR, [
        begin('hex:f248cd', { rsv: RSV1 }),
        wrong,
      ]),
    ]
  })
  const opcodes = [3, 7, 11, 15].map((opcode) =>
    failing(`rsv1-opcode-${hex(opcode, 1)}`, ['G2'], `RSV1, opcode ${hex(opcode, 1)}`, PROTOCOL_ERROR, [
      frame(opcode, 'x', { rsv: RSV1 }),
    ]),
  )
  const others = [1, 2, 3, 5, 6, 7].map((rsv) =>
    failing(`rsv-${rsv}`, ['G1', 'N15'], `reserved bits ${rsv}: only RSV1 belongs to the extension`, PROTOCOL_ERROR, [
      text(HELLO, { rsv }),
    ]),
  )
  return [...controls, ...opcodes, ...others]
}

const CONTINUATIONS: readonly Case[] = [
  failing('rsv1-continuation', ['O1'], 'RSV1 on both fragments', PROTOCOL_ERROR, [
    begin('hex:f248cd', { rsv: RSV1 }),
    last('hex:c9c90700', { rsv: RSV1 }),
  ]),
  failing('rsv1-continuation-middle', ['O1'], 'RSV1 on the middle fragment', PROTOCOL_ERROR, [
    begin('hex:f248', { rsv: RSV1 }),
    more('hex:cd', { rsv: RSV1 }),
    last('hex:c9c90700'),
  ]),
  failing('rsv1-continuation-only', ['O1'], 'RSV1 on the second fragment only', PROTOCOL_ERROR, [
    begin('Hel'),
    last('lo', { rsv: RSV1 }),
  ]),
  failing('rsv1-continuation-of-nothing', ['O1', 'I2'], 'RSV1 on a continuation of nothing', PROTOCOL_ERROR, [
    last(HELLO, { rsv: RSV1 }),
  ]),
  failing('interleaved', ['I3'], 'a compressed message within a compressed one', PROTOCOL_ERROR, [
    begin('hex:f248cd', { rsv: RSV1 }),
    packed(HELLO),
  ]),
  failing('interleaved-plain', ['I3'], 'a plain message within a compressed one', PROTOCOL_ERROR, [
    begin('hex:f248cd', { rsv: RSV1 }),
    text('x'),
  ]),
]

/** Judged on the first byte, when RSV1 shows. */
const FIRST_BYTES: readonly Case[] = (
  [
    ['continuation', frame(0, HELLO, { rsv: RSV1, headerOnly: 1 })],
    ['ping', ping('x', { rsv: RSV1, headerOnly: 1 })],
    ['close', close(1000, '', { rsv: RSV1, headerOnly: 1 })],
  ] as const
).map(([name, part]) => ({
  ...failing(`byte-1-${name}`, ['G11', name === 'continuation' ? 'O1' : 'O2'], `RSV1 on a ${name}: byte 1`, 0, []),
  steps: [send(begin('hex:f248cd', { rsv: RSV1 }), part), expect(closed(PROTOCOL_ERROR))],
}))

// --- Data

interface Vector {
  readonly name: string
  readonly title: string
  readonly payload: string | Uint8Array
}

/** Lengths of the code length codes: those of the symbols 16, 17, 18, 0, 8, …, three bits each. */
const DYNAMIC = '0 01'

const CORRUPT: readonly Vector[] = [
  { name: 'type-3', title: 'a block of type 3', payload: bits('0 11') },
  { name: 'type-3-final', title: 'a final block of type 3', payload: 'hex:07' },
  { name: 'ones', title: 'only ones', payload: 'hex:ffffffff' },
  { name: 'plain', title: 'plain text with RSV1', payload: 'Hello, world' },
  { name: 'stored-length', title: 'a stored block whose lengths do not agree', payload: 'hex:000500faf048656c6c6f00' },
  { name: 'stored-length-0', title: 'an empty stored block whose lengths do not agree', payload: 'hex:0000000000 00' },
  { name: 'second-block', title: 'a good block, then one of type 3', payload: 'hex:f248050000 00ffff07' },
  { name: 'after-final', title: 'a final block, then one of type 3', payload: 'hex:f348cdc9c90700 07' },
  { name: 'length-286', title: 'the length code 286', payload: bits('0 10 10010001 11000110 00000 0000000 000') },
  { name: 'length-287', title: 'the length code 287', payload: bits('0 10 10010001 11000111 00000 0000000 000') },
  { name: 'distance-30', title: 'the distance code 30', payload: bits('0 10 10010001 0000001 11110 0000000 000') },
  { name: 'distance-31', title: 'the distance code 31', payload: bits('0 10 10010001 0000001 11111 0000000 000') },
  { name: 'too-many-literals', title: '288 literal codes', payload: bits(`${DYNAMIC} 11111 00000 0000`) },
  {
    name: 'oversubscribed',
    title: 'code length codes of one bit each: too many',
    payload: bits(`${DYNAMIC} 00000 00000 1111 ${'100 '.repeat(19)}`),
  },
  {
    name: 'no-codes',
    title: 'no code length codes at all',
    payload: bits(`${DYNAMIC} 00000 00000 1111 ${'000 '.repeat(19)} 0`),
  },
  {
    name: 'repeat-of-nothing',
    title: 'a length is repeated before there is one',
    payload: bits(`${DYNAMIC} 00000 00000 0000 100 000 000 100 0 00 ${'1'.repeat(300)}`),
  },
  {
    name: 'no-end',
    title: 'no code for the end of the block',
    // Codes 0 ('0') and 18 ('1'): zeros for 138 and 119 codes, and there is no other length.
    payload: bits(`${DYNAMIC} 00000 00000 0000 000 000 100 100 1 1111111 1 0010110 ${'0'.repeat(64)}`),
  },
]

/** Without the last bytes of a message that was whole. */
const TRUNCATED: readonly Vector[] = [
  ...[1, 3, 5, 6].map((size) => cut('fixed', HELLO, size)),
  ...[2, 4, 7, 9].map((size) => cut('stored', 'hex:002000dfff48656c6c6f00', size)),
  ...[5, 8].map((size) => cut('two-blocks', 'hex:f248050000 00ffffcac9c90700', size)),
  cut('stored-like-tail', 'hex:000400fbff0000ffff00', 5),
  ...[1, 6].map((size) => cut('final', 'hex:f348cdc9c9070000', size)),
]

function cut(name: string, payload: string, size: number): Vector {
  return {
    name: `${name}-${size}`,
    title: `${name}: only ${size} bytes of a message`,
    payload: bytes(payload).subarray(0, size),
  }
}

/** Payloads that fail, whatever came before. */
export const WRONG: readonly Vector[] = [...CORRUPT, ...TRUNCATED]

const MODES: readonly (readonly [name: string, Compression])[] = [
  ['full', FULL],
  ['alone', ALONE],
  ['window-8', agreed(8, 8)],
]

function wrongData(): Case[] {
  const inMode = (
    { name, title, payload }: Vector,
    row: string,
    [mode, compression]: (typeof MODES)[number],
  ): Case => ({
    ...failing(`${name}-${mode}`, [row], `${title}; ${mode}`, INVALID_DATA, [packed(payload)]),
    compression,
  })
  return MODES.flatMap((mode) => [
    ...CORRUPT.map((vector) => inMode(vector, 'O14', mode)),
    ...TRUNCATED.map((vector) => inMode({ ...vector, name: `truncated-${vector.name}` }, 'O15', mode)),
  ])
}

const LATER: readonly Case[] = [
  failing(
    'second-message',
    ['O14', 'L14'],
    'a good message, then a corrupt one',
    INVALID_DATA,
    [packed(HELLO), packed('hex:07')],
    [texted('Hello')],
  ),
  failing(
    'fragmented',
    ['O14', 'O5'],
    'a corrupt message in fragments, a ping between',
    INVALID_DATA,
    [begin('hex:f248050000', { rsv: RSV1 }), ping('p'), last('hex:00ffff07')],
    [ponged('p')],
  ),
  failing(
    'truncated-second',
    ['O15', 'O6'],
    'a good message, then a reference that is cut short',
    INVALID_DATA,
    [packed(HELLO), packed('hex:f200')],
    [texted('Hello')],
  ),
  {
    ...failing('truncated-dynamic', ['O15'], 'half of a message with dynamic codes', 0, []),
    steps: [
      compress(data('json', 2_000)),
      expect({ opcode: 1, payload: generated('json', 2_000) }),
      // Cut off behind the header of its codes.
      send(packed(bits(`${DYNAMIC} 00000 00000 0000 000 000 100 100`)), ...IGNORED),
      expect(closed(INVALID_DATA)),
    ],
  },
]

// --- References

const REFERENCES: readonly Case[] = [
  failing('reference-to-nothing', ['O12', 'O14'], 'a reference, and nothing before', INVALID_DATA, [
    packed(HELLO_AGAIN),
  ]),
  failing(
    'reference-to-plain',
    ['O3', 'O14'],
    'a reference to a plain message',
    INVALID_DATA,
    [text('Hello'), packed(HELLO_AGAIN)],
    [texted('Hello')],
  ),
  failing(
    'reference-to-empty',
    ['O11', 'O14'],
    'a reference to an empty message',
    INVALID_DATA,
    [packed('hex:00'), packed(''), packed(HELLO_AGAIN)],
    [texted(), texted()],
  ),
  ...[
    ['alone', ALONE],
    ['peer-alone', agreed(15, 15, { target: true, peer: false })],
  ].map(([name, compression]) => ({
    ...failing(
      `reference-${name}`,
      ['O12', 'N11'],
      'a reference to the message before, without takeover',
      INVALID_DATA,
      [packed(HELLO), packed(HELLO_AGAIN)],
      [texted('Hello')],
    ),
    compression: compression as Compression,
  })),
  {
    ...failing(
      'reference-before-final',
      ['O9', 'O12'],
      'a reference over a final block, without takeover: to the message before',
      INVALID_DATA,
      [packed('hex:f348cdc9c9070000'), packed('hex:f3480500 f200110000')],
      [texted('Hello')],
    ),
    compression: ALONE,
  },
]

/** One byte more than the window: the byte before it is gone. The largest distance of all is 2^15. */
function pastWindow(): Case[] {
  return WINDOWS.slice(0, -1).map((window) => ({
    ...failing(
      `past-window-${window}`,
      ['O16', 'N3'],
      `a reference over 2^${window + 1} bytes in a window of 2^${window}`,
      0,
      [],
    ),
    compression: agreed(15, window),
    steps: [
      compress({ opcode: 2, content: generated('random', 2 ** (window + 1)), level: 0 }),
      expect({ opcode: 2, payload: generated('random', 2 ** (window + 1)) }),
      send(frame(2, reach(window + 1), { rsv: RSV1 }), ...IGNORED),
      expect(closed(INVALID_DATA)),
    ],
  }))
}

// --- Text

const NOT_UTF8 = [
  'ff',
  'c0af',
  'e282',
  '80',
  'eda080',
  'f4908080',
  'f8888080',
  '6162c3',
  'efbfbdff',
  'c328',
  'e28228',
] as const

function notText(): Case[] {
  const packedText = (digits: string, extra: Partial<SentMessage>) => words(bytes(`hex:48656c6c6f${digits}`), extra)
  const fails = (id: string, title: string, message: SentMessage): Case => ({
    ...failing(id, ['K9', 'K1'], title, 0, []),
    steps: [compress(message), send(...IGNORED), expect(closed(INVALID_DATA))],
  })
  return [
    ...NOT_UTF8.map((digits) => fails(`utf8-${digits}`, `"Hello" and ${digits}, inflated`, packedText(digits, {}))),
    fails('utf8-fragments', 'in fragments', packedText('eda080', { fragment: 2 })),
    fails('utf8-blocks', 'in blocks of one byte', packedText('eda080', { flushEvery: 1 })),
    fails('utf8-final', 'in a final block', packedText('eda080', { final: true })),
    {
      ...failing('utf8-split-blocks', ['K9', 'K2'], '', 0, []),
      title: 'valid, though code points are split over blocks and fragments; as binary anything is',
      steps: [
        compress(words('κόσμε 🎈', { flushEvery: 1, fragment: 3 }), { opcode: 2, content: bytes('hex:ffc0eda080') }),
        expect(texted('κόσμε 🎈'), { opcode: 2, payload: bytes('hex:ffc0eda080') }),
      ],
      outcome: 'open',
    },
  ]
}

export const FAULTS: Section = {
  name: NAME,
  title: 'Compressed messages: what must fail',
  cases: [
    ...reserved(),
    ...CONTINUATIONS,
    ...FIRST_BYTES,
    ...wrongData(),
    ...LATER,
    ...REFERENCES,
    ...pastWindow(),
    ...notText(),
  ],
}
