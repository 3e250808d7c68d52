// The one way to say that an option is wrong: which, what was expected, what came.

import { inspect } from 'node:util'
import { UsageError } from '@ws/protocol'

/** Makes the error to throw. */
export function wrongOption(name: string, expected: string, given: unknown): UsageError {
  return new UsageError(`option ${name} must be ${expected}; got ${inspect(given, { depth: 0, maxStringLength: 60 })}`)
}
