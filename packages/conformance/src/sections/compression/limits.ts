// RFC 6455 §10.4, RFC 7692: the limits hold for what is inflated, while it is inflated: a bomb in one frame, one that is split in
// a hundred, and messages of exactly the largest size.

import type { Case, ExpectedFrame, Section, SentMessage, Step } from '../../case.ts'
import { begin, closed, compress, expect, IGNORED, last, more, send, text, texted } from '../../frames.ts'
import { ALONE, data, FULL, generated, RSV1, words } from './agreed.ts'

const NAME = 'compression/limits'
const TOO_BIG = 1009
const POLICY = 1008
const KIB = 1024
const MIB = KIB * KIB
const MAX_PAYLOAD = 16 * MIB
const SET = 64 * KIB
const LIMITS = { maxPayload: SET }

function living(id: string, title: string, ...steps: Step[]): Case {
  const rows = ['O13', 'M1']
  return {
    id: `${NAME}/${id}`,
    rfc: 'RFC 6455 §10.4',
    rows,
    title,
    compression: FULL,
    steps,
    outcome: 'open',
    limits: LIMITS,
  }
}

function failing(id: string, title: string, messages: SentMessage[], before: ExpectedFrame[] = []): Case {
  return {
    ...living(id, title, compress(...messages), send(...IGNORED), expect(...before, closed(TOO_BIG))),
    outcome: 'failed',
  }
}

function zeros(size: number, extra: Partial<SentMessage> = {}): SentMessage {
  return { opcode: 2, content: { fill: 0, size }, ...extra }
}

function echo({ opcode, content }: SentMessage): ExpectedFrame {
  return { opcode, payload: content }
}

function exactly(id: string, title: string, ...messages: SentMessage[]): Case {
  return living(id, title, compress(...messages), expect(...messages.map(echo)))
}

const EXACT: readonly Case[] = [
  exactly('exact', 'maxPayload 65,536: exactly that', zeros(SET)),
  exactly('exact-each', 'the limit is for each message', zeros(SET), zeros(SET), data('json', SET)),
  exactly('exact-fragments', 'exactly that, each byte a fragment', zeros(SET, { fragment: 1 })),
  exactly('exact-blocks', 'exactly that, in 64 blocks', data('json', SET, 1, { flushEvery: KIB })),
  exactly(
    'exact-final',
    'exactly that, in 32 final blocks',
    data('json', SET, 1, { flushEvery: 2 * KIB, final: true }),
  ),
  exactly('exact-random', 'exactly that, of what does not compress: it grows on the wire', data('random', SET)),
  exactly('exact-random-fragments', 'the same in fragments of 1 KiB', data('random', SET, 2, { fragment: KIB })),
  exactly('exact-text', 'exactly that, of text', words(generated('utf8', SET))),
  { ...exactly('exact-alone', 'exactly that, without takeover', zeros(SET), zeros(SET)), compression: ALONE },
]

const OVER: readonly Case[] = [
  failing('one-more', 'one byte more', [zeros(SET + 1)]),
  failing('one-more-random', 'one byte more, of what does not compress', [data('random', SET + 1)]),
  failing('one-more-text', 'one byte more, of text', [words(generated('prose', SET + 1))]),
  failing('one-more-fragments', 'one byte more, each byte a fragment', [zeros(SET + 1, { fragment: 1 })]),
  failing('one-more-blocks', 'one byte more, in blocks', [data('json', SET + 1, 1, { flushEvery: KIB })]),
  failing('one-more-final', 'one byte more, a final block', [data('json', SET + 1, 1, { final: true })]),
  failing('one-more-finals', 'one byte more, in 33 final blocks', [
    data('json', SET + 1, 1, { flushEvery: 2 * KIB, final: true }),
  ]),
  {
    // The answer to the first is awaited: an end that fails the connection need not send what it is still compressing.
    ...living(
      'second',
      'a message of exactly the limit, then one byte more',
      compress(zeros(SET)),
      expect(echo(zeros(SET))),
      compress(zeros(SET + 1)),
      send(...IGNORED),
      expect(closed(TOO_BIG)),
    ),
    outcome: 'failed',
  },
  { ...failing('one-more-alone', 'one byte more, without takeover', [zeros(SET + 1)]), compression: ALONE },
]

const BOMBS: readonly Case[] = [
  failing('bomb', '4 MiB in one frame of 4 KiB', [zeros(4 * MIB)]),
  failing('bomb-hundred', '4 MiB in a hundred fragments of 42 bytes', [zeros(4 * MIB, { fragment: 42 })]),
  failing(
    'bomb-second',
    'a bomb after a good message',
    [data('json', 2_000), zeros(4 * MIB)],
    [echo(data('json', 2_000))],
  ),
  { ...failing('bomb-alone', 'a bomb, without takeover', [zeros(4 * MIB)]), compression: ALONE },
]

/** The limit of 16 MiB that is there by default. */
const DEFAULT: readonly Case[] = [
  exactly('default-exact', '16 MiB by default: exactly that', zeros(MAX_PAYLOAD, { level: 1 })),
  failing('default-one-more', '16 MiB by default: one byte more', [zeros(MAX_PAYLOAD + 1, { level: 1 })]),
  failing('default-bomb', '16 MiB by default: 40 MiB in one frame', [zeros(40 * MIB, { level: 1 })]),
  failing('default-bomb-fragments', '16 MiB by default: 20 MiB in fragments of 100 bytes', [
    zeros(20 * MIB, { level: 1, fragment: 100 }),
  ]),
].map((test) => ({ ...test, limits: {} }))

const FRAMES: readonly Case[] = [
  {
    ...failing('declared', 'a compressed frame that is itself too large: judged on its header', []),
    rows: ['G10', 'M1'],
    steps: [send(text(undefined, { rsv: RSV1, declared: BigInt(2 * SET), headerOnly: 10 })), expect(closed(TOO_BIG))],
  },
  {
    ...failing('fragments', 'maxFragments 4: a compressed message in five', []),
    rows: ['M2', 'I5'],
    limits: { maxFragments: 4 },
    steps: [send(begin('', { rsv: RSV1 }), more(), more(), more(), last('hex:00'), ...IGNORED), expect(closed(POLICY))],
  },
  {
    ...living('fragments-exact', 'maxFragments 4: a compressed message in four'),
    rows: ['M2', 'I5'],
    limits: { maxFragments: 4 },
    steps: [send(begin('', { rsv: RSV1 }), more(), more(), last('hex:f248cdc9c90700')), expect(texted('Hello'))],
  },
]

export const COMPRESSED_LIMITS: Section = {
  name: NAME,
  title: 'Compressed messages: limits',
  cases: [...EXACT, ...OVER, ...BOMBS, ...DEFAULT, ...FRAMES],
}
