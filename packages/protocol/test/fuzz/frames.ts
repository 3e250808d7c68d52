// What holds for every stream of frames, compressed messages among them or not: FrameParser and Protocol say what the
// reference decoder says, however the stream is cut; they throw nothing, make a bounded number of calls, and take memory by
// the bytes that came.

import { type MessageCompression, type Platform, portablePlatform, type Role } from '../../src/index.ts'
import { cut } from '../support/arbitrary.ts'
import { concat, toHex } from '../support/bytes.ts'
import { DirectCompression } from '../support/compression.ts'
import { frame, SAMPLE_KEY } from '../support/encode.ts'
import { Endpoint, FIXED_KEY, recordParser } from '../support/record.ts'
import { DEFAULT_RULES, decodeFrames, type Rules } from '../support/reference.ts'
import { deserved, deservedCalls, observed, wordless } from '../support/verdict.ts'
import { same, type Target } from './target.ts'

/** Heads of frames, and payloads that matter: fragments, controls, lengths at their bounds, UTF-8 at its bounds. */
const WORDS = [
  '8100 0100 0101 0200 0000 8000 8900 8a00 8800 8200 8180 0180 0080 8980 8880',
  '817e007d 817e007e 817effff 817f000000000000ffff 817f0000000000010000 817f8000000000000000 827f001fffffffffffff',
  '880203e8 880203ed 8802ffff 880303e8ff 8801 897e007e 897d c100 8300 0900',
  'c080 eda080 f48fbfbf f4908080 efbbbf e282ac ceba ff',
]

/** Heads of compressed messages, masked or not; whole ones; and what blocks are made of. */
const COMPRESSED_WORDS = [
  'c1 c2 41 42 c100 4100 c180 4180 c000 d1 e1 c9 c107f248cdc9c90700 c105f200110000 c207f348cdc9c90700 c10100',
  'c18700000000f248cdc9c90700 c18500000000f200110000 c28700000000f348cdc9c90700 4103f248cd 8004c9c90700',
  'f248cdc9c90700 f200110000 f348cdc9c9070000 000500faff48656c6c6f00 000000ffff 0000ffff 0300 010600f9ff fa0700',
]

const words = (lines: readonly string[]): Uint8Array[] =>
  lines.flatMap((line) => line.split(' ')).map((word) => Uint8Array.from(Buffer.from(word, 'hex')))

/** Streams stand in the corpus without masks; a server reads them masked, as far as they can be read. */
export function towards(role: Role, stream: Uint8Array, deflate?: Rules['deflate']): Uint8Array {
  if (role === 'client') return stream
  const { frames } = decodeFrames(stream, { ...DEFAULT_RULES, role: 'client', deflate })
  const whole = frames.filter(({ end }) => end !== undefined)
  const masked = whole.map(({ first, payload }) =>
    frame({ fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, payload, key: SAMPLE_KEY }),
  )
  const [first, second, ...rest] = stream.subarray(whole.at(-1)?.end ?? 0)
  const tail = [first, second === undefined ? undefined : second | 0x80, ...rest].filter((byte) => byte !== undefined)
  return concat(...masked, Uint8Array.from(tail))
}

/** Chunk sizes that follow from the input, so that hex alone repeats a failure. */
function cuts(input: Uint8Array): number[][] {
  const hash = input.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7)
  const sizes = [0, 3, 6, 9, 12].map((shift) => 1 + ((hash >>> shift) & 31))
  return [[1], [1 + (hash % 7)], sizes]
}

/** As much as the parser may trust a length told (`TRUSTED_LENGTH`), and what a doubling buffer takes in all. */
function mostMemory(input: Uint8Array): number {
  return 1024 * 1024 + 125 + 8 * input.length
}

function accounted(): { platform: Platform; spent: () => number } {
  let bytes = 0
  const allocate = (size: number): Uint8Array => {
    bytes += size
    return new Uint8Array(size)
  }
  return { platform: { ...portablePlatform, maskingKey: () => FIXED_KEY, allocate }, spent: () => bytes }
}

function compression({ deflate }: Rules): MessageCompression | undefined {
  return deflate && new DirectCompression({ bits: deflate.windowBits, takeover: deflate.takeover })
}

/** How many bytes came out of compressed messages at most: no message is larger than the limit. */
function mostInflated(end: Endpoint, { deflate, maxPayload }: Rules): number {
  return deflate === undefined ? 0 : end.log.length * maxPayload
}

/** Runs both over the chunks. @returns what they say; throws when they take too much */
function run(chunks: readonly Uint8Array[], input: Uint8Array, rules: Rules): { calls: unknown[]; facts: object } {
  const { platform, spent } = accounted()
  const end = new Endpoint(rules.role, { ...rules, platform, compression: compression(rules) }).receive(...chunks)
  const { words, ...facts } = observed(end)
  const most = mostMemory(input) + mostInflated(end, rules)
  if (spent() > most) throw new Error(`${spent()} bytes of memory for ${input.length} bytes of input`)
  if (end.log.length > input.length + 2) throw new Error(`${end.log.length} calls for ${input.length} bytes of input`)
  const recorded = recordParser({ ...rules, allowRsv1: rules.deflate !== undefined })
  for (const chunk of chunks) recorded.push(chunk)
  return { calls: wordless(recorded.calls), facts }
}

function judge(input: Uint8Array, rules: Rules): string {
  const facts = deserved(input, rules)
  const expected = { calls: deservedCalls(input, rules), facts }
  same('whole', run([input], input, rules), expected)
  for (const sizes of cuts(input)) same(`in chunks of ${sizes}`, run(cut(input, sizes), input, rules), expected)
  const kinds = [...new Set(facts.log.map(([kind]) => kind))].sort().join('+')
  const { code, cause } = facts.info as { code: number; cause?: string }
  return `${kinds} ${code} ${cause ?? 'clean'}`.trim()
}

/** Limits that are reached by inputs of this size, and the defaults. */
const LIMITS = { '': DEFAULT_RULES, '-limits': { maxPayload: 40, maxFragments: 3 } }

/** Agreements, with limits that bombs of this size reach. */
const COMPRESSED = {
  '-messages': {
    maxPayload: 20_000,
    maxFragments: 131_072,
    deflate: { takeover: true, windowBits: 15, engine: 'zlib' },
  },
  '-messages-limits': { maxPayload: 300, maxFragments: 4, deflate: { takeover: false, windowBits: 8, engine: 'zlib' } },
} as const

const ROLES = ['server', 'client'] as const

function target(name: string, corpus: string, rules: Rules, lines: readonly string[]): Target {
  return {
    name,
    corpus,
    prepare: (kept) => towards(rules.role, kept, rules.deflate),
    words: words(lines),
    judge: (input) => judge(input, rules),
    show: toHex,
  }
}

export const FRAME_TARGETS: readonly Target[] = ROLES.flatMap((role) => [
  ...Object.entries(LIMITS).map(([suffix, limits]) => target(role + suffix, 'frames', { role, ...limits }, WORDS)),
  ...Object.entries(COMPRESSED).map(([suffix, rules]) =>
    target(role + suffix, 'messages', { role, ...rules }, [...COMPRESSED_WORDS, ...COMPRESSED_WORDS, ...WORDS]),
  ),
])
