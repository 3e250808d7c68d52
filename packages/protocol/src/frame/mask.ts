// Masking (RFC 6455 §5.3): octet i of the payload is XORed with octet i mod 4 of the key; applying it twice gives the
// original back. This is the plain version: the default of the portable platform, and the oracle of every faster one.

/** Applies a masking key to bytes. See {@link applyMask}. */
export type ApplyMask = (bytes: Uint8Array, start: number, end: number, key: number, phase: number) => void

/**
 * Masks or unmasks `bytes[start, end)` in place (RFC 6455 §5.3).
 * @param key the masking key as a 32-bit integer, its first octet on the wire being the most significant
 * @param phase how many octets of this payload came before `start` (only its value modulo 4 counts)
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): void {
  const turned = rotateKey(key, phase)
  const k0 = turned >>> 24
  const k1 = (turned >>> 16) & 0xff
  const k2 = (turned >>> 8) & 0xff
  const k3 = turned & 0xff
  let at = start
  for (const whole = start + ((end - start) & ~3); at < whole; at += 4) {
    bytes[at] ^= k0
    bytes[at + 1] ^= k1
    bytes[at + 2] ^= k2
    bytes[at + 3] ^= k3
  }
  if (at < end) bytes[at++] ^= k0
  if (at < end) bytes[at++] ^= k1
  if (at < end) bytes[at] ^= k2
}

/** The key as it applies from octet `phase` of the payload on. */
export function rotateKey(key: number, phase: number): number {
  const bits = (phase & 3) << 3
  return bits === 0 ? key : (key << bits) | (key >>> (32 - bits))
}
