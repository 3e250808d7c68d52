// Which requests are a server's: the option `path`. A rule that matches also says what varied in the path. Rules:
// - A string is compared with the path alone, a URLPattern with the whole URL that the client asked for, a function decides.
// - A function that answers no boolean is a fault (500): a promise would be taken for a yes.

import { type UpgradeRequest, usage } from '@ws/protocol/node'
import { HOST_PATTERN, hostOf } from './origin.ts'
import { PATH_EXPECTED, type PathParams, pathMatcher } from './pattern.ts'
import { AUTHORITY, pathnameOf } from './request.ts'
import { booleanAnswer, isObject } from './validate.ts'

/** Whether a server is for requests with this path. */
export type PathRule = (pathname: string, request: UpgradeRequest) => boolean

/** What is used of a URLPattern: the platform's (Node 24) and that of the package `urlpattern-polyfill` have it. */
export interface PathPattern {
  exec(url: string): { readonly pathname: { readonly groups: PathParams } } | null
  readonly pathname: string
}

/** Which requests are a server's; see {@link PathRule} and {@link PathPattern}. */
export type PathOption = string | PathPattern | PathRule

/** A request that is on its way to a server. */
type Routed = UpgradeRequest & { params: PathParams }

/** Whether a request is for a server; notes in it what varied in its path. */
export type OnPath = (request: Routed) => boolean

/**
 * Makes the rule that an option asks for.
 * @param trustProxy whether a proxy in front says in `X-Forwarded-Host` which `Host` it was asked for
 * @throws UsageError if `path` is none of what it may be
 */
export function pathRule(path: PathOption | undefined, trustProxy: boolean): OnPath {
  if (path === undefined) return () => true
  if (typeof path === 'function') return (request) => booleanAnswer('path', path(pathnameOf(request.url), request))
  if (isPattern(path)) return matching((request) => exec(path, urlOf(request, trustProxy)))
  if (typeof path !== 'string') throw usage('option path', PATH_EXPECTED, path)
  const match = pathMatcher(path)
  return matching(({ url }) => match(pathnameOf(url)))
}

function matching(match: (request: UpgradeRequest) => PathParams | undefined): OnPath {
  return (request) => {
    const params = match(request)
    if (params === undefined) return false
    request.params = params
    return true
  }
}

/** A regular expression has an `exec` too, for other strings. */
function isPattern(path: unknown): path is PathPattern {
  const { exec, pathname } = (isObject(path) ? path : {}) as Partial<PathPattern>
  return typeof exec === 'function' && typeof pathname === 'string'
}

function exec(pattern: PathPattern, url: string | undefined): PathParams | undefined {
  return url === undefined ? undefined : pattern.exec(url)?.pathname.groups
}

/** What may follow the authority of a URL. */
const TARGET = /^(?:[/?]|$)/

/** The URL that the client asked for; `undefined` if host and target make none: nothing of one may be taken for the other. */
function urlOf({ headers, url, encrypted }: UpgradeRequest, trustProxy: boolean): string | undefined {
  const host = hostOf(headers, trustProxy) ?? ''
  const target = url.replace(AUTHORITY, '')
  if (!HOST_PATTERN.test(host) || !TARGET.test(target)) return undefined
  return `${encrypted ? 'wss' : 'ws'}://${host}${target}`
}
