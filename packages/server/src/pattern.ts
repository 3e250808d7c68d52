// Paths with parts that vary, written as URLPattern (WHATWG) writes a pathname: `:name` is one segment, `*` is whatever is there.
// Rules:
// - A part of that syntax is spoken, and means the same there. The rest of it is refused at construction, as is what a URL
//   never has in its path.
// - Whatever path is asked for, matching takes linear time: a name is a whole segment, and there is one `*` at most.
// - A path is matched as sent: nothing is decoded, and `..` is a segment like any other.

import { type UpgradeRequest, usage } from '@ws/protocol/node'

/** The parts of a path that vary, as sent: by name, and as `'0'` what stands for `*`. */
export type PathParams = UpgradeRequest['params']

/** @returns what varies, or undefined if the path does not match */
export type PathMatcher = (pathname: string) => PathParams | undefined

export const NO_PARAMS: PathParams = Object.freeze({})

/** The other signs of URLPattern; what ends a path; what URLs encode, except letters of other alphabets. */
const UNSPOKEN = /[(){}+\\?#\s"<>^`\p{Cc}\p{Cs}]/u
const NAME = /^:([A-Za-z_$][\w$]*)$/
export const PATH_EXPECTED = "a path such as '/chat', '/rooms/:room' or '/files/*', a URLPattern or a function"

/** Compiles a path. @throws UsageError if it is none */
export function pathMatcher(given: string): PathMatcher {
  if (!given.startsWith('/') || UNSPOKEN.test(given)) throw usage('option path', PATH_EXPECTED, given)
  const path = given.replace(/[^!-~]+/g, encodeURIComponent)
  if (!/[:*]/.test(path)) return (pathname) => (pathname === path ? NO_PARAMS : undefined)
  const names: string[] = []
  const pattern = new RegExp(`^${path.split('/').map(sourceOf).join('/')}$`)
  if (new Set(names).size < names.length) throw usage('option path', PATH_EXPECTED, given)
  return (pathname) => {
    const values = pattern.exec(pathname)
    if (values === null) return undefined
    return Object.fromEntries(names.map((name, index) => [name, values[index + 1]]))
  }

  function sourceOf(segment: string): string {
    const [, name] = NAME.exec(segment) ?? []
    if (name === undefined && segment.includes(':')) throw usage('option path', PATH_EXPECTED, given)
    if (name !== undefined) names.push(name)
    return name !== undefined ? '([^/]+)' : segment.replace(/[$.|[\]*]/g, signSource)
  }

  function signSource(sign: string): string {
    if (sign !== '*') return `\\${sign}`
    names.push('0')
    return '(.*)'
  }
}
