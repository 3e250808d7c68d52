// Checks of single options. Rule: a wrong one throws at construction and says which option, what was expected, what came.

import { usage } from '@ws/protocol/node'

/** Returns `value`, or `fallback` if it is undefined. @throws UsageError unless it is a boolean */
export function booleanOption(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? fallback
  throw usage(`option ${name}`, 'a boolean', value)
}

/** Returns `value`. @throws UsageError unless it is a non-empty string or undefined */
export function textOption(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw usage(`option ${name}`, 'a non-empty string', value)
}

/** Returns `value`. @throws UsageError unless it is a function or undefined */
export function functionOption<Hook>(name: string, value: Hook | undefined): Hook | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw usage(`option ${name}`, 'a function', value)
}

/** Whether something is an object (or a function) that may have properties. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Returns what a hook answered. @throws UsageError unless it is a boolean: a promise would be taken for a yes */
export function booleanAnswer(hook: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw usage(`the answer of the function given as option ${hook}`, 'a boolean', answer)
}
