// Who may open a connection from a web page. A browser lets any page open a WebSocket to any server, cookies included, and
// says in `Origin` which page it was; checking that is up to the server (RFC 6455 §10.2). Pure. Rules:
// - By default only pages of the same origin may: host and effective port of `Origin` must be those of `Host`. The scheme
//   is not compared, since TLS may end at a proxy in front; so it is also what tells the default port of `Host`.
// - A request without `Origin` does not come from a web page and is not judged here.
// - What cannot be parsed is refused, and no function of the application is asked about it.

import type { IncomingHttpHeaders } from 'node:http'
import { type UpgradeRequest, usage } from '@ws/protocol/node'
import { booleanAnswer } from './validate.ts'

/** Decides whether pages of `origin` may connect. */
export type OriginRule = (origin: string, request: UpgradeRequest) => boolean

/** See {@link OriginRule}; a list holds exact origins, `'*'` allows all. */
export type OriginsOption = readonly string[] | '*' | OriginRule

interface Origin {
  readonly scheme: string
  readonly host: string
  readonly port: number | undefined
}

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ws', 80],
  ['wss', 443],
])

/** A serialised origin (RFC 6454 §6.2), and the value of a `Host` header (RFC 9110 §7.2): names in ASCII, IPv6 in brackets. */
const HOST = "(\\[[0-9a-f:.]+\\]|[a-z0-9._~!$&'()*+;=%-]+)"
const ORIGIN_PATTERN = new RegExp(`^([a-z][a-z0-9+.-]*)://${HOST}(?::([0-9]{1,5}))?$`, 'i')
export const HOST_PATTERN: RegExp = new RegExp(`^${HOST}(?::([0-9]{0,5}))?$`, 'i')

const ORIGIN_NAME = 'origin'

/** Origins that are no scheme with a host: of sandboxed pages, and of local files in some browsers. */
const OPAQUE = /^(null|[a-z][a-z0-9+.-]*:\/\/)$/

/**
 * Makes the rule that an option asks for.
 * @param trustProxy whether a proxy in front says in `X-Forwarded-Host` which `Host` it was asked for
 * @throws UsageError if `option` is neither a list of origins, nor `'*'`, nor a function
 */
export function originRule(option: OriginsOption | undefined, trustProxy: boolean): OriginRule {
  if (option === undefined) return (origin, request) => isSameOrigin(origin, hostOf(request.headers, trustProxy))
  if (option === '*') return () => true
  if (typeof option === 'function') return askAbout(option)
  if (!Array.isArray(option)) throw usage('option origins', "a list of origins, '*' or a function", option)
  const allowed = new Set(option.map(listed))
  return (origin) => allowed.has(normalised(origin) ?? origin)
}

/** Whether a page's origin has the host and the effective port of a `Host` header. */
export function isSameOrigin(origin: string, host: string | undefined): boolean {
  const page = parseOrigin(origin)
  const [, name, port] = HOST_PATTERN.exec(host ?? '') ?? []
  if (page?.port === undefined || name === undefined) return false
  return name.toLowerCase() === page.host && portOf(port, page.scheme) === page.port
}

/** The `Host` that the client asked for. Where several proxies each added theirs, the first is the client's. */
export function hostOf(headers: IncomingHttpHeaders, trustProxy: boolean): string | undefined {
  const forwarded = trustProxy ? headers['x-forwarded-host'] : undefined
  return forwarded === undefined ? headers.host : String(forwarded).split(',', 1)[0]?.trim()
}

/** The value of `Origin`. Without one, as programs send it, Node need not make its table of headers. */
export function originOf(request: Pick<UpgradeRequest, 'rawHeaders' | 'headers'>): string | undefined {
  return request.rawHeaders.some(isOriginName) ? request.headers.origin : undefined
}

function isOriginName(text: string, index: number): boolean {
  return index % 2 === 0 && text.length === ORIGIN_NAME.length && text.toLowerCase() === ORIGIN_NAME
}

/** The one way to write an origin: lower case, no default port. `undefined` if it is none with a host. */
export function normalised(origin: string): string | undefined {
  const parsed = parseOrigin(origin)
  if (parsed === undefined) return undefined
  const { scheme, host, port } = parsed
  const shown = port === undefined || port === DEFAULT_PORTS.get(scheme) ? '' : `:${port}`
  return `${scheme}://${host}${shown}`
}

function parseOrigin(text: string): Origin | undefined {
  const [, scheme, host, port] = ORIGIN_PATTERN.exec(text) ?? []
  if (scheme === undefined || host === undefined) return undefined
  const lower = scheme.toLowerCase()
  return { scheme: lower, host: host.toLowerCase(), port: portOf(port, lower) }
}

function portOf(given: string | undefined, scheme: string): number | undefined {
  return given === undefined || given === '' ? DEFAULT_PORTS.get(scheme) : Number(given)
}

function listed(entry: unknown): string {
  const origin = typeof entry === 'string' ? (normalised(entry) ?? (OPAQUE.test(entry) ? entry : undefined)) : undefined
  if (origin !== undefined) return origin
  throw usage('option origins', "a list of origins such as 'https://example.com' or 'http://localhost:8080'", entry)
}

function askAbout(allow: OriginRule): OriginRule {
  return (origin, request) => {
    const known = normalised(origin) !== undefined || OPAQUE.test(origin)
    return known && booleanAnswer('origins', allow(origin, request))
  }
}
