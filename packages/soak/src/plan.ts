// Who comes when: each of the places of the crowd has its own endless list of visits, which the seed and the number of the place
// give and nothing else. A visit has a seed of its own, so that what a visitor does is the same whatever the others do; when it does it
// is up to the network.

import { seeded } from '@ws/testkit'

/** How often each kind of visitor comes. Guests stay for seconds, most of the others for less. */
const WEIGHTS = {
  /** Our `connect()`, well-behaved. */
  guest: 300,
  /** A well-behaved peer made by hand, with fragments, odd chunks and pings. */
  'raw guest': 150,
  /** A case of the conformance catalogue: a conversation that is right, or a rule that is broken. */
  case: 150,
  /** A handshake of the catalogue that is refused. */
  'bad request': 50,
  leaves: 100,
  resets: 50,
  garbage: 30,
  'half a handshake': 50,
  silent: 60,
  'half a message': 40,
  'ignores close': 30,
  // These move megabytes each.
  floods: 10,
  stalls: 5,
  oversize: 5,
  bomb: 3,
} as const

export type Kind = keyof typeof WEIGHTS

export interface Visit {
  readonly kind: Kind
  readonly seed: number
}

const KINDS: readonly Kind[] = Object.entries(WEIGHTS).flatMap(([kind, times]) => Array(times).fill(kind))
const SEEDS = 2 ** 31
/** Neighbouring seeds give unlike lists. */
const SPREAD = 0x9e37_79b1

/** The visits of one place, one after the other. */
export function* visitsOf(seed: number, place: number): Generator<Visit, never> {
  const random = seeded(Math.imul(seed + 1, SPREAD) ^ Math.imul(place + 1, SPREAD ^ 0xff))
  for (;;) yield { kind: KINDS[random(KINDS.length)] as Kind, seed: random(SEEDS) }
}
