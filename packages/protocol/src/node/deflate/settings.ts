// The option `perMessageDeflate`: checked once, the same at both ends.

import { type DeflateOptions, deflateParameters } from '../../deflate/negotiate.ts'
import type { DeflateParameters } from '../../deflate/parameters.ts'
import { usage } from '../../errors.ts'
import { integerOption } from '../../limits.ts'
import { Workload } from './workload.ts'

/** What may be set on compression (RFC 7692); docs/limits.md has the defaults. */
export interface PerMessageDeflateOptions extends DeflateOptions {
  /** Messages of fewer bytes are sent as they are; 1,024 by default. */
  readonly threshold?: number | undefined
  /** zlib's level: −1 (its default, 6), 0 (none) to 9 (most). */
  readonly level?: number | undefined
  /** zlib's memLevel: 1 to 9; 8 by default. */
  readonly memLevel?: number | undefined
  /** Messages of up to so many bytes are compressed and inflated within the turn, others in the thread pool; 32,768 by default. */
  readonly syncLimit?: number | undefined
}

/** The option, checked and complete. */
export interface DeflateSettings {
  /** What to offer, or to answer offers with. */
  readonly offer: DeflateParameters
  readonly threshold: number
  readonly level: number
  readonly memLevel: number
  readonly syncLimit: number
  /** What the connections of these settings have to do at once and in the thread pool. */
  readonly workload: Workload
}

/** Below this many bytes compressing costs more than it saves. */
const DEFAULT_THRESHOLD = 1024
/** zlib's own choice, which is 6. */
const DEFAULT_LEVEL: number = -1
const DEFAULT_MEM_LEVEL = 8
/** Half a millisecond of compressing; going to the thread pool costs a tenth of that. */
const DEFAULT_SYNC_LIMIT: number = 32 * 1024
/** A turn of 20 ms. */
const LARGEST_SYNC_LIMIT: number = 1024 * 1024
const BEST_COMPRESSION = 9

/** Checks the option; `undefined` for none. @throws UsageError that names it, what was expected and what came */
export function deflateSettings(given: PerMessageDeflateOptions | boolean = false): DeflateSettings | undefined {
  if (given === false) return undefined
  if (given !== true && (typeof given !== 'object' || given === null)) {
    throw usage('option perMessageDeflate', 'a boolean or an object', given)
  }
  const options: PerMessageDeflateOptions = given === true ? {} : given
  const syncLimit = integerOption(
    'perMessageDeflate.syncLimit',
    options.syncLimit,
    DEFAULT_SYNC_LIMIT,
    0,
    LARGEST_SYNC_LIMIT,
  )
  return {
    offer: deflateParameters(options),
    threshold: integerOption('perMessageDeflate.threshold', options.threshold, DEFAULT_THRESHOLD),
    level: integerOption('perMessageDeflate.level', options.level, DEFAULT_LEVEL, -1, BEST_COMPRESSION),
    memLevel: integerOption('perMessageDeflate.memLevel', options.memLevel, DEFAULT_MEM_LEVEL, 1, BEST_COMPRESSION),
    syncLimit,
    workload: new Workload(syncLimit),
  }
}
