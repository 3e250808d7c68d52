// Checks of single options. Rule: a wrong one throws at construction and says which option, what was expected, what came.

import { inspect } from 'node:util'
import { UsageError } from '@ws/protocol'

/** How much of a wrong value its error shows, in characters. */
const SHOWN = 80

/** Builds the error of a wrong option. */
export function wrongOption(name: string, expected: string, given: unknown): UsageError {
  const shown = inspect(given, { depth: 0, breakLength: Number.POSITIVE_INFINITY })
  return new UsageError(`option ${name} must be ${expected}; got ${shown.slice(0, SHOWN)}`)
}

/** Returns `value`, or `fallback` if it is undefined. @throws UsageError unless it is an integer from `least` to `most` */
export function integerOption(
  name: string,
  value: number | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw wrongOption(name, `an integer from ${least} to ${most}`, value)
}

/** Returns `value`, or `fallback` if it is undefined. @throws UsageError unless it is a boolean */
export function booleanOption(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? fallback
  throw wrongOption(name, 'a boolean', value)
}

/** Returns `value`. @throws UsageError unless it is a non-empty string or undefined */
export function textOption(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw wrongOption(name, 'a non-empty string', value)
}

/** Returns `value`. @throws UsageError unless it is a function or undefined */
export function functionOption<Hook>(name: string, value: Hook | undefined): Hook | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw wrongOption(name, 'a function', value)
}

/** Whether something is an object (or a function) that may have properties. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Returns what a hook answered. @throws UsageError unless it is a boolean: a promise would be taken for a yes */
export function booleanAnswer(hook: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw new UsageError(
    `the function given as option ${hook} must return a boolean; got ${inspect(answer, { depth: 0 })}`,
  )
}
