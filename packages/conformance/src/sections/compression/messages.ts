// RFC 7692 §7.1, §7.2: messages of every kind and size, all windows and takeover modes, fragments, and plain messages between.
// What the target sends is inflated with the window that was agreed and no larger one.

import type { Case, Compression, ExpectedFrame, Kind, Section, SentMessage, Step } from '../../case.ts'
import { compress, expect, ping, ponged, send, text, texted } from '../../frames.ts'
import { ALONE, agreed, data, FULL, TAKEOVER, WINDOWS, words } from './agreed.ts'

const NAME = 'compression/messages'
const KINDS: readonly Kind[] = ['prose', 'json', 'utf8', 'repeats', 'records', 'random']
const SIZES = [
  { size: 16, count: 20 },
  { size: 64, count: 20 },
  { size: 256, count: 20 },
  { size: 1_024, count: 10 },
  { size: 4_096, count: 10 },
  { size: 16_384, count: 5 },
  { size: 65_536, count: 3 },
  { size: 131_072, count: 2 },
] as const
/** From so many bytes on, everything but random data gets smaller. */
const WORTH_IT = 256

function living(id: string, rows: string[], title: string, compression: Compression, ...steps: Step[]): Case {
  return { id: `${NAME}/${id}`, rfc: 'RFC 7692 §7.2', rows, title, compression, steps, outcome: 'open' }
}

/** The echo of a message: compressed, if it is sure to get smaller. */
function echoOf({ opcode, content }: SentMessage): ExpectedFrame {
  const sure = 'kind' in content && content.kind !== 'random' && content.size >= WORTH_IT
  return { opcode, payload: content, ...(sure && { compressed: true }) }
}

/** Sends all, then expects all. */
function echoed(...messages: SentMessage[]): Step[] {
  return [compress(...messages), expect(...messages.map(echoOf))]
}

function seeded(kind: Kind, size: number, count: number): SentMessage[] {
  return Array.from({ length: count }, (_, seed) => data(kind, size, seed))
}

/** The field's five data sets and its sizes, with the largest window. */
function kindsAndSizes(): Case[] {
  return KINDS.flatMap((kind) =>
    SIZES.map(({ size, count }) =>
      living(
        `${kind}-${size}`,
        ['O20', 'O6', 'I7'],
        `${count} messages of ${size} bytes: ${kind}`,
        FULL,
        ...echoed(...seeded(kind, size, count)),
      ),
    ),
  )
}

/** Messages that refer to each other, of all kinds. */
const MIXTURE: readonly SentMessage[] = [
  data('json', 3_000),
  data('random', 600),
  data('json', 3_000),
  data('utf8', 2_000),
  data('random', 600),
  data('repeats', 5_000),
  data('prose', 1_500),
  data('records', 1_500),
]

/** Each pair of windows. */
function windows(): Case[] {
  return WINDOWS.flatMap((target) =>
    WINDOWS.map((peer) =>
      living(
        `window-${target}-${peer}`,
        ['N3', 'N7', 'N8', 'O6', 'O20', ...(target === 8 || peer === 8 ? ['N16'] : [])],
        `the target's window 2^${target}, the peer's 2^${peer}`,
        agreed(target, peer),
        ...echoed(...MIXTURE),
      ),
    ),
  )
}

/** Each window and takeover mode, with three windows of data. */
function sliding(): Case[] {
  return TAKEOVER.flatMap((takeover) =>
    WINDOWS.map((window) => {
      const size = 2 ** (window - 1)
      return living(
        `slide-${window}-takeover-${takeover.name}`,
        [takeover.target ? 'O6' : 'N9', takeover.peer ? 'N8' : 'N11', 'N10', 'O12', 'O20'],
        `2^${window} at both ends, takeover: ${takeover.name}; six messages of half a window`,
        agreed(window, window, takeover),
        ...echoed(...seeded('json', size, 3), ...seeded('repeats', size, 3)),
      )
    }),
  )
}

/** The field's configurations with different windows and one-sided takeover. */
function lopsided(): Case[] {
  return [
    [8, 15],
    [15, 8],
    [9, 12],
    [12, 9],
  ].flatMap(([target, peer]) =>
    TAKEOVER.slice(1).map((takeover) =>
      living(
        `window-${target}-${peer}-takeover-${takeover.name}`,
        [takeover.target ? 'O6' : 'N9', takeover.peer ? 'N8' : 'N11', 'O12', 'O20'],
        `the target's window 2^${target}, the peer's 2^${peer}, takeover: ${takeover.name}`,
        agreed(target, peer, takeover),
        ...echoed(...MIXTURE),
      ),
    ),
  )
}

function fragmented(): Case[] {
  const kinds = ['json', 'utf8', 'random'] as const
  return kinds.flatMap((kind) =>
    [1, 7, 100].flatMap((fragment) => {
      const messages = seeded(kind, 600, 3)
      const cut = (extra: Partial<SentMessage>) =>
        compress(...messages.map((message) => ({ ...message, fragment, ...extra })))
      const echoes = messages.map(echoOf)
      return [
        living(
          `fragments-${kind}-${fragment}`,
          ['O1', 'O4', 'O5', 'I1'],
          `${kind}, cut into fragments of ${fragment} bytes`,
          FULL,
          cut({}),
          expect(...echoes),
        ),
        living(
          `fragments-${kind}-${fragment}-empty-last`,
          ['O1', 'O5', 'I5'],
          `${kind}, cut into fragments of ${fragment} bytes; the last one is empty`,
          FULL,
          cut({ emptyLast: true }),
          expect(...echoes),
        ),
      ]
    }),
  )
}

/** Stored, so that the size is known: 600 bytes and a little, in four fragments. */
function interrupted(): Case[] {
  return (['json', 'random'] as const).map((kind) => {
    const message = data(kind, 600, 1, { level: 0, fragment: 200, between: [ping('p'), ping('q')] })
    const pongs = [1, 2, 3].flatMap(() => [ponged('p'), ponged('q')])
    return living(
      `pings-${kind}`,
      ['O18', 'I4', 'J3'],
      `${kind}, two pings behind each fragment`,
      FULL,
      compress(message),
      expect(...pongs, echoOf(message)),
    )
  })
}

const PLAIN = 'a plain message between compressed ones, a plain message'

const MIXED: readonly Case[] = [
  living(
    'plain-between',
    ['O3', 'O6'],
    'plain messages between compressed ones leave the window alone',
    FULL,
    compress(data('json', 2_000, 1)),
    send(text(PLAIN), text(PLAIN)),
    compress(data('json', 2_000, 1), words(PLAIN)),
    send(text(PLAIN)),
    compress(data('json', 2_000, 1), words(PLAIN)),
    expect(
      echoOf(data('json', 2_000, 1)),
      ...[texted(PLAIN), texted(PLAIN)],
      ...[echoOf(data('json', 2_000, 1)), texted(PLAIN), texted(PLAIN)],
      ...[echoOf(data('json', 2_000, 1)), texted(PLAIN)],
    ),
  ),
  living(
    'plain-fragments-between',
    ['O3', 'I1'],
    'a plain message in fragments between compressed ones',
    FULL,
    compress(data('json', 2_000, 1)),
    send(text('pla', { fin: false }), { opcode: 0, payload: Buffer.from('in') }),
    compress(data('json', 2_000, 1)),
    expect(echoOf(data('json', 2_000, 1)), texted('plain'), echoOf(data('json', 2_000, 1))),
  ),
  living(
    'all-plain',
    ['O3', 'O17'],
    'compression is agreed on, and the peer never uses it',
    FULL,
    send(text('a'), text('b'), text()),
    expect(texted('a'), texted('b'), texted()),
  ),
  {
    ...living('threshold', ['O17'], 'below the threshold the target sends plain, from it on compressed', FULL),
    compression: { ...FULL, threshold: 100 },
    steps: [
      compress(words('a'.repeat(99)), words('a'.repeat(100)), words('a'.repeat(99)), words('a'.repeat(100))),
      expect(
        ...[99, 100, 99, 100].map(
          (size): ExpectedFrame => ({ opcode: 1, payload: { fill: 0x61, size }, compressed: size === 100 }),
        ),
      ),
    ],
  },
  {
    ...living('plain-answers-between', ['O3', 'O17'], "plain answers of the target's leave its window alone", FULL),
    compression: { ...FULL, threshold: 1_000 },
    steps: [1, 2].flatMap(() => [
      ...echoed(data('json', 2_000)),
      compress(data('json', 300)),
      expect({ ...echoOf(data('json', 300)), compressed: false } as ExpectedFrame),
    ]),
  },
  living(
    'takeover-used',
    ['O6'],
    'the second of two equal messages is a reference to the first',
    FULL,
    compress(data('json', 4_000), data('json', 4_000)),
    expect(echoOf(data('json', 4_000)), { ...echoOf(data('json', 4_000)), atMost: 100 } as ExpectedFrame),
  ),
  living(
    'takeover-not-used',
    ['N9', 'N11', 'O12'],
    'without takeover equal messages inflate each by itself',
    ALONE,
    ...echoed(data('json', 4_000), data('json', 4_000), data('repeats', 4_000), data('repeats', 4_000)),
  ),
  living(
    'incompressible-between',
    ['O17', 'O6'],
    'data that does not shrink, between data that does',
    FULL,
    ...echoed(data('json', 2_000), data('random', 4_096), data('json', 2_000), data('random', 4_096, 2)),
  ),
  living(
    'many',
    ['O6', 'I7'],
    '500 messages of 40 to 540 bytes in one write',
    FULL,
    ...echoed(...Array.from({ length: 500 }, (_, index) => data('json', 40 + index, index % 7))),
  ),
  living(
    'one-by-one',
    ['O6'],
    '50 messages, each when the one before is answered',
    FULL,
    ...Array.from({ length: 50 }, (_, index) => echoed(data('prose', 300, index))).flat(),
  ),
]

export const MESSAGES: Section = {
  name: NAME,
  title: 'Compressed messages: kinds, sizes, windows, takeover',
  cases: [...kindsAndSizes(), ...windows(), ...sliding(), ...lopsided(), ...fragmented(), ...interrupted(), ...MIXED],
}
