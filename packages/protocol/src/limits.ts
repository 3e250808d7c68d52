// Checking the numbers that callers give: a nonsensical limit throws at construction and says what was expected.

import { usage } from './errors.ts'

/**
 * The largest `maxPayload`, in bytes: the longest string of V8 on 64-bit machines, so that a text message that the limit
 * lets through can always be made.
 */
export const LARGEST_MAX_PAYLOAD = 0x1fff_ffe8

/** The longest delay that a timer takes, of Node and of browsers, in ms: about 24.8 days. */
export const LONGEST_DELAY = 0x7fff_ffff

/** Returns `value`, or `fallback` if it is undefined. @throws UsageError unless it is an integer from `least` to `most` */
export function integerOption(
  name: string,
  value: number | undefined,
  fallback: number,
  least = 0,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return fallback
  if (!Number.isInteger(value) || value < least || value > most) {
    throw usage(`option ${name}`, `an integer from ${least} to ${most}`, value)
  }
  return value
}
