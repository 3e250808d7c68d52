// §5.4: messages in fragments; what may stand between them, and what may not.

import type { Case, ExpectedFrame, Section, SentFrame, Step } from '../case.ts'
import {
  BINARY,
  begin,
  binaried,
  binary,
  closed,
  END,
  expect,
  frame,
  IGNORED,
  last,
  more,
  ping,
  ponged,
  send,
  TEXT,
  text,
  texted,
} from '../frames.ts'

const RFC = 'RFC 6455 §5.4'
const PROTOCOL_ERROR = 1002
const KINDS = [
  { name: 'text', opcode: TEXT },
  { name: 'binary', opcode: BINARY },
] as const

function living(id: string, rows: string[], title: string, ...steps: Step[]): Case {
  return { id: `fragmentation/${id}`, rfc: RFC, rows, title, steps, outcome: 'open' }
}

function failing(id: string, rows: string[], title: string, frames: SentFrame[], before: ExpectedFrame[] = []): Case {
  const steps = [send(...frames), expect(...before, closed(PROTOCOL_ERROR))]
  return { id: `fragmentation/${id}`, rfc: RFC, rows, title, steps, outcome: 'failed' }
}

/** The payloads of a message's frames, in order. */
const SPLITS: readonly { readonly name: string; readonly parts: readonly string[] }[] = [
  { name: 'two', parts: ['frag', 'ment'] },
  { name: 'three', parts: ['fr', 'ag', 'ment'] },
  { name: 'one-byte-each', parts: [...'fragments'] },
  { name: 'first-empty', parts: ['', 'all'] },
  { name: 'last-empty', parts: ['all', ''] },
  { name: 'middle-empty', parts: ['a', '', 'b'] },
  { name: 'many-empty', parts: ['', '', 'a', '', '', '', 'b', ''] },
  { name: 'all-empty', parts: ['', '', ''] },
  { name: 'two-empty', parts: ['', ''] },
]

function splits(): Case[] {
  return KINDS.flatMap(({ name: kind, opcode }) =>
    SPLITS.map(({ name, parts }) =>
      living(
        `${kind}-${name}`,
        name.includes('empty') ? ['I1', 'I5', 'G9'] : ['I1'],
        `${kind} in ${parts.length} fragments: ${name}`,
        send(...fragments(opcode, parts)),
        expect({ opcode, payload: Buffer.from(parts.join('')) }),
      ),
    ),
  )
}

function fragments(opcode: number, parts: readonly string[]): SentFrame[] {
  return parts.map((part, index) => frame(index === 0 ? opcode : 0, part, { fin: index === parts.length - 1 }))
}

/** The form of a fragment's length says nothing about that of the message. */
function sizes(): Case[] {
  return [
    [125, 126],
    [65_535, 1],
    [1, 65_536],
    [126, 65_535, 125],
  ].map((parts) =>
    living(
      `sizes-${parts.join('-')}`,
      ['I1', 'G3'],
      `fragments of ${parts.join(', ')} bytes`,
      send(
        ...parts.map((size, index) =>
          frame(index === 0 ? BINARY : 0, { fill: 3, size }, { fin: index === parts.length - 1 }),
        ),
      ),
      expect(binaried({ fill: 3, size: parts.reduce((sum, size) => sum + size, 0) })),
    ),
  )
}

const ORDERS: readonly Case[] = [
  living(
    'messages-in-turn',
    ['I1', 'I7', 'G8'],
    'fragmented and whole messages in turn come back in order',
    send(begin('a'), last('b'), text('c'), binary('d', { fin: false }), more('e'), last('f'), binary('g'), text('h')),
    expect(texted('ab'), texted('c'), binaried('def'), binaried('g'), texted('h')),
  ),
  living(
    'text-then-binary',
    ['I1'],
    'a fragmented message does not lend its kind to the next',
    send(begin('a'), last('b'), binary('hex:ff', { fin: false }), last('hex:fe')),
    expect(texted('ab'), binaried('hex:fffe')),
  ),
  living(
    'echo-between-writes',
    ['I1'],
    'the parts of two messages, each sent once the one before was echoed',
    send(begin('a')),
    send(last('b')),
    expect(texted('ab')),
    send(begin('c'), more('d')),
    send(last('e')),
    expect(texted('cde')),
  ),
  living(
    'thousand-fragments',
    ['I1'],
    'a message in a thousand fragments of a byte',
    send(begin('x')),
    { send: [more('x')], times: 998 },
    send(last('x')),
    expect(texted({ fill: 0x78, size: 1_000 })),
  ),
  living(
    'thousand-empty-fragments',
    ['I5'],
    'a message of a thousand empty fragments',
    send(begin()),
    { send: [more()], times: 998 },
    send(last('x')),
    expect(texted('x')),
  ),
]

const NOTHING_OPEN: readonly Case[] = [
  failing('last-alone', ['I2'], 'a last fragment, but no message has begun', [last('a'), text('ignored')]),
  failing('last-alone-empty', ['I2'], 'an empty last fragment, but no message has begun', [last()]),
  failing('more-alone', ['I2'], 'a middle fragment, but no message has begun', [more('a'), last('b')]),
  failing('more-alone-empty', ['I2'], 'an empty middle fragment, but no message has begun', [more()]),
  failing('last-alone-byte-1', ['I2', 'G11'], 'a last fragment without a message: judged on byte 1', [
    last('a', { headerOnly: 1 }),
  ]),
  failing('more-alone-byte-1', ['I2', 'G11'], 'a middle fragment without a message: judged on byte 1', [
    more('a', { headerOnly: 1 }),
  ]),
  failing(
    'last-after-whole',
    ['I2', 'L14'],
    'a last fragment after a whole message, which is echoed',
    [text('whole'), last('a'), ...IGNORED],
    [texted('whole')],
  ),
  failing(
    'last-twice',
    ['I2', 'L14'],
    'a second last fragment',
    [begin('a'), last('b'), last('c'), ...IGNORED],
    [texted('ab')],
  ),
  failing(
    'more-after-last',
    ['I2', 'L14'],
    'a middle fragment after the last',
    [begin('a'), last('b'), more('c')],
    [texted('ab')],
  ),
  failing('last-after-ping', ['I2'], 'a ping begins no message', [ping('a'), last('b')], [ponged('a')]),
]

function interleaved(): Case[] {
  return KINDS.flatMap(({ name, opcode }) =>
    KINDS.flatMap(({ name: other, opcode: otherOpcode }) => [
      failing(`${other}-inside-${name}`, ['I3'], `a whole ${other} message inside one of ${name}`, [
        frame(opcode, 'a', { fin: false }),
        frame(otherOpcode, 'b'),
        last('c'),
      ]),
      failing(`${other}-begins-inside-${name}`, ['I3'], `a ${other} message begins inside one of ${name}`, [
        frame(opcode, 'a', { fin: false }),
        frame(otherOpcode, 'b', { fin: false }),
      ]),
      failing(`${other}-inside-${name}-byte-1`, ['I3', 'G11'], `${other} inside ${name}: judged on byte 1`, [
        frame(opcode, 'a', { fin: false }),
        frame(otherOpcode, 'b', { headerOnly: 1 }),
      ]),
    ]),
  )
}

const MORE_INTERLEAVED: readonly Case[] = [
  failing('inside-after-middle', ['I3'], 'new data after a middle fragment', [begin('a'), more('b'), text('c')]),
  failing('inside-after-empty', ['I3'], 'new data after an empty first fragment', [begin(), text('c')]),
  failing(
    'inside-after-ping',
    ['I3', 'I4'],
    'new data after a ping between fragments',
    [begin('a'), ping('p'), text('c')],
    [ponged('p')],
  ),
]

const CUT_OFF: readonly Case[] = [
  {
    ...living('end-between', ['L13', 'L19'], 'TCP ends between fragments: 1006', send(begin('a')), END),
    outcome: 'lost',
  },
  {
    ...living('end-in-header', ['L13', 'L19'], 'TCP ends in a header: 1006', send(text('a', { headerOnly: 1 })), END),
    outcome: 'lost',
  },
]

export const FRAGMENTATION: Section = {
  name: 'fragmentation',
  title: 'Fragmentation',
  cases: [...splits(), ...sizes(), ...ORDERS, ...NOTHING_OPEN, ...interleaved(), ...MORE_INTERLEAVED, ...CUT_OFF],
}
