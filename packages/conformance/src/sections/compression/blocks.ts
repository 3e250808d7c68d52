// RFC 7692 §7.2.3: the RFC's own examples byte by byte, every type of block, blocks that are marked final, empty messages,
// and fragments that are cut wherever they may be. Payloads are written in hexadecimal digits or as bits.

import type { Case, Compression, ExpectedFrame, Section, SentFrame, SentMessage, Step } from '../../case.ts'
import { materialize } from '../../contents.ts'
import {
  begin,
  binaried,
  binary,
  bits,
  bytes,
  compress,
  expect,
  frame,
  joined,
  last,
  more,
  ping,
  ponged,
  send,
  TEXT,
  text,
  texted,
} from '../../frames.ts'
import { ALONE, agreed, data, FULL, generated, RSV1, WINDOWS, words } from './agreed.ts'

const NAME = 'compression/blocks'
/** "Hello" in one block with fixed codes, without its tail (§7.2.3.1). */
export const HELLO = 'hex:f248cdc9c90700'
/** "Hello" as a reference to the message before (§7.2.3.2). */
export const HELLO_AGAIN = 'hex:f200110000'
const HELLO_STORED = 'hex:000500faff48656c6c6f00'
const HELLO_FINAL = 'hex:f348cdc9c9070000'
const HELLO_IN_TWO = 'hex:f248050000 00ffffcac9c90700'
const EMPTY = 'hex:00'

/** A whole message that is marked as compressed. */
export function packed(payload: string | Uint8Array): SentFrame {
  return text(payload, { rsv: RSV1 })
}

function living(id: string, rows: string[], title: string, ...steps: Step[]): Case {
  return { id: `${NAME}/${id}`, rfc: 'RFC 7692 §7.2.3', rows, title, compression: FULL, steps, outcome: 'open' }
}

/** Payloads, and the texts that they are. */
function exact(id: string, rows: string[], title: string, ...pairs: (readonly [string | Uint8Array, string])[]): Case {
  const sent = pairs.map(([payload]) => packed(payload))
  return living(id, rows, title, send(...sent), expect(...pairs.map(([, content]) => texted(content))))
}

function without(test: Case, compression: Compression): Case {
  return { ...test, compression }
}

const EXAMPLES: readonly Case[] = [
  exact('hello', ['O5'], 'one block', [HELLO, 'Hello']),
  living(
    'hello-fragments',
    ['O1', 'O5', 'I1'],
    'one block in two fragments',
    send(begin('hex:f248cd', { rsv: RSV1 }), last('hex:c9c90700')),
    expect(texted('Hello')),
  ),
  exact('hello-again', ['O6'], 'a reference to the message before', [HELLO, 'Hello'], [HELLO_AGAIN, 'Hello']),
  without(
    exact('hello-alone', ['O12'], 'the same bytes twice, without takeover', [HELLO, 'Hello'], [HELLO, 'Hello']),
    ALONE,
  ),
  exact('stored', ['O7'], 'a stored block', [HELLO_STORED, 'Hello']),
  exact(
    'stored-then-reference',
    ['O7', 'O6'],
    'a reference into a stored block',
    [HELLO_STORED, 'Hello'],
    [HELLO_AGAIN, 'Hello'],
  ),
  exact('final', ['O8'], 'a block that is marked final', [HELLO_FINAL, 'Hello']),
  exact(
    'final-then-reference',
    ['O8', 'O9'],
    'a reference to a block that was marked final',
    [HELLO_FINAL, 'Hello'],
    [HELLO_AGAIN, 'Hello'],
  ),
  exact('two-blocks', ['O10'], 'two blocks', [HELLO_IN_TWO, 'Hello']),
  exact('empty', ['O11'], 'an empty message', [EMPTY, ''], [HELLO, 'Hello'], [EMPTY, ''], [HELLO_AGAIN, 'Hello']),
]

const FINALS: readonly Case[] = [
  exact('final-first', ['O9'], 'a final block, then another block', ['hex:f3480500 f248cdc9c90700', 'HeHello']),
  exact('final-inside-reference', ['O9'], 'a reference to before a final block, within a message', [
    'hex:f348cdc9c90700 f200110000',
    'HelloHello',
  ]),
  exact('final-stored', ['O7', 'O8'], 'a stored block that is marked final', ['hex:010500faff48656c6c6f 00', 'Hello']),
  exact(
    'final-stored-first',
    ['O7', 'O9'],
    'a stored block that is marked final, then others',
    ['hex:010200fdff4865 000300fcff6c6c6f 00', 'Hello'],
    [HELLO_AGAIN, 'Hello'],
  ),
  exact('final-empty', ['O8', 'O11'], 'an empty block that is marked final', ['hex:0300 00', ''], [HELLO, 'Hello']),
  exact(
    'final-many',
    ['O9'],
    'twenty final blocks in one message',
    [joined(...Array.from({ length: 20 }, () => 'hex:f348cdc9c90700'), EMPTY), 'Hello'.repeat(20)],
    [HELLO_AGAIN, 'Hello'],
  ),
  without(
    exact(
      'final-alone',
      ['O8', 'O12'],
      'final blocks without takeover',
      [HELLO_FINAL, 'Hello'],
      [HELLO_FINAL, 'Hello'],
    ),
    ALONE,
  ),
  ...[FULL, ALONE, agreed(9, 9)].map((compression, index) => {
    const messages = [1, 2, 1].map((seed) => data('json', 3_000, seed, { final: true }))
    return {
      ...living(`final-each-${index + 1}`, ['O8', 'O9', 'O6'], 'each message ends with a final block'),
      compression,
      steps: [compress(...messages), expect(...messages.map(({ content }) => texted(content)))],
    }
  }),
]

/** An empty stored block, and one with fixed codes: 10 bits, and then a stored one. */
const NO_CONTENT: readonly Case[] = [
  exact('no-payload', ['O11'], 'a compressed message without a payload', ['', '']),
  exact(
    'no-payload-then-reference',
    ['O11', 'O6'],
    'a message without a payload between others',
    [HELLO, 'Hello'],
    ['', ''],
    [HELLO_AGAIN, 'Hello'],
  ),
  exact('empty-fixed', ['O11'], 'an empty block with fixed codes', ['hex:0200', ''], [HELLO, 'Hello']),
  exact('empty-stored', ['O11', 'O10'], 'many empty stored blocks', [
    joined(...Array.from({ length: 50 }, () => 'hex:000000ffff'), EMPTY),
    '',
  ]),
  exact('empty-then-hello', ['O10'], 'an empty stored block, then "Hello"', [joined('hex:000000ffff', HELLO), 'Hello']),
  living(
    'empty-binary',
    ['O11'],
    'empty binary messages',
    send(binary(EMPTY, { rsv: RSV1 }), binary('', { rsv: RSV1 }), binary(HELLO, { rsv: RSV1 })),
    expect(binaried(), binaried(), binaried('Hello')),
  ),
  living(
    'empty-fragments',
    ['O11', 'I5'],
    'an empty message in fragments',
    send(
      begin('', { rsv: RSV1 }),
      more(),
      last(EMPTY),
      begin(EMPTY, { rsv: RSV1 }),
      last(),
      begin('', { rsv: RSV1 }),
      last(),
    ),
    expect(texted(), texted(), texted()),
  ),
]

/** A message in two fragments, cut behind `at` bytes. */
function cutAt(payload: string, at: number): SentFrame[] {
  const whole = bytes(payload)
  return [begin(whole.subarray(0, at), { rsv: RSV1 }), last(whole.subarray(at))]
}

const CUTS: readonly Case[] = [HELLO, HELLO_STORED, HELLO_FINAL, HELLO_IN_TWO].map((payload, index) => {
  const cuts = Array.from({ length: bytes(payload).length + 1 }, (_, at) => at)
  return living(
    `cuts-${['fixed', 'stored', 'final', 'two-blocks'][index]}`,
    ['O4', 'O5', 'I5'],
    'cut into two fragments at every place, also within 00 00 ff ff',
    send(...cuts.flatMap((at) => cutAt(payload, at))),
    expect(...cuts.map(() => texted('Hello'))),
  )
})

const FRAGMENTS: readonly Case[] = [
  living(
    'bytes',
    ['O4', 'O5', 'O18'],
    'each byte a fragment, with pings and empty fragments between',
    send(
      begin('hex:f2', { rsv: RSV1 }),
      ping('1'),
      more('hex:48'),
      more(),
      more('hex:05'),
      more('hex:00'),
      ping('2'),
      ...['hex:00', 'hex:00', 'hex:ff', 'hex:ff'].map((byte) => more(byte)),
      ping('3'),
      ...['hex:ca', 'hex:c9', 'hex:c9', 'hex:07', 'hex:00'].map((byte) => more(byte)),
      last(),
    ),
    expect(ponged('1'), ponged('2'), ponged('3'), texted('Hello')),
  ),
  living(
    'plain-then-packed-fragments',
    ['O1', 'O3'],
    'RSV1 counts for its own message only',
    send(begin('Hel'), last('lo'), begin('hex:f248cd', { rsv: RSV1 }), last('hex:c9c90700'), begin('Hel'), last('lo')),
    expect(texted('Hello'), texted('Hello'), texted('Hello')),
  ),
  living(
    'plain-looks-packed',
    ['O3'],
    'a plain binary message that looks like a compressed one',
    send(binary(HELLO), binary(HELLO, { rsv: RSV1 }), binary(HELLO)),
    expect(binaried(HELLO), binaried('Hello'), binaried(HELLO)),
  ),
]

/** How the peer may compress. */
const STYLES: readonly (Partial<SentMessage> & { readonly name: string; readonly rows: readonly string[] })[] = [
  { name: 'stored', rows: ['O7'], level: 0 },
  { name: 'fast', rows: ['O10'], level: 1 },
  { name: 'best', rows: ['O10'], level: 9 },
  { name: 'fixed', rows: ['O10'], codes: 'fixed' },
  { name: 'literals', rows: ['O10'], codes: 'literals' },
  { name: 'flush-1', rows: ['O10', 'O4'], flushEvery: 1 },
  { name: 'flush-100', rows: ['O10', 'O4'], flushEvery: 100 },
  { name: 'flush-stored', rows: ['O7', 'O10'], flushEvery: 100, level: 0 },
  { name: 'flush-final', rows: ['O9', 'O10'], flushEvery: 100, final: true },
]

function styles(): Case[] {
  return STYLES.flatMap(({ name, rows, ...style }) =>
    ([FULL, ALONE, agreed(8, 8)] as const).map((compression, index) => {
      const messages = [data('json', 1_500), data('utf8', 1_500), data('random', 500), data('json', 1_500)].map(
        (message): SentMessage => ({ ...message, ...style }),
      )
      return {
        ...living(
          `style-${name}-${['full', 'alone', 'window-8'][index]}`,
          [...rows, 'O6'],
          `the peer compresses: ${name}`,
        ),
        compression,
        steps: [
          compress(...messages),
          expect(...messages.map(({ opcode, content }) => ({ opcode, payload: content }))),
        ],
      }
    }),
  )
}

/** A stored block of the most bytes that one holds, and one byte more. */
const LARGE_BLOCKS: readonly Case[] = [65_535, 65_536].map((size) =>
  living(
    `stored-${size}`,
    ['O7', 'O10'],
    `stored, ${size} bytes`,
    compress(data('random', size, 1, { level: 0 })),
    expect({ opcode: 2, payload: generated('random', size) }),
  ),
)

/** Distances from 2^8 on have the code 2w − 1, and extra bits that are all set for 2^w (RFC 1951 §3.2.5). */
function distance(window: number): string {
  return (2 * window - 1).toString(2).padStart(5, '0') + '1'.repeat(window - 2)
}

/** A block with fixed codes: three bytes from a distance of 2^window. */
export function reach(window: number): Uint8Array {
  return bits(`0 10 0000001 ${distance(window)} 0000000 000`)
}

/** The farthest reference that a window allows: to its first byte, three messages ago. */
function reaching(): Case[] {
  return WINDOWS.map((window) => {
    const size = 2 ** window
    const before = generated('random', size)
    const echoes: ExpectedFrame[] = [{ opcode: 2, payload: before }, binaried(materialize(before).subarray(0, 3))]
    return {
      ...living(`reach-${window}`, ['N3', 'O6'], `a reference over 2^${window} bytes, the whole window`),
      compression: agreed(15, window),
      steps: [
        compress({ opcode: 2, content: before, level: 0 }),
        send(frame(TEXT + 1, reach(window), { rsv: RSV1 })),
        expect(...echoes),
      ],
    }
  })
}

const LONG_MATCHES: readonly Case[] = [
  exact('match-258', ['O6'], 'a match of 258 bytes at a distance of one', [
    // 'a', length code 285, distance code 0, end of block
    bits('0 10 10010001 11000101 00000 0000000 000'),
    'a'.repeat(259),
  ]),
  exact('match-258-by-284', ['O6'], 'a match of 257 bytes: code 284 with its most extra bits but one', [
    bits('0 10 10010001 11000100 01111 00000 0000000 000'),
    'a'.repeat(258),
  ]),
  living(
    'words',
    ['O5'],
    'compressed text of one byte to ten',
    compress(...Array.from({ length: 10 }, (_, size) => words('x'.repeat(size + 1)))),
    expect(...Array.from({ length: 10 }, (_, size) => texted('x'.repeat(size + 1)))),
  ),
]

export const BLOCKS: Section = {
  name: NAME,
  title: 'Compressed messages: blocks and fragments',
  cases: [
    ...EXAMPLES,
    ...FINALS,
    ...NO_CONTENT,
    ...CUTS,
    ...FRAGMENTS,
    ...styles(),
    ...LARGE_BLOCKS,
    ...reaching(),
    ...LONG_MATCHES,
  ],
}
