// §5.2 and §5.3: the base framing protocol. Lengths in their three forms, the mask, and segmentation.

import type { Case, ExpectedFrame, Section, SentFrame } from '../case.ts'
import {
  BINARY,
  begin,
  binaried,
  binary,
  CLOSE,
  CONTINUATION,
  close,
  closed,
  expect,
  frame,
  hex,
  IGNORED,
  last,
  PING,
  PONG,
  ping,
  ponged,
  send,
  TEXT,
  text,
  texted,
} from '../frames.ts'

const RFC = 'RFC 6455 §5.2'
const MASKING = 'RFC 6455 §5.3'
const PROTOCOL_ERROR = 1002
const TOO_BIG = 1009
const DATA = [
  { name: 'text', opcode: TEXT },
  { name: 'binary', opcode: BINARY },
] as const
/** Both sides of each boundary between the forms of a length. */
const BOUNDARY_SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537]

function lengths(): Case[] {
  return DATA.flatMap(({ name, opcode }) =>
    BOUNDARY_SIZES.map((size) => ({
      id: `framing/length-${name}-${size}`,
      rfc: RFC,
      rows: size === 0 ? ['G3', 'G9'] : ['G3'],
      title: `${name} of ${size} bytes`,
      steps: [send(frame(opcode, { fill: 0x2a, size })), expect({ opcode, payload: { fill: 0x2a, size } })],
      outcome: 'open',
    })),
  )
}

const NOT_MINIMAL = [
  { form: 16, length: 0n },
  { form: 16, length: 1n },
  { form: 16, length: 125n },
  { form: 64, length: 0n },
  { form: 64, length: 125n },
  { form: 64, length: 126n },
  { form: 64, length: 65_535n },
] as const

function notMinimal(): Case[] {
  return [...DATA, { name: 'continuation', opcode: CONTINUATION }].flatMap(({ name, opcode }) =>
    NOT_MINIMAL.map(({ form, length }) => {
      const wrong = frame(opcode, undefined, { form, declared: length, headerOnly: 2 + form / 8 })
      return failing(
        `not-minimal-${name}-${form}-${length}`,
        ['G5', 'G11'],
        `${name}, length ${length} in ${form} bits: judged on the length`,
        opcode === CONTINUATION ? [begin('a'), wrong] : [wrong],
      )
    }),
  )
}

/** The same with all of the frame there at once, and another behind it. */
function notMinimalWhole(): Case[] {
  return DATA.flatMap(({ name, opcode }) =>
    [0, 5, 125].map((size) => {
      const wrong = frame(opcode, { fill: 0x61, size }, { form: 16 })
      const title = `${name} of ${size} bytes with its length in 16 bits, all there at once`
      return failing(`not-minimal-whole-${name}-${size}`, ['G5'], title, [wrong, text('ignored')])
    }),
  )
}

function failing(id: string, rows: string[], title: string, frames: SentFrame[], code = PROTOCOL_ERROR): Case {
  const steps = [send(...frames), expect(closed(code))]
  return { id: `framing/${id}`, rfc: RFC, rows, title, steps, outcome: 'failed' }
}

const TOP_BIT = [1n << 63n, (1n << 64n) - 1n, (1n << 63n) + 1n]
const HUGE = [1n << 62n, (1n << 63n) - 1n, 1n << 53n, (1n << 53n) + 1n, (1n << 53n) - 1n, 1n << 32n, 1n << 31n]

function hugeLengths(): Case[] {
  const topBit = DATA.flatMap(({ name, opcode }) =>
    TOP_BIT.map((declared) =>
      failing(`top-bit-${name}-${declared.toString(16)}`, ['G4', 'G11'], `${name}, top bit set: judged on byte 3`, [
        frame(opcode, undefined, { declared, headerOnly: 3 }),
      ]),
    ),
  )
  const huge = DATA.flatMap(({ name, opcode }) =>
    HUGE.map((declared) =>
      failing(
        `huge-${name}-${declared.toString(16)}`,
        ['G6', 'G10', 'M1'],
        `${name}, ${declared} bytes declared: judged on the header`,
        [frame(opcode, undefined, { declared, headerOnly: 10 })],
        TOO_BIG,
      ),
    ),
  )
  return [...topBit, ...huge]
}

/** Frames of all kinds, and what comes back. */
const MIX: readonly SentFrame[] = [
  text('Hello'),
  binary({ fill: 7, size: 126 }),
  ping('hex:00ff'),
  begin('H'),
  ping('in between'),
  last('ello'),
  binary(),
  text('end'),
]
const MIX_ANSWERS: readonly ExpectedFrame[] = [
  texted('Hello'),
  binaried({ fill: 7, size: 126 }),
  ponged('hex:00ff'),
  ponged('in between'),
  texted('Hello'),
  binaried(),
  texted('end'),
]
const LARGE = { fill: 0x61, size: 65_536 }

function segmentation(): Case[] {
  // Small chunks of a large frame take long and show nothing new.
  const small = [2, 3, 7, 14].map((chunk) => inChunks(chunk, [send(...MIX), expect(...MIX_ANSWERS)]))
  // It comes last: of the pings that come while its echo is on the way, one may rightly be answered for all (§5.5.3).
  const large = [1_000, 65_536, 1_000_000].map((chunk) =>
    inChunks(chunk, [send(...MIX, text(LARGE)), expect(...MIX_ANSWERS, texted(LARGE))]),
  )
  return [...small, ...large]
}

function inChunks(chunk: number, steps: Case['steps']): Case {
  return {
    id: `framing/chunks-of-${chunk}`,
    rfc: 'RFC 6455 §6.2',
    rows: ['G7', 'G8'],
    title: `frames of all kinds in chunks of ${chunk} bytes`,
    steps,
    chunk,
    outcome: 'open',
  }
}

const MANY = Array.from({ length: 500 }, (_, index) => `message ${index}`)

const TOGETHER: readonly Case[] = [
  {
    id: 'framing/many-in-a-chunk',
    rfc: 'RFC 6455 §6.2',
    rows: ['G8'],
    title: '500 messages in one write come back in order',
    steps: [send(...MANY.map((message) => text(message))), expect(...MANY.map((message) => texted(message)))],
    outcome: 'open',
  },
  {
    id: 'framing/empty-messages',
    rfc: RFC,
    rows: ['G9'],
    title: 'empty messages of both kinds come back in order',
    steps: [send(text(), binary(), text(), text()), expect(texted(), binaried(), texted(), texted())],
    outcome: 'open',
  },
  {
    id: 'framing/all-octets',
    rfc: 'RFC 6455 §5.6',
    rows: ['K8', 'G3'],
    title: 'binary of all 256 octets',
    steps: [send(binary(ascending(256))), expect(binaried(ascending(256)))],
    outcome: 'open',
  },
]

function ascending(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => index)
}

function maskBit(): Case[] {
  const kinds = [...DATA, { name: 'ping', opcode: PING }, { name: 'pong', opcode: PONG }]
  const single = kinds.flatMap(({ name, opcode }) => [
    failing(`mask-bit-${name}`, ['H3', 'H5'], `${name} with the wrong mask bit`, [
      frame(opcode, 'a', { wrongMask: true }),
    ]),
    failing(`mask-bit-${name}-empty`, ['H3', 'H5'], `empty ${name} with the wrong mask bit`, [
      frame(opcode, undefined, { wrongMask: true }),
    ]),
    failing(`mask-bit-${name}-byte-2`, ['H3', 'H5', 'G11'], `${name} with the wrong mask bit: judged on byte 2`, [
      frame(opcode, { fill: 0x61, size: 100 }, { wrongMask: true, headerOnly: 2 }),
    ]),
  ])
  return [
    ...single,
    failing('mask-bit-close', ['H3', 'H5'], 'Close with the wrong mask bit is no Close', [
      close(1000, '', { wrongMask: true }),
    ]),
    failing('mask-bit-close-empty', ['H3', 'H5'], 'empty Close with the wrong mask bit', [
      frame(CLOSE, undefined, { wrongMask: true }),
    ]),
    failing('mask-bit-continuation', ['H3', 'H5'], 'a last fragment with the wrong mask bit', [
      begin('a'),
      last('b', { wrongMask: true }),
    ]),
    {
      ...failing('mask-bit-after-message', ['H3', 'H5', 'L14'], 'wrong mask bit: the message before is echoed', []),
      steps: [
        send(text('before'), text('wrong', { wrongMask: true }), ...IGNORED),
        expect(texted('before'), closed(PROTOCOL_ERROR)),
      ],
    },
  ]
}

function masking(): Case[] {
  const keys = [0, 0xffff_ffff, 0x0000_00ff, 0xff00_0000, 0x8000_0001, 0x0102_0304]
  const withKeys: Case[] = keys.map((key) => ({
    id: `framing/mask-key-${hex(key, 8)}`,
    rfc: MASKING,
    rows: ['H6', 'H8'],
    title: `masking key ${hex(key, 8)}`,
    steps: [
      send(binary(ascending(21), { key }), text('Grüße', { key }), ping(ascending(7), { key })),
      expect(binaried(ascending(21)), texted('Grüße'), ponged(ascending(7))),
    ],
    outcome: 'open',
    ends: ['server'],
  }))
  const sizes = Array.from({ length: 17 }, (_, size) => size)
  const phases: Case[] = [2, 3, 5, 7, 11, 13].map((chunk) => ({
    id: `framing/mask-phase-${chunk}`,
    rfc: MASKING,
    rows: ['H6', 'G7'],
    title: `payloads of 0 to 16 bytes in chunks of ${chunk}: the phase of the key is kept`,
    steps: [
      send(...sizes.map((size) => binary(ascending(size)))),
      expect(...sizes.map((size) => binaried(ascending(size)))),
    ],
    chunk,
    outcome: 'open',
    ends: ['server'],
  }))
  const large: Case = {
    id: 'framing/mask-large-unaligned',
    rfc: MASKING,
    rows: ['H6'],
    title: 'a large payload at an odd offset, in chunks of 1,021 bytes',
    steps: [send(text('x'), binary(ascending(20_011))), expect(texted('x'), binaried(ascending(20_011)))],
    chunk: 1_021,
    outcome: 'open',
  }
  return [...withKeys, ...phases, large]
}

export const FRAMING: Section = {
  name: 'framing',
  title: 'Framing and masking',
  cases: [
    ...lengths(),
    ...notMinimal(),
    ...notMinimalWhole(),
    ...hugeLengths(),
    ...segmentation(),
    ...TOGETHER,
    ...maskBit(),
    ...masking(),
  ],
}
