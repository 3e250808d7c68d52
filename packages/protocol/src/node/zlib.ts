// The DEFLATE engine of Node: zlib, one call a message. The window of earlier messages comes as the dictionary, so there
// is no handle that would have to be kept or closed.

import { constants, deflateRawSync, type InflateRaw, inflateRawSync } from 'node:zlib'
import type { DeflateEngine } from '../deflate/codec.ts'

/** zlib's raw deflate takes no window of 256 bytes. With 512 its distances stay under 251: it looks ahead 262 bytes. */
const LEAST_DEFLATE_BITS = 9

/** With `info`, Node also gives the engine, which knows how much of the input was used. */
interface WithInfo {
  readonly buffer: Buffer
  readonly engine: InflateRaw
}

export const zlibEngine: DeflateEngine = {
  deflate(input, { windowBits, dictionary, level, memLevel }) {
    return deflateRawSync(input, {
      windowBits: Math.max(windowBits, LEAST_DEFLATE_BITS),
      level,
      memLevel,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(dictionary.length > 0 && { dictionary }),
    })
  },

  inflate(input, { windowBits, dictionary, limit }) {
    // zlib takes no limit of 0; the one byte too many is caught below.
    const options = { windowBits, maxOutputLength: Math.max(limit, 1), info: true }
    try {
      const inflated: unknown = inflateRawSync(input, dictionary.length > 0 ? { ...options, dictionary } : options)
      const { buffer, engine } = inflated as WithInfo
      return buffer.length > limit ? 'too-big' : { output: buffer, consumed: engine.bytesWritten }
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-big' : 'invalid'
    }
  },
}
