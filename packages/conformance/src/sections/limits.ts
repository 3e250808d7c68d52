// §10.4 and the limits of docs/limits.md: the largest message in one frame and in many, one byte more, the largest number of
// fragments and one more. A limit is judged on a header, before any of the payload that breaks it.

import type { Case, Section, SentFrame } from '../case.ts'
import { begin, binaried, binary, closed, expect, last, more, ping, ponged, send, text, texted } from '../frames.ts'

const RFC = 'RFC 6455 §10.4'
const TOO_BIG = 1009
const POLICY = 1008
const MIB = 1024 * 1024
const MAX_PAYLOAD = 16 * MIB
const MAX_FRAGMENTS = 131_072

function failing(id: string, rows: string[], title: string, code: number, frames: SentFrame[]): Case {
  const steps = [send(...frames), expect(closed(code))]
  return { id: `limits/${id}`, rfc: RFC, rows, title, steps, outcome: 'failed' }
}

function living(id: string, rows: string[], title: string, ...steps: Case['steps']): Case {
  return { id: `limits/${id}`, rfc: RFC, rows, title, steps, outcome: 'open' }
}

const SIZE: readonly Case[] = [
  living(
    'largest-binary',
    ['M1', 'G10'],
    'binary of 16 MiB in one frame',
    send(binary({ fill: 0xa5, size: MAX_PAYLOAD })),
    expect(binaried({ fill: 0xa5, size: MAX_PAYLOAD })),
  ),
  living(
    'largest-text',
    ['M1', 'G10'],
    'text of 16 MiB in one frame',
    send(text({ fill: 0x61, size: MAX_PAYLOAD })),
    expect(texted({ fill: 0x61, size: MAX_PAYLOAD })),
  ),
  living(
    'largest-binary-fragments',
    ['M1', 'I1'],
    'binary of 16 MiB in 256 fragments',
    send(binary({ fill: 0xa5, size: 65_536 }, { fin: false })),
    { send: [more({ fill: 0xa5, size: 65_536 })], times: 254 },
    send(last({ fill: 0xa5, size: 65_536 })),
    expect(binaried({ fill: 0xa5, size: MAX_PAYLOAD })),
  ),
  living(
    'largest-text-fragments',
    ['M1', 'I1'],
    'text of 16 MiB in 4,096 fragments',
    send(begin({ fill: 0x61, size: 4_096 })),
    { send: [more({ fill: 0x61, size: 4_096 })], times: 4_094 },
    send(last({ fill: 0x61, size: 4_096 })),
    expect(texted({ fill: 0x61, size: MAX_PAYLOAD })),
  ),
  failing(
    'high-word',
    ['M1', 'G6', 'G10'],
    '65,536 bytes behind a header that says 2^32 more: none of them is a message',
    TOO_BIG,
    [binary({ fill: 0xa5, size: 65_536 }, { declared: 2n ** 32n + 65_536n })],
  ),
  living(
    'largest-then-largest',
    ['M1'],
    'the limit is for each message, not for the connection',
    send(binary({ fill: 1, size: 10 * MIB })),
    expect(binaried({ fill: 1, size: 10 * MIB })),
    send(binary({ fill: 2, size: 10 * MIB })),
    expect(binaried({ fill: 2, size: 10 * MIB })),
  ),
  failing('one-more-binary', ['M1', 'G10'], 'binary of 16 MiB + 1 byte: judged on the header', TOO_BIG, [
    binary(undefined, { declared: BigInt(MAX_PAYLOAD) + 1n, headerOnly: 10 }),
  ]),
  failing('one-more-text', ['M1', 'G10'], 'text of 16 MiB + 1 byte: judged on the header', TOO_BIG, [
    text(undefined, { declared: BigInt(MAX_PAYLOAD) + 1n, headerOnly: 10 }),
  ]),
  failing('double', ['M1', 'G10', 'G11'], '32 MiB: judged on the length byte that tells', TOO_BIG, [
    binary(undefined, { declared: BigInt(2 * MAX_PAYLOAD), headerOnly: 7 }),
  ]),
  failing('sum-one-more', ['M1', 'G10'], 'fragments of 16 MiB in sum, and one byte: judged on the header', TOO_BIG, [
    binary({ fill: 1, size: 8 * MIB }, { fin: false }),
    more({ fill: 1, size: 8 * MIB }),
    more('x', { headerOnly: 2 }),
  ]),
  failing('sum-large-last', ['M1', 'G10'], 'one byte, then a last fragment of 16 MiB: judged on the header', TOO_BIG, [
    begin('x'),
    last(undefined, { declared: BigInt(MAX_PAYLOAD), headerOnly: 10 }),
  ]),
]

const SMALL = { maxPayload: 100, maxFragments: 4 }

const SET: readonly Case[] = [
  living(
    'set-exact',
    ['M1'],
    'maxPayload 100: 100 bytes',
    send(text({ fill: 0x61, size: 100 })),
    expect(texted({ fill: 0x61, size: 100 })),
  ),
  failing('set-one-more', ['M1', 'G11'], 'maxPayload 100: 101 bytes, judged on byte 2', TOO_BIG, [
    text({ fill: 0x61, size: 101 }, { headerOnly: 2 }),
  ]),
  failing('set-one-more-whole', ['M1'], 'maxPayload 100: 101 bytes, all there at once', TOO_BIG, [
    text({ fill: 0x61, size: 101 }),
    ping('ignored'),
  ]),
  failing('set-16-bit-whole', ['M1'], 'maxPayload 100: 256 bytes, all there at once', TOO_BIG, [
    text({ fill: 0x61, size: 256 }),
    ping('ignored'),
  ]),
  failing('set-16-bit', ['M1', 'G11'], 'maxPayload 100: 256 bytes, judged on the first byte of the length', TOO_BIG, [
    text({ fill: 0x61, size: 256 }, { headerOnly: 3 }),
  ]),
  failing('set-sum', ['M1', 'G10'], 'maxPayload 100: 60 and 41 bytes', TOO_BIG, [
    begin({ fill: 0x61, size: 60 }),
    last({ fill: 0x61, size: 41 }, { headerOnly: 2 }),
  ]),
  living(
    'set-sum-exact',
    ['M1'],
    'maxPayload 100: 60 and 40 bytes, twice',
    { send: [begin({ fill: 0x61, size: 60 }), last({ fill: 0x61, size: 40 })], times: 2 },
    { expect: [texted({ fill: 0x61, size: 100 })], times: 2 },
  ),
  living(
    'set-control',
    ['M1', 'J1'],
    'maxPayload 100 is not for control frames',
    send(ping({ fill: 1, size: 125 })),
    expect(ponged({ fill: 1, size: 125 })),
  ),
  living(
    'set-control-inside',
    ['M1', 'I4'],
    'control frames do not count in the sum',
    send(begin({ fill: 0x61, size: 60 }), ping({ fill: 1, size: 125 }), last({ fill: 0x61, size: 40 })),
    expect(ponged({ fill: 1, size: 125 }), texted({ fill: 0x61, size: 100 })),
  ),
  living(
    'set-fragments',
    ['M2', 'I5'],
    'maxFragments 4: four, twice',
    { send: [begin('a'), more('b'), more(), last('c')], times: 2 },
    { expect: [texted('abc')], times: 2 },
  ),
  failing('set-fragments-one-more', ['M2', 'I5'], 'maxFragments 4: five', POLICY, [
    begin('a'),
    more('b'),
    more('c'),
    more('d'),
    last('e'),
  ]),
  failing('set-fragments-empty', ['M2', 'I5'], 'maxFragments 4: five empty ones', POLICY, [
    begin(),
    more(),
    more(),
    more(),
    more(),
  ]),
  living(
    'set-fragments-control',
    ['M2', 'I4'],
    'maxFragments 4: pings between are not counted',
    send(begin('a'), ping('1'), more('b'), ping('2'), ping('3'), more('c'), last('d')),
    expect(ponged('1'), ponged('2'), ponged('3'), texted('abcd')),
  ),
].map((test) => ({ ...test, limits: SMALL }))

const FRAGMENTS: readonly Case[] = [
  living(
    'most-fragments',
    ['M2', 'I5'],
    '131,072 fragments, all but the last empty',
    send(begin()),
    { send: [more()], times: MAX_FRAGMENTS - 2 },
    send(last('x')),
    expect(texted('x')),
  ),
  living(
    'most-fragments-1-byte',
    ['M2', 'I5'],
    '131,072 fragments of 1 byte',
    send(binary('x', { fin: false })),
    { send: [more('x')], times: MAX_FRAGMENTS - 2 },
    send(last('x')),
    expect(binaried({ fill: 0x78, size: MAX_FRAGMENTS })),
  ),
  {
    ...failing('one-fragment-more', ['M2', 'I5'], '131,073 fragments', POLICY, []),
    steps: [send(begin()), { send: [more()], times: MAX_FRAGMENTS - 1 }, send(last('x')), expect(closed(POLICY))],
  },
  {
    ...failing('endless-fragments', ['M2', 'I5'], '200,000 empty fragments without an end', POLICY, []),
    steps: [send(begin()), { send: [more()], times: 200_000 }, expect(closed(POLICY))],
  },
]

export const LIMITS: Section = {
  name: 'limits',
  title: 'Limits',
  cases: [...SIZE, ...SET, ...FRAGMENTS],
}
