// The requests of an opening handshake as Node sends them: the upgrade, and the CONNECT that asks a proxy for a tunnel. Rules: no
// connection is shared or kept; the upgrade has exactly the headers of RFC 6455 §4.1 and those that the caller gave.

import http, { type ClientRequest, type RequestOptions } from 'node:http'
import https from 'node:https'
import { isIP, type NetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { SentUpgrade } from '@ws/protocol'
import { connectSocket } from '@ws/protocol/node'
import { type DialOptions, tlsDefaults } from './dial-options.ts'
import type { ProxyServer } from './proxy.ts'
import type { Target } from './url.ts'

/** How a request reaches who is to answer it. */
type Way = RequestOptions & DialOptions

/**
 * Makes the request for the upgrade; it is sent by its `end()`.
 * @param tunnel a connection to the server, through a proxy
 */
export function upgradeRequest(
  target: Target,
  upgrade: SentUpgrade,
  dial: DialOptions,
  tunnel?: Duplex,
): ClientRequest {
  const { secure, host, port, path } = target
  const tls = secure ? tlsDefaults(host) : {}
  const way: Way = { ...tls, ...dial, host, port, path, setHost: false }
  if (tunnel !== undefined) {
    way.agent = undefined
    way.createConnection = () => (secure ? connectTls({ ...tls, ...dial, host, socket: tunnel }) : tunnel)
  } else if (way.agent === undefined && way.createConnection === undefined) useOwnSocket(way, !secure)
  const request = secure ? https.request(way) : http.request(way)
  request.maxHeadersCount = 0 // Node would drop headers past the 2,000th in silence; the limit of bytes remains
  for (const [name, lines] of requestHeaders(target, upgrade)) request.setHeader(name, lines)
  return request
}

/** Makes the request for a tunnel to the target (RFC 9110 §9.3.6); it is sent by its `end()`. */
export function tunnelRequest(target: Target, proxy: ProxyServer, dial: DialOptions): ClientRequest {
  const { host, port, secure, authorization } = proxy
  const { family, hints, lookup, localAddress, localPort, autoSelectFamily, autoSelectFamilyAttemptTimeout } = dial
  const socket = { family, hints, lookup, localAddress, localPort, autoSelectFamily, autoSelectFamilyAttemptTimeout }
  const path = hostPort(target)
  const tls = secure ? { ...tlsDefaults(host), ...proxy.tls } : {}
  const way: Way = { ...socket, ...tls, method: 'CONNECT', host, port, path, setHost: false }
  useOwnSocket(way, !secure && !target.secure)
  const request = secure ? https.request(way) : http.request(way)
  request.setHeader('Host', path)
  if (authorization !== undefined) request.setHeader('Proxy-Authorization', authorization)
  request.removeHeader('Connection') // which Node would add: a tunnel is not closed after the answer
  return request
}

/** Who is to answer, in the words of messages: the socket's path, or host and port, and the proxy between. */
export function serverAddress(
  target: Target,
  { dial, proxy }: { dial: DialOptions; proxy: ProxyServer | undefined },
): string {
  if (proxy === undefined) return dial.socketPath ?? hostPort(target)
  return `${hostPort(target)} (through proxy ${proxy.address})`
}

/** The host and the port of a target, brackets around IPv6. */
export function hostPort({ host, port }: Target): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

/** One agent for one request keeps no connection; a function that makes the socket is asked without any agent. */
function useOwnSocket(way: Way, plain: boolean): void {
  way.agent = false
  if (plain) way.createConnection = (given) => connectSocket(given as NetConnectOpts)
}

/** All headers with all of their lines, each name once in whichever case; what is given comes before what the URL says. */
function requestHeaders({ authority, authorization }: Target, { headers }: SentUpgrade): Iterable<[string, string[]]> {
  const fields = new Map<string, [name: string, lines: string[]]>([['host', ['Host', [authority]]]])
  if (authorization !== undefined) fields.set('authorization', ['Authorization', [authorization]])
  const given = new Set<string>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (given.has(lower)) fields.get(lower)?.[1].push(value)
    else fields.set(lower, [name, [value]])
    given.add(lower)
  }
  return fields.values()
}
