// The seam between the core and the machine below it. Everything here has a portable default in plain TypeScript, which
// is also the oracle of the native versions of `@ws/protocol/node`; only randomness has no weak default (§5.3, §10.3).

import { WebSocketError } from './errors.ts'
import { applyMask } from './frame/mask.ts'
import { encodeBase64 } from './handshake/base64.ts'
import { sha1 } from './handshake/sha1.ts'
import { decodeUtf8, encodeUtf8, isUtf8 } from './message/utf8.ts'

/** What the core asks of the machine. Every part may be replaced by a faster one that gives the same results. */
export interface Platform {
  /** The SHA-1 digest of text in ASCII, written in base64: the accept value (RFC 6455 §4.2.2). */
  sha1Base64(text: string): string
  /** Fills `target` from a cryptographically strong source. */
  randomFill(target: Uint8Array): void
  /** A fresh, unpredictable masking key as a 32-bit integer (§5.3). */
  maskingKey(): number
  /** Masks or unmasks `bytes[start, end)` in place. */
  applyMask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): void
  /** Whether `bytes[start, end)` is a whole valid UTF-8 text. */
  isUtf8(bytes: Uint8Array, start: number, end: number): boolean
  /** Decodes validated UTF-8; a leading U+FEFF stays. */
  decodeUtf8(bytes: Uint8Array, start: number, end: number): string
  /** Checks and decodes UTF-8 in one: the text, with a leading U+FEFF kept, or `undefined` if it is not valid. */
  decodeText(bytes: Uint8Array, start: number, end: number): string | undefined
  /** Encodes text; a lone surrogate becomes U+FFFD. */
  encodeUtf8(text: string): Uint8Array
  /** Uninitialised or zeroed memory of `size` bytes that nothing else will write to. */
  allocate(size: number): Uint8Array
  /** A copy of `bytes[start, end)` in such memory. */
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array
}

/** The part of the Web Crypto interface that we use; every current runtime has it. */
interface StrongRandom {
  getRandomValues(target: Uint8Array): Uint8Array
}

function fillFromWebCrypto(target: Uint8Array): void {
  const { crypto } = globalThis as { crypto?: StrongRandom }
  if (crypto === undefined) {
    throw new WebSocketError('NO_RANDOMNESS', 'no globalThis.crypto here: pass a platform with randomFill()')
  }
  crypto.getRandomValues(target)
}

/** How many masking keys are drawn at once: 4 KiB of randomness, well under Web Crypto's 65,536 bytes a call. */
const KEYS_AT_ONCE = 1024

/** Makes a source of masking keys that draws its randomness in blocks: a draw costs far more than a key. */
export function maskingKeySource(randomFill: (target: Uint8Array) => void): () => number {
  const bytes = new Uint8Array(4 * KEYS_AT_ONCE)
  const view = new DataView(bytes.buffer)
  let next = KEYS_AT_ONCE
  return () => {
    if (next === KEYS_AT_ONCE) {
      randomFill(bytes)
      next = 0
    }
    return view.getInt32(4 * next++)
  }
}

/** The default: nothing but the language and, for randomness, `globalThis.crypto`. */
export const portablePlatform: Platform = {
  sha1Base64: (text) => encodeBase64(sha1(encodeUtf8(text))),
  randomFill: fillFromWebCrypto,
  maskingKey: maskingKeySource(fillFromWebCrypto),
  applyMask,
  isUtf8,
  decodeUtf8,
  decodeText: (bytes, start, end) => (isUtf8(bytes, start, end) ? decodeUtf8(bytes, start, end) : undefined),
  encodeUtf8,
  allocate: (size) => new Uint8Array(size),
  copy: (bytes, start, end) => bytes.slice(start, end),
}
