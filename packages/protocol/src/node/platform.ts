// The platform of Node: native SHA-1, randomness, UTF-8 check and decoding, masking in WebAssembly. The portable platform
// of the core is its oracle.

import { Buffer, isUtf8 } from 'node:buffer'
import * as crypto from 'node:crypto'
import { maskingKeySource, type Platform } from '../platform.ts'
import { allocate, copy } from './pool.ts'
import { applyMask, isKnownAscii } from './window.ts'

/** Node's own means; the results are those of the portable platform. */
export const nodePlatform: Platform = {
  sha1Base64,
  randomFill: (target) => {
    crypto.randomFillSync(target)
  },
  maskingKey: maskingKeySource((target) => {
    crypto.randomFillSync(target)
  }),
  applyMask,
  isUtf8: (bytes, start, end) => isUtf8(bytes.subarray(start, end)),
  decodeUtf8: (bytes, start, end) => asBuffer(bytes).toString('utf8', start, end),
  decodeText: (bytes, start, end) => {
    if (isKnownAscii(bytes, start, end)) return (bytes as Buffer).toString('latin1', start, end)
    return isUtf8(bytes.subarray(start, end)) ? asBuffer(bytes).toString('utf8', start, end) : undefined
  },
  encodeUtf8: (text) => Buffer.from(text),
  allocate,
  copy,
}

/** Node 20.12 and later hash in one call, at a fraction of the cost. */
type OneCall = (algorithm: string, data: string, encoding: 'base64') => string
const hash: OneCall | undefined = (crypto as { hash?: OneCall }).hash

function sha1Base64(text: string): string {
  return hash === undefined ? crypto.createHash('sha1').update(text).digest('base64') : hash('sha1', text, 'base64')
}

/** Hands messages out where they lie: they hold as long as the chunk that they came in. */
export const borrowingPlatform: Platform = {
  ...nodePlatform,
  copy: (bytes, start, end) => asBuffer(bytes).subarray(start, end),
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
