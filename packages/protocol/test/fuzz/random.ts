// Mutations of bytes.

import { pick, type Random } from '@ws/testkit'

/** Longer ones say nothing new and take the reference long. */
const MAX_LENGTH = 600

/** Changes a few bytes; `words` are what the grammar of the input is made of, `other` is another input. */
export function mutate(random: Random, input: Uint8Array, other: Uint8Array, words: readonly Uint8Array[]): Uint8Array {
  let bytes = [...input]
  for (let left = 1 + random(4); left > 0; left--) bytes = mutateOnce(random, bytes, other, words)
  return Uint8Array.from(bytes.slice(0, MAX_LENGTH))
}

function mutateOnce(random: Random, bytes: number[], other: Uint8Array, words: readonly Uint8Array[]): number[] {
  const at = random(bytes.length + 1)
  const size = 1 + random(8)
  const byte = bytes[at] ?? 0
  const replaced = (count: number, ...by: readonly number[]): number[] => bytes.toSpliced(at, count, ...by)
  switch (random(12)) {
    case 0:
      return replaced(1, byte ^ (1 << random(8)))
    case 1:
      return replaced(1, random(256))
    case 2:
      return replaced(1, (byte + pick(random, [1, 255])) & 0xff)
    case 3:
      return replaced(0, random(256))
    case 4:
      return replaced(size)
    case 5:
      return replaced(0, ...bytes.slice(at, at + size))
    case 6:
      return [...bytes.slice(0, at), ...other.subarray(random(other.length + 1))]
    case 7:
      return bytes.slice(0, at)
    default:
      return replaced(random(2) * size, ...pick(random, words))
  }
}
