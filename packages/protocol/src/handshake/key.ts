// The key maths of the opening handshake (RFC 6455 §1.3, §4.1, §4.2.2): the client sends 16 random bytes in base64, the
// server proves that it understood by hashing that text with a fixed GUID.

import { type Platform, portablePlatform } from '../platform.ts'
import { encodeBase64 } from './base64.ts'

/** The GUID of §1.3. Copies with a letter O in place of a zero circulate: the RFC's sample in the tests pins this one. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const NONCE_SIZE = 16

/** 16 bytes in base64: 22 digits and two `=`. The last digit carries two bits of data; decoders ignore the other four. */
const KEY = /^[+/0-9A-Za-z]{22}==$/

/** Makes a fresh `Sec-WebSocket-Key`: 16 random bytes in base64 (RFC 6455 §4.1). */
export function generateKey(platform: Pick<Platform, 'randomFill'> = portablePlatform): string {
  const nonce = new Uint8Array(NONCE_SIZE)
  platform.randomFill(nonce)
  return encodeBase64(nonce)
}

/**
 * The `Sec-WebSocket-Accept` value for a key: base64 of SHA-1 over the key's text and the GUID (RFC 6455 §4.2.2).
 * @param key the key as it stood in the header, not decoded
 */
export function acceptKey(key: string, platform: Pick<Platform, 'sha1Base64'> = portablePlatform): string {
  return platform.sha1Base64(key + GUID)
}

/** Whether a header value is base64 of 16 bytes (§4.2.1). */
export function isKey(value: string): boolean {
  return KEY.test(value)
}
