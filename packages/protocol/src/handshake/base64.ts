// Base64 (RFC 4648 §4) for the handshake's two header values: the key that a client makes, and the accept value.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BITS = 6

/** Encodes bytes, with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let pending = 0
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff
    pending += 8
    while (pending >= BITS) {
      pending -= BITS
      text += ALPHABET.charAt((bits >> pending) & 0x3f)
    }
  }
  if (pending > 0) text += ALPHABET.charAt((bits << (BITS - pending)) & 0x3f)
  return text.padEnd(Math.ceil(bytes.length / 3) * 4, '=')
}
