// The option `perMessageDeflate`: checked once, the same at both ends.

import { DEFAULT_LEVEL, DEFAULT_MEM_LEVEL, DEFAULT_THRESHOLD, type MessageCompression } from '../deflate/codec.ts'
import { type DeflateOptions, deflateParameters } from '../deflate/negotiate.ts'
import type { DeflateParameters } from '../deflate/parameters.ts'
import { usage } from '../errors.ts'
import { integerOption } from '../limits.ts'
import { zlibEngine } from './zlib.ts'

/** What may be set on compression (RFC 7692); docs/limits.md has the defaults. */
export interface PerMessageDeflateOptions extends DeflateOptions {
  /** Messages of fewer bytes are sent as they are; 1,024 by default. */
  readonly threshold?: number | undefined
  /** zlib's level: −1 (its default, 6), 0 (none) to 9 (most). */
  readonly level?: number | undefined
  /** zlib's memLevel: 1 to 9; 8 by default. */
  readonly memLevel?: number | undefined
}

/** The option, checked and complete. */
export interface DeflateSettings {
  /** What to offer, or to answer offers with. */
  readonly offer: DeflateParameters
  readonly threshold: number
  readonly level: number
  readonly memLevel: number
}

const BEST_COMPRESSION = 9

/** Checks the option; `undefined` for none. @throws UsageError that names it, what was expected and what came */
export function deflateSettings(given: PerMessageDeflateOptions | boolean = false): DeflateSettings | undefined {
  if (given === false) return undefined
  if (given !== true && (typeof given !== 'object' || given === null)) {
    throw usage('option perMessageDeflate', 'a boolean or an object', given)
  }
  const options: PerMessageDeflateOptions = given === true ? {} : given
  return {
    offer: deflateParameters(options),
    threshold: integerOption('perMessageDeflate.threshold', options.threshold, DEFAULT_THRESHOLD),
    level: integerOption('perMessageDeflate.level', options.level, DEFAULT_LEVEL, -1, BEST_COMPRESSION),
    memLevel: integerOption('perMessageDeflate.memLevel', options.memLevel, DEFAULT_MEM_LEVEL, 1, BEST_COMPRESSION),
  }
}

/** What a connection needs once both sides have agreed; `undefined` if they have not. */
export function messageCompression(
  settings: DeflateSettings | undefined,
  parameters: DeflateParameters | undefined,
): MessageCompression | undefined {
  if (settings === undefined || parameters === undefined) return undefined
  const { threshold, level, memLevel } = settings
  return { parameters, engine: zlibEngine, threshold, level, memLevel }
}
