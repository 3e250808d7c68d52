// The URL of a WebSocket, pure: text in, where and what to ask for out. Rules: RFC 6455 §3 and the WHATWG constructor;
// `http:` and `https:` count as `ws:` and `wss:`; a fragment is refused, even an empty one; credentials become a header.

import { Buffer } from 'node:buffer'
import { UsageError } from '@ws/protocol'

/** Where a handshake goes. */
export interface Target {
  /** The URL with `ws:` or `wss:`, as the URL standard writes it. */
  readonly url: string
  /** Whether TLS comes first. */
  readonly secure: boolean
  /** The name or address to connect to: IDNA applied, an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** The `Host` header: brackets around IPv6, the port only if it is not the scheme's own (§4.1). */
  readonly authority: string
  /** The resource name of §3: path and query. */
  readonly path: string
  /** Scheme and authority: the `origin` of message events. */
  readonly origin: string
  /** The credentials of the URL as Basic authentication (RFC 7617). */
  readonly authorization: string | undefined
  /** The Unix socket that the URL names. */
  readonly socketPath?: string
}

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ['ws:', 'ws:'],
  ['http:', 'ws:'],
  ['wss:', 'wss:'],
  ['https:', 'wss:'],
])
const DEFAULT_PORTS = { 'ws:': 80, 'wss:': 443 }

/**
 * Reads the URL of a WebSocket (RFC 6455 §3).
 * @throws UsageError if it is no absolute URL, has another scheme than ws, wss, http and https, or has a fragment
 */
export function parseTarget(input: string | URL): Target {
  const url = parse(input)
  const scheme = SCHEMES.get(url.protocol)
  if (scheme === undefined)
    throw new UsageError(`URL must begin with ws:, wss:, http: or https:; got ${show(url.href)}`)
  url.protocol = scheme
  // Elsewhere in a serialised URL a `#` is percent-encoded; `hash` would not show an empty fragment.
  if (url.href.includes('#')) throw new UsageError(`URL must have no fragment (RFC 6455 §3); got ${show(url.href)}`)
  const secure = scheme === 'wss:'
  return {
    url: url.href,
    secure,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORTS[secure ? 'wss:' : 'ws:'] : Number(url.port),
    authority: url.host,
    path: url.pathname + url.search,
    origin: `${scheme}//${url.host}`,
    authorization: basicAuthorization(url),
  }
}

/**
 * Reads a URL of the form `ws+unix:/path/of/socket:/path?query`, which is no part of any standard. The first `:` ends the path
 * of the socket; `%3A` stands for one in it. The server is asked with `Host: localhost`.
 * @returns nothing for another scheme
 * @throws UsageError if it names no socket by its absolute path
 */
export function parseUnixTarget(input: string | URL): Target | undefined {
  if (!/^\s*ws\+unix:/i.test(String(input))) return undefined
  const { href, host, pathname, search } = parse(input)
  const [socket = '', ...path] = pathname.split(':')
  if (host !== '' || !/^\/./.test(socket) || href.includes('#')) {
    throw new UsageError(`URL must be of the form ws+unix:/path/of/socket:/path?query; got ${show(href)}`)
  }
  const resource = path.join(':').replace(/^\/*/, '/') + search
  return { ...parseTarget(`ws://localhost${resource}`), socketPath: percentDecode(socket).toString() }
}

function parse(input: string | URL): URL {
  try {
    return new URL(input)
  } catch {
    throw new UsageError(`URL must be absolute and valid, like ws://host:port/path; got ${show(String(input))}`)
  }
}

/** A URL in an error message: without its password, not too long. */
export function show(text: string): string {
  const shown = text.replace(/(\/\/[^/@:]*):[^/@]*@/, '$1@')
  return JSON.stringify(shown.length > 200 ? `${shown.slice(0, 200)}…` : shown)
}

/** A URL as others may see it. */
export function withoutCredentials(text: string): string {
  const url = new URL(text)
  url.username = ''
  url.password = ''
  return url.href
}

/** The credentials of a URL as Basic authentication (RFC 7617). */
export function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  const credentials = Buffer.concat([percentDecode(username), Buffer.from(':'), percentDecode(password)])
  return `Basic ${credentials.toString('base64')}`
}

/** Byte by byte, as the URL standard does: `decodeURIComponent` throws on what is not UTF-8. */
function percentDecode(text: string): Buffer {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}
