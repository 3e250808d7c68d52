// Which proxy an attempt goes through, pure: options and environment in, a proxy or none out. Rules: nothing of the environment
// counts unless the caller asks for it; no message shows a proxy's password.

import process from 'node:process'
import { UsageError } from '@ws/protocol'
import { usage } from '@ws/protocol/node'
import { type TlsDialOptions, tlsDialOptions } from './dial-options.ts'
import { bypasses } from './no-proxy.ts'
import { basicAuthorization, type Target } from './url.ts'

/** The options that concern a proxy. */
export interface ProxyOptions {
  /**
   * A proxy that is asked for a tunnel (`CONNECT`, RFC 9110 §9.3.6): `'http://user:password@host:port'`, or `https:` to speak TLS with
   * it; or `'env'`: the one that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name. None by default.
   */
  readonly proxy?: string | URL | undefined
  /** TLS with an `https:` proxy. The other TLS options are for the server behind it, and never for the proxy. */
  readonly proxyTls?: TlsDialOptions | undefined
}

/** A proxy, checked. */
export interface ProxyServer {
  /** Whether TLS is spoken with it. */
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** Brackets around IPv6, and always the port. */
  readonly address: string
  /** Its credentials as Basic authentication. */
  readonly authorization: string | undefined
  readonly tls: TlsDialOptions
}

const EXPECTED = 'an http: or https: URL without a path'

/**
 * Finds the proxy for a target.
 * @throws UsageError on a URL that is none of a proxy
 */
export function proxyFor({ proxy, proxyTls = {} }: ProxyOptions, target: Target): ProxyServer | undefined {
  if (typeof proxyTls !== 'object' || proxyTls === null) throw usage('option proxyTls', 'an object', proxyTls)
  const tls = tlsDialOptions(proxyTls, 'proxyTls.')
  if (proxy === undefined) return undefined
  if (proxy === 'env') return proxyOfEnvironment(target, tls)
  return parseProxy('option proxy', proxy, tls)
}

/** What the environment says, in lower case before upper case. */
function proxyOfEnvironment(target: Target, tls: TlsDialOptions): ProxyServer | undefined {
  const found = variable(target.secure ? 'https_proxy' : 'http_proxy')
  if (found === undefined || bypasses(variable('no_proxy')?.value ?? '', target)) return undefined
  const { name, value } = found
  return parseProxy(`environment variable ${name}`, value.includes('://') ? value : `http://${value}`, tls)
}

function variable(lower: string): { name: string; value: string } | undefined {
  const { env } = process
  for (const name of [lower, lower.toUpperCase()]) {
    // A CGI program has the request header `Proxy` in HTTP_PROXY: anybody's word (CVE-2016-5385, "httpoxy").
    if (name === 'HTTP_PROXY' && env.REQUEST_METHOD !== undefined) continue
    const value = env[name]?.trim()
    if (value !== undefined && value !== '') return { name, value }
  }
  return undefined
}

function parseProxy(what: string, given: string | URL, tls: TlsDialOptions): ProxyServer {
  if (typeof given !== 'string' && !(given instanceof URL)) throw usage(what, EXPECTED, given)
  if (!URL.canParse(String(given))) throw new UsageError(`${what} must be ${EXPECTED}; got what is no URL`)
  const url = new URL(given)
  const { protocol, host, hostname, pathname, search, hash } = url
  const secure = protocol === 'https:'
  if (!secure && protocol !== 'http:') throw usage(what, EXPECTED, protocol)
  if (pathname + search + hash !== '/') throw usage(what, EXPECTED, `${protocol}//${host}${pathname}${search}${hash}`)
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const address = `${hostname}:${port}`
  return {
    secure,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    address,
    authorization: basicAuthorization(url),
    tls,
  }
}
