// What the compression cases agree on, and short names for what the peer sends.

import type { Compression, Kind, Payload, SentMessage } from '../../case.ts'

const LARGEST = 15
export const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15] as const
/** RSV1, of the three reserved bits. */
export const RSV1 = 4

/** Takeover modes, by who keeps the window. */
export const TAKEOVER = [
  { name: 'both', target: true, peer: true },
  { name: 'target', target: true, peer: false },
  { name: 'peer', target: false, peer: true },
  { name: 'none', target: false, peer: false },
] as const

export function agreed(
  targetBits: number = LARGEST,
  peerBits: number = LARGEST,
  takeover: { readonly target: boolean; readonly peer: boolean } = TAKEOVER[0],
): Compression {
  return {
    target: { bits: targetBits, takeover: takeover.target },
    peer: { bits: peerBits, takeover: takeover.peer },
  }
}

/** The largest windows, and takeover both ways. */
export const FULL: Compression = agreed()
/** The largest windows, and takeover neither way. */
export const ALONE: Compression = agreed(LARGEST, LARGEST, TAKEOVER[3])

const BINARY_KINDS: readonly Kind[] = ['records', 'random']

function opcodeOf(kind: Kind): 1 | 2 {
  return BINARY_KINDS.includes(kind) ? 2 : 1
}

export function generated(kind: Kind, size: number, seed = 1): { kind: Kind; size: number; seed: number } {
  return { kind, size, seed }
}

/** A compressed message of generated data. */
export function data(kind: Kind, size: number, seed = 1, extra: Partial<SentMessage> = {}): SentMessage {
  return { opcode: opcodeOf(kind), content: generated(kind, size, seed), ...extra }
}

/** A compressed message of text. */
export function words(content: string | Payload, extra: Partial<SentMessage> = {}): SentMessage {
  return { opcode: 1, content: typeof content === 'string' ? Buffer.from(content) : content, ...extra }
}
