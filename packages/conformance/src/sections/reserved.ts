// §5.2: reserved bits without an extension, reserved opcodes. Each is judged on the first byte; messages before it count,
// and nothing after it does.

import type { Case, Section, SentFrame } from '../case.ts'
import { begin, closed, expect, frame, hex, IGNORED, last, ping, ponged, send, text, texted } from '../frames.ts'

const RFC = 'RFC 6455 §5.2'
const PROTOCOL_ERROR = 1002
const KINDS = [
  { name: 'continuation', opcode: 0 },
  { name: 'text', opcode: 1 },
  { name: 'binary', opcode: 2 },
  { name: 'close', opcode: 8 },
  { name: 'ping', opcode: 9 },
  { name: 'pong', opcode: 10 },
]
const RSV = [1, 2, 3, 4, 5, 6, 7]
const RESERVED_OPCODES = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]

function failing(id: string, rows: string[], title: string, ...frames: SentFrame[]): Case {
  const steps = [send(...frames), expect(closed(PROTOCOL_ERROR))]
  return { id: `reserved/${id}`, rfc: RFC, rows, title, steps, outcome: 'failed' }
}

function bits(): Case[] {
  return KINDS.flatMap(({ name, opcode }) =>
    RSV.map((rsv) => {
      const wrong = frame(opcode, opcode === 8 ? 'hex:03e8' : 'a', { rsv })
      const frames = opcode === 0 ? [begin('a'), wrong] : [wrong]
      return failing(`rsv-${rsv}-${name}`, ['G1'], `RSV bits ${hex(rsv, 1)} on ${name}`, ...frames)
    }),
  )
}

function bitsInContext(): Case[] {
  return [1, 2, 4].flatMap((rsv) => [
    {
      ...failing(`rsv-${rsv}-after-message`, ['G1', 'L14'], `RSV bits ${rsv}: the message before is echoed`),
      steps: [
        send(text('before'), text('wrong', { rsv }), ...IGNORED),
        expect(texted('before'), closed(PROTOCOL_ERROR)),
      ],
    },
    {
      ...failing(`rsv-${rsv}-after-ping`, ['G1', 'J3'], `RSV bits ${rsv}: the ping before is answered`),
      steps: [
        send(ping('before'), ping('wrong', { rsv }), ping('after')),
        expect(ponged('before'), closed(PROTOCOL_ERROR)),
      ],
    },
    failing(
      `rsv-${rsv}-between-fragments`,
      ['G1'],
      `RSV bits ${rsv} on a ping between fragments`,
      begin('a'),
      ping('', { rsv }),
      last('b'),
    ),
    failing(`rsv-${rsv}-first-fragment`, ['G1'], `RSV bits ${rsv} on a first fragment`, begin('a', { rsv }), last('b')),
  ])
}

function opcodes(): Case[] {
  return RESERVED_OPCODES.flatMap((opcode) => {
    const name = hex(opcode, 1)
    const rows = ['G2']
    return [
      failing(`opcode-${name}`, rows, `opcode ${name} with a payload`, frame(opcode, 'payload')),
      failing(`opcode-${name}-empty`, rows, `opcode ${name} without payload`, frame(opcode)),
      failing(`opcode-${name}-no-fin`, rows, `opcode ${name} without FIN`, frame(opcode, 'a', { fin: false })),
      failing(`opcode-${name}-in-message`, rows, `opcode ${name} inside a message`, begin('a'), frame(opcode), last()),
      {
        ...failing(`opcode-${name}-around`, ['G2', 'L14'], `opcode ${name}: echo before it, nothing after it`),
        steps: [
          send(text('before'), frame(opcode, 'wrong'), ...IGNORED),
          expect(texted('before'), closed(PROTOCOL_ERROR)),
        ],
      },
    ]
  })
}

export const RESERVED: Section = {
  name: 'reserved',
  title: 'Reserved bits and opcodes',
  cases: [...bits(), ...bitsInContext(), ...opcodes()],
}
