// Payloads as bytes. Generated ones are of kinds that compress differently, and the same for the same seed.

import type { Kind, Payload } from './case.ts'

const WORDS =
  'the quick brown fox jumps over a lazy dog while seven wizards box five dozen liquor jugs and nobody pays'.split(' ')
const SCRIPTS = [...'κόσμε жизнь 日本語テキスト العربية हिन्दी 🎈🎉🚀🌍 žluťoučký kůň øåæß ', ...'ascii between them']
const REPEATED = 1_000
const RECORD = 16

type Random = (below: number) => number

/** Generated payloads are made once: many cases share them. */
const made = new WeakMap<Payload, Uint8Array>()

/** The payload's bytes. */
export function materialize(payload: Payload): Uint8Array {
  if (payload instanceof Uint8Array) return payload
  if ('fill' in payload) return new Uint8Array(payload.size).fill(payload.fill)
  const bytes = made.get(payload) ?? GENERATORS[payload.kind](payload.size, randomFrom(payload.seed))
  made.set(payload, bytes)
  return bytes
}

const GENERATORS: Readonly<Record<Kind, (size: number, random: Random) => Uint8Array>> = {
  prose: (size, random) => texts(size, () => `${WORDS[random(WORDS.length)]} `),
  json: (size, random) =>
    texts(size, () => `{"id":${random(1e6)},"user":"u${random(999)}","online":${random(2) === 0},"tags":["a","b"]},`),
  utf8: (size, random) => texts(size, () => SCRIPTS[random(SCRIPTS.length)] as string),
  repeats: (size, random) => {
    const period = texts(REPEATED, () => String.fromCharCode(33 + random(90)))
    return Uint8Array.from({ length: size }, (_, at) => period[at % REPEATED] as number)
  },
  records: (size, random) =>
    Uint8Array.from({ length: size }, (_, at) => (at % RECORD < 2 ? random(256) : at % RECORD)),
  random: (size, random) => Uint8Array.from({ length: size }, () => random(256)),
}

/** Whole pieces of text up to `size` bytes, filled up with dots. */
function texts(size: number, piece: () => string): Uint8Array {
  const bytes = new Uint8Array(size).fill(0x2e)
  let at = 0
  for (let next = Buffer.from(piece()); at + next.length <= size; next = Buffer.from(piece())) {
    bytes.set(next, at)
    at += next.length
  }
  return bytes
}

/** A linear congruential generator, its lower bits left out. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
