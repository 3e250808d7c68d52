// What guests and server say to each other: messages with a kind, a number and a checksum, as text or as bytes. Whoever gets one
// sees whether it is the one that was due, and whole.

import { Buffer } from 'node:buffer'

/** `ask`: to be sent back as it is. `hello` and `bye` frame what the server says: see the application. */
export type Kind = 'ask' | 'hello' | 'news' | 'bye'

export interface Stamped {
  readonly kind: string
  readonly number: number
  readonly body: string
  /** Whether the body is what its checksum says. */
  readonly intact: boolean
}

/** The last word of a guest; the server answers it by `bye`. */
export const FAREWELL = 'farewell'

const HEAD = /^([a-z]+) (\d+) (\d+) /
const LONGEST_HEAD = 40
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** A message that can be checked: text if its body is, else bytes. */
export function stamp(kind: Kind, number: number, body: string): string
export function stamp(kind: Kind, number: number, body: string | Buffer): string | Buffer
export function stamp(kind: Kind, number: number, body: string | Buffer): string | Buffer {
  const head = `${kind} ${number} ${checksum(body)} `
  return typeof body === 'string' ? head + body : Buffer.concat([Buffer.from(head), body])
}

/** Reads a message; `undefined` if it is none of these. */
export function readStamp(message: string | Buffer): Stamped | undefined {
  const start = typeof message === 'string' ? message : message.toString('latin1', 0, LONGEST_HEAD)
  const [head, kind, number, sum] = HEAD.exec(start) ?? []
  if (head === undefined || kind === undefined) return undefined
  const body = typeof message === 'string' ? message.slice(head.length) : message.subarray(head.length)
  return { kind, number: Number(number), body: String(body), intact: checksum(body) === Number(sum) }
}

/** FNV-1a over the bytes. */
function checksum(body: string | Buffer): number {
  let sum = FNV_OFFSET
  for (const byte of typeof body === 'string' ? Buffer.from(body) : body) sum = Math.imul(sum ^ byte, FNV_PRIME)
  return sum >>> 0
}
