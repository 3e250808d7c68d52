// §5.2: a fault is judged on the byte that decides it. Only the bytes up to that one are sent, and the Close must come.

import type { Case, Section, SentFrame } from '../case.ts'
import { begin, closed, expect, frame, hex, ping, ponged, send, text } from '../frames.ts'

const RFC = 'RFC 6455 §5.2'
const PROTOCOL_ERROR = 1002
const RESERVED_OPCODES = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]
const OPCODES = [1, 2, 8, 9, 10]

function failing(id: string, rows: string[], title: string, ...frames: SentFrame[]): Case {
  const steps = [send(...frames), expect(closed(PROTOCOL_ERROR))]
  return { id: `verdicts/${id}`, rfc: RFC, rows: [...rows, 'G11'], title, steps, outcome: 'failed' }
}

/** So many bytes of a header, and no more. */
function part(opcode: number, headerOnly: number, extra: Partial<SentFrame> = {}): SentFrame {
  return { ...frame(opcode, 'payload'), ...extra, headerOnly }
}

function firstByte(): Case[] {
  const bits = OPCODES.flatMap((opcode) =>
    [1, 2, 4].map((rsv) =>
      failing(
        `byte-1-rsv-${rsv}-opcode-${hex(opcode, 1)}`,
        ['G1'],
        `RSV ${rsv}, opcode ${hex(opcode, 1)}`,
        part(opcode, 1, { rsv }),
      ),
    ),
  )
  const opcodes = RESERVED_OPCODES.map((opcode) =>
    failing(`byte-1-opcode-${hex(opcode, 1)}`, ['G2'], `opcode ${hex(opcode, 1)}`, part(opcode, 1)),
  )
  const noFin = RESERVED_OPCODES.map((opcode) =>
    failing(
      `byte-1-opcode-${hex(opcode, 1)}-no-fin`,
      ['G2'],
      `opcode ${hex(opcode, 1)}, no FIN`,
      part(opcode, 1, { fin: false }),
    ),
  )
  return [...bits, ...opcodes, ...noFin]
}

/** After a message has begun, other first bytes are wrong. */
function insideMessage(): Case[] {
  const wrong = [
    ['text', part(1, 1), 'I3'],
    ['binary', part(2, 1, { fin: false }), 'I3'],
    ['rsv', part(0, 1, { rsv: 4 }), 'G1'],
    ['reserved', part(3, 1), 'G2'],
    ['ping-no-fin', part(9, 1, { fin: false }), 'J2'],
    ['mask', part(0, 2, { wrongMask: true }), 'H3'],
    ['long-close', part(8, 2, { declared: 126n }), 'J1'],
  ] as const
  return wrong.map(([name, bytes, row]) => ({
    ...failing(`inside-message-${name}`, [row], `${name} inside a message`),
    steps: [send(begin('a'), ping('p')), expect(ponged('p')), send(bytes), expect(closed(PROTOCOL_ERROR))],
  }))
}

function lengthBytes(): Case[] {
  return [1, 2].flatMap((opcode) => [
    failing(
      `byte-4-16-bit-${opcode}`,
      ['G5'],
      `opcode ${opcode}, length 125 in 16 bits: byte 4`,
      part(opcode, 4, { form: 16, declared: 125n }),
    ),
    failing(
      `byte-8-64-bit-${opcode}`,
      ['G5'],
      `opcode ${opcode}, length 65,535 in 64 bits: byte 8`,
      part(opcode, 8, { form: 64, declared: 65_535n }),
    ),
    failing(
      `byte-3-top-bit-${opcode}`,
      ['G4'],
      `opcode ${opcode}, top bit: byte 3`,
      part(opcode, 3, { declared: 1n << 63n }),
    ),
    ...[56n, 48n, 40n, 32n].map((shift) => {
      const byte = 3 + Number(56n - shift) / 8
      return {
        ...failing(`byte-${byte}-too-big-${opcode}`, ['G6', 'G10'], `opcode ${opcode}, 2^${shift} bytes: byte ${byte}`),
        steps: [send(part(opcode, byte, { declared: 1n << shift })), expect(closed(1009))],
      }
    }),
  ])
}

const NOT_YET: readonly Case[] = [
  {
    id: 'verdicts/valid-header-waits',
    rfc: RFC,
    rows: ['G10', 'G11'],
    title: 'a header of the largest length is no fault: the rest is awaited',
    steps: [send(text(undefined, { declared: 16n * 1024n * 1024n, headerOnly: 10 })), { end: true }],
    outcome: 'lost',
  },
]

export const VERDICTS: Section = {
  name: 'verdicts',
  title: 'Verdicts on the deciding byte',
  cases: [...firstByte(), ...insideMessage(), ...lengthBytes(), ...NOT_YET],
}
