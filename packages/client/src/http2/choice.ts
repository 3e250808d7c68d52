// The option `http2`: what it may be, what it cannot stand beside, and what it makes of a plan. Rules: all of it is checked before
// any I/O; nothing here loads `node:http2`.

import type { ClientHttp2Session } from 'node:http2'
import { createConnectRequest, type SentConnect, UsageError } from '@ws/protocol'
import { type createUpgradeRequest, usage } from '@ws/protocol/node'
import { type DialOptions, givenDialOptions } from '../dial-options.ts'
import type { ProxyOptions, ProxyServer } from '../proxy.ts'
import type { Target } from '../url.ts'
import { identityOf } from './identity.ts'

/** Whether a WebSocket may be one stream of an HTTP/2 session, and of which. */
export interface Http2Options {
  /**
   * WebSocket over HTTP/2 (RFC 8441): many connections on one. `true` wants it (with `ws:` without asking, "prior knowledge"); `'auto'` takes
   * it where the server offers it over TLS, and HTTP/1.1 elsewhere; false is the default. Sessions are shared by connections to
   * one origin with the same options, unless a session of `node:http2` is given, which stays yours.
   */
  readonly http2?: boolean | 'auto' | ClientHttp2Session | undefined
}

/** A plan for HTTP/2, checked. */
export interface Http2Plan {
  readonly request: SentConnect
  /** The caller's own, if one was given. */
  readonly session: ClientHttp2Session | undefined
  /** Whether HTTP/1.1 will do where the server offers no WebSocket over HTTP/2. */
  readonly fallback: boolean
  /** Says which sessions of the pool are for this plan. */
  readonly identity: string
}

/** What a plan is made of, besides the options. */
interface Circumstances {
  readonly target: Target
  readonly proxy: ProxyServer | undefined
  readonly offer: NonNullable<Parameters<typeof createUpgradeRequest>[0]>
}

const EXPECTED = "a boolean, 'auto' or a ClientHttp2Session of node:http2"

/** Plans for HTTP/2, if it is wanted. @throws UsageError on what cannot be, or not together */
export function http2Plan(
  options: DialOptions & Http2Options & ProxyOptions,
  given: Circumstances,
): Http2Plan | undefined {
  const { http2 = false } = options
  const { target, proxy } = given
  if (http2 === false) return undefined
  const session = typeof http2 === 'object' ? http2 : undefined
  if (session === undefined && http2 !== true && http2 !== 'auto') throw usage('option http2', EXPECTED, http2)
  if (session === undefined) checkWay(options)
  else checkSession(session, options, proxy)
  const request = connectRequest(given)
  if (http2 === 'auto' && !target.secure) return undefined // without TLS nothing tells what the server speaks
  return { request, session, fallback: http2 === 'auto', identity: identityOf(target, options, proxy) }
}

function checkWay(options: DialOptions): void {
  for (const name of ['agent', 'createConnection'] as const) {
    if (options[name])
      throw new UsageError(
        `options http2 and ${name} exclude each other: give a session of node:http2, made as you like, as option http2`,
      )
  }
  if (options.ALPNProtocols !== undefined)
    throw new UsageError('options http2 and ALPNProtocols exclude each other: http2 says what ALPN asks for')
}

/** The session is there already, so nothing can say how to get there. */
function checkSession(session: ClientHttp2Session, options: DialOptions, proxy: ProxyServer | undefined): void {
  if (typeof session?.request !== 'function') throw usage('option http2', EXPECTED, session)
  const [name] = Object.keys(givenDialOptions(options))
  const other = proxy === undefined ? name : 'proxy'
  if (other !== undefined)
    throw new UsageError(`option ${other} cannot be given with a session as option http2, which is connected by you`)
}

/** Credentials of the URL give way to a header. */
function connectRequest({ target, offer }: Circumstances): SentConnect {
  const { secure, authority, path, authorization } = target
  const { headers = [] } = offer
  const given = headers.some(([name]) => name.toLowerCase() === 'authorization')
  const credentials = authorization === undefined || given ? [] : [['Authorization', authorization] as const]
  return createConnectRequest(
    { scheme: secure ? 'https' : 'http', authority, path },
    { ...offer, headers: [...credentials, ...headers] },
  )
}
