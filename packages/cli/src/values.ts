// The values of options and arguments. Rule: a wrong one is refused with what was expected and what came.

import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'

/** The longest time that a timer of Node can wait, in seconds. */
const LONGEST = 2_147_483

interface Bounds {
  readonly least: number
  readonly most: number
}

/** A whole number, written in digits. */
export function integer({ least, most }: Bounds): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}; got '${text}'`)
  }
}

/** A time in seconds, fractions too. */
export function seconds(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number > 0 && number <= LONGEST) return number
  throw new InvalidArgumentError(`expected seconds, more than 0 and at most ${LONGEST}; got '${text}'`)
}

/** The same with 0. */
export function secondsOrNone(text: string): number {
  return /^0+(\.0+)?$/.test(text) ? 0 : seconds(text)
}

/** The same with `forever`. */
export function secondsOrForever(text: string): number {
  return text === 'forever' ? Number.POSITIVE_INFINITY : secondsOrNone(text)
}

/** One more `Name: value`. */
export function header(text: string, others: readonly (readonly [string, string])[] = []): [string, string][] {
  const [, name, value] = /^([^:\s]+):[ \t]*(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError(`expected 'Name: value'; got '${text}'`)
  return [...others.map(([name, value]): [string, string] => [name, value]), [name, value]]
}

/** One more of a list. */
export function another(text: string, others: readonly string[] = []): string[] {
  return [...others, text]
}

/** The text of a PEM file. */
export function pemFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch (error) {
    throw new InvalidArgumentError(`expected a file that can be read; got ${(error as Error).message}`)
  }
  if (text.includes('-----BEGIN ')) return text
  throw new InvalidArgumentError(`expected a file in PEM (-----BEGIN …); got ${path}, which has other content`)
}
