// What messages are filled with: pieces of a text that compresses, and of bytes that do not.

import { Buffer } from 'node:buffer'
import { pick, type Random, seeded } from '@ws/testkit'

const LARGEST = 300_000
const WORDS = [
  'left',
  'right',
  'up',
  'down',
  'in',
  'out',
  'over',
  'under',
  'charm',
  'strange',
  '{"id":',
  '},{',
  '\n',
  'é',
]
const FIRST = seeded(1)
const TEXT = Array.from({ length: LARGEST / 2 }, () => pick(FIRST, WORDS)).join(' ')
const BYTES = Buffer.from(Array.from({ length: 2 * LARGEST }, () => FIRST(256)))

/** Sizes around the bounds of the frame's forms, of compression's threshold and of the high-water mark; large ones are rare. */
const SIZES = [0, 1, 20, 125, 126, 127, 500, 1_000, 1_100, 4_000, 20_000, 65_535, 65_536, 70_000]
const SMALL = 11

export function body(random: Random): string | Buffer {
  const size = random(500) === 0 ? LARGEST : pick(random, random(10) === 0 ? SIZES : SIZES.slice(0, SMALL))
  const start = random(LARGEST)
  return random(2) === 0 ? TEXT.slice(start, start + size) : BYTES.subarray(start, start + size)
}
