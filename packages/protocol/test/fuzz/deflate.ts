// What holds for every sequence of compressed messages: the engines give what the slow inflater gives, with each window,
// with and without takeover; it refuses nothing that the RFC allows, and takes nothing else but for the differences that
// the slow inflater lists; memory is bounded. What it compresses stays within the agreed window.
//
// An input: what is agreed (1 byte), level and memLevel (1 byte), then messages: how it is made (1 byte), its length (1 byte),
// its bytes. A message is raw, or zlib makes it of these bytes, repeated or far apart.

import { constants, deflateRawSync } from 'node:zlib'
import { toHex, utf8 } from '../support/bytes.ts'
import { DirectCompression } from '../support/compression.ts'
import { type InflateFault, type InflateRules, ReferenceInflater } from '../support/inflate.ts'
import { same, type Target } from './target.ts'

/** What the first byte of an input says. */
interface Agreed {
  readonly windowBits: number
  readonly takeover: boolean
  readonly limit: number
}

const LIMITS = [40_000, 20_000, 300, 0]

function readAgreed(byte: number): Agreed {
  return {
    windowBits: 8 + (byte & 7),
    takeover: (byte & 8) === 0,
    limit: LIMITS[(byte >> 4) & 3] ?? 0,
  }
}

interface Message {
  readonly payload: Uint8Array
  /** What was compressed, if it was zlib who did. */
  readonly data: Uint8Array | undefined
}

/** How often the bytes are repeated, and how many zeros lie between. */
const SHAPES: readonly (readonly [times: number, apart: number])[] = [
  [1, 0],
  [2, 0],
  [16, 0],
  [150, 0],
  [1024, 0],
  [2, 300],
  [2, 2000],
  [2, 20_000],
]
const MOST_DATA = 50_000

function shape(bytes: Uint8Array, [times, apart]: readonly [number, number]): Buffer {
  const unit = Buffer.concat([bytes, Buffer.alloc(apart)])
  return Buffer.concat(Array<Uint8Array>(times).fill(unit)).subarray(0, MOST_DATA)
}

/** The window that zlib uses as the sender, whatever was agreed: so distances beyond it come, too. */
const SENDER_BITS = 15

/** Makes the payload of a message as another sender would. `before` is what it sent last. */
function makeMessage(how: number, bytes: Uint8Array, before: Uint8Array): Message {
  if ((how & 3) < 2) return { payload: bytes, data: undefined }
  const data = shape(bytes, SHAPES[(how >> 2) & 7] ?? [1, 0])
  const final = (how & 3) === 3
  const flushed = deflateRawSync(data, {
    windowBits: SENDER_BITS,
    level: [0, 1, 6, 9][(how >> 5) & 3] ?? 6,
    strategy: how < 0x80 ? constants.Z_DEFAULT_STRATEGY : constants.Z_FIXED,
    finishFlush: final ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(before.length > 0 && { dictionary: before }),
  })
  return { payload: Uint8Array.from(final ? flushed : flushed.subarray(0, -4)), data }
}

/** The messages of an input: as made, one after the other. */
function* messages(input: Uint8Array): Generator<Message> {
  let before: Uint8Array = new Uint8Array(0)
  for (let at = 2; at + 1 < input.length; ) {
    const [how = 0, length = 0] = input.subarray(at, at + 2)
    const message = makeMessage(how, input.slice(at + 2, at + 2 + length), before)
    before = message.data ?? before
    yield message
    at += 2 + length
  }
}

/** What all inputs share: the scratch memory, which grows to the largest limit, a piece and some spare. */
const SHARED = 40_000 + 64 * 1024 + 1024
const PIECE = 64 * 1024

/** Inflates, and looks at what that takes. */
function bounded(codec: DirectCompression, payload: Uint8Array, { limit, windowBits }: Agreed) {
  const before = process.memoryUsage().arrayBuffers
  const inflated = codec.inflate(payload, limit)
  const grown = process.memoryUsage().arrayBuffers - before
  if (typeof inflated !== 'string' && inflated.length > limit) throw new Error(`${inflated.length} bytes of ${limit}`)
  const most = SHARED + limit + PIECE + 4 * 2 ** windowBits
  if (grown > most) throw new Error(`${grown} bytes of memory for a limit of ${limit} bytes`)
  return inflated
}

const shown = (inflated: Uint8Array | string): string => (typeof inflated === 'string' ? inflated : toHex(inflated))

/** How the RFC and the engine differ on a message; only in what the slow inflater lists. */
function difference(strict: Uint8Array | InflateFault, seen: Uint8Array | string): string {
  if (typeof strict !== 'string') same('what the RFC allows', shown(seen), shown(strict))
  if (shown(seen) === shown(strict)) return typeof seen === 'string' ? seen : 'ok'
  return `${typeof seen === 'string' ? seen : 'ok'}, by the RFC ${strict}`
}

function judge(input: Uint8Array): string {
  const [first = 0, levels = 0] = input
  const agreed = readAgreed(first)
  const { windowBits: bits, takeover } = agreed
  const receiver = new DirectCompression({ bits, takeover })
  const sender = new DirectCompression({ bits, takeover, level: (levels % 11) - 1, memLevel: 1 + ((levels >> 4) % 9) })
  try {
    return judgeWith(receiver, sender, input, agreed)
  } finally {
    receiver.close()
    sender.close()
  }
}

function judgeWith(receiver: DirectCompression, sender: DirectCompression, input: Uint8Array, agreed: Agreed): string {
  const rules: InflateRules = agreed
  const reference = new ReferenceInflater({ ...rules, engine: 'zlib' })
  const strict = new ReferenceInflater(rules)
  const peer = new ReferenceInflater({ ...rules, limit: MOST_DATA })
  const said: string[] = []
  for (const { payload, data } of messages(input)) {
    const seen = bounded(receiver, payload, agreed)
    same(`message ${said.length}`, shown(seen), shown(reference.inflate(payload)))
    said.push(difference(strict.inflate(payload), seen))
    if (said.at(-1)?.startsWith('ok,')) break // from here on their windows differ
    if (data === undefined) continue
    const sent = sender.deflate(data)
    if (sent !== undefined) same(`what is sent for message ${said.length}`, shown(peer.inflate(sent)), toHex(data))
  }
  return `${agreed.takeover ? '' : 'no takeover, '}${[...new Set(said)].join('; ')}`
}

/** What zlib makes of a text, as a raw message, at every level, window and strategy; each twice, for the window. */
function seeds(): Uint8Array[] {
  const text = utf8('{"id":1,"name":"item 1"},{"id":2,"name":"item 2"}, a window of messages, and again: a window')
  return [0, 1, 6, 9].flatMap((level) =>
    [0, 1, 2, 3, 4].flatMap((strategy) =>
      [9, 12, 15].map((windowBits) => {
        const flushed = deflateRawSync(text, { level, strategy, windowBits, finishFlush: constants.Z_SYNC_FLUSH })
        const message = [0, flushed.length - 4, ...flushed.subarray(0, -4)]
        return Uint8Array.from([windowBits - 8, level, ...message, ...message])
      }),
    ),
  )
}

const WORDS = [
  '0000ffff 000000ffff 010000ffff 0300 00 03 0104 f248cdc9c90700 f348cdc9c90700 f200110000 000500faff48656c6c6f00 010600f9ff',
  '0007f248cdc9c90700 0005f200110000 0007f348cdc9c90700 0001 00 0000 020161 0e0161 1e03616263 1f03616263 7e0178 fe0178 26026162',
  '0b000000 630060 05c0 edc1 7b00 0200 04c0 010100feff ffff',
]

const DEFLATE_WORDS: readonly Uint8Array[] = WORDS.join(' ')
  .split(' ')
  .map((word) => Uint8Array.from(Buffer.from(word, 'hex')))

export const DEFLATE_TARGET: Target = {
  name: 'deflate',
  corpus: 'deflate',
  seeds: seeds(),
  words: DEFLATE_WORDS,
  judge,
  show: toHex,
}
