// The platform of Node: native SHA-1, randomness, UTF-8 check and decoding. The portable platform of the core is its oracle.

import { isUtf8 } from 'node:buffer'
import { createHash, randomFillSync } from 'node:crypto'
import { applyMask } from '../frame/mask.ts'
import { maskingKeySource, type Platform } from '../platform.ts'

/** From this size on a message has memory of its own, so that keeping it does not keep a shared pool alive. */
const OWN_ALLOCATION = 1024

/** Node's own means; the results are those of the portable platform. */
export const nodePlatform: Platform = {
  sha1: (data) => createHash('sha1').update(data).digest(),
  randomFill: (target) => {
    randomFillSync(target)
  },
  maskingKey: maskingKeySource((target) => {
    randomFillSync(target)
  }),
  applyMask,
  isUtf8: (bytes, start, end) => isUtf8(bytes.subarray(start, end)),
  decodeUtf8: (bytes, start, end) => asBuffer(bytes).toString('utf8', start, end),
  encodeUtf8: (text) => Buffer.from(text),
  allocate: (size) => (size < OWN_ALLOCATION ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)),
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
