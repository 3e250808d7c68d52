// Everything that a connection attempt needs, checked before any I/O. Rules: a wrong option throws here, synchronously, and
// says what was expected and what came; afterwards an attempt can fail only for what the network and the server do.

import { type AbortSignalLike, type Header, UsageError } from '@ws/protocol'
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  createUpgradeRequest,
  integerOption,
  LONGEST_DELAY,
  usage,
} from '@ws/protocol/node'
import { type DialOptions, dialOptions } from './dial-options.ts'
import type { HandshakeOptions } from './handshake.ts'
import { type Http2Options, type Http2Plan, http2Plan } from './http2/choice.ts'
import { type ProxyOptions, proxyFor } from './proxy.ts'
import type { Target } from './url.ts'

/** Further headers: by name, or a list of name and value (a `Headers` or a `Map` is one too). */
export type HeadersOption = Readonly<Record<string, string | readonly string[]>> | Iterable<readonly [string, string]>

/** The options of {@link connect}: those of the handshake, of the way to the server, and of the connection. */
export interface ConnectOptions<Data = unknown> extends ConnectionOptions, DialOptions, Http2Options, ProxyOptions {
  /** The subprotocols to offer, in order of preference. */
  readonly protocols?: string | readonly string[] | undefined
  /** Fails the handshake if the server chooses none of `protocols`; false by default, as RFC 6455 allows it. */
  readonly requireProtocol?: boolean | undefined
  /** Further headers of the request. `Host` replaces the URL's; those of the handshake itself are refused. */
  readonly headers?: HeadersOption | undefined
  /** The `Origin` header; none by default. */
  readonly origin?: string | undefined
  /** permessage-deflate (RFC 7692): `false` offers nothing; by default it is offered, as browsers do. */
  readonly perMessageDeflate?: ConnectionOptions['perMessageDeflate']
  /** How long DNS, TCP, TLS, proxy, HTTP and redirects together may take, in ms; 10,000 by default. */
  readonly handshakeTimeout?: number | undefined
  /** Ends the attempt, and the connection that came of it, at once and without a closing handshake. */
  readonly signal?: AbortSignalLike | undefined
  /**
   * Waits for other handshakes with the same IP address and port (RFC 6455 §4.1 step 2); false opens many at once. Over HTTP/2 the
   * opening of a session waits, and the streams of one do not.
   */
  readonly serialize?: boolean | undefined
  /**
   * Follows the redirects of the server; false by default. At another origin the `Authorization`, `Cookie` and `Host` headers, the
   * URL's credentials and the client's certificate are left out; a redirect from `wss:` to `ws:` is refused.
   */
  readonly followRedirects?: boolean | undefined
  /** How many redirects are followed; 10 by default. */
  readonly maxRedirects?: number | undefined
  /** What `socket.data` is at first. */
  readonly data?: Data | undefined
}

/** {@link ConnectOptions} for one URL, checked. */
export interface Plan extends HandshakeOptions {
  readonly target: Target
  /** How to be a stream of HTTP/2, if that is wanted. */
  readonly http2: Http2Plan | undefined
  readonly serialize: boolean
  readonly maxRedirects: number
  readonly settings: ConnectionSettings
  /** What it was made of, for another URL. */
  readonly options: ConnectOptions & { readonly headers: readonly Header[] }
}

const HANDSHAKE_TIMEOUT = 10_000
const MAX_REDIRECTS = 10

/** Checks the options for a connection to `target`. @throws UsageError */
export function makePlan(target: Target, given: ConnectOptions): Plan {
  if (typeof given !== 'object' || given === null) throw new UsageError('options must be an object')
  const { origin, signal, perMessageDeflate = true } = given
  const settings = connectionSettings({ ...given, perMessageDeflate }, false)
  const protocols = protocolList(given.protocols)
  const headers = headerList(given.headers, origin)
  const options = { ...given, protocols, headers, origin: undefined, socketPath: socketPathFor(target, given) }
  const followRedirects = flag('followRedirects', options.followRedirects)
  if (followRedirects) dialOptions(options, true) // a redirect may lead to TLS; what is wrong is told now
  const offer = { protocols, headers, deflate: settings.perMessageDeflate?.offer }
  const proxy = exclusiveProxy(options, target)
  return {
    target,
    upgrade: createUpgradeRequest(offer),
    http2: http2Plan(options, { target, proxy, offer }),
    requireProtocol: flag('requireProtocol', options.requireProtocol),
    timeout: integerOption('handshakeTimeout', options.handshakeTimeout, HANDSHAKE_TIMEOUT, 1, LONGEST_DELAY),
    signal: checkSignal(signal),
    dial: dialOptions(options, target.secure),
    proxy,
    serialize: flag('serialize', options.serialize ?? true),
    followRedirects,
    maxRedirects: integerOption('maxRedirects', options.maxRedirects, MAX_REDIRECTS),
    settings,
    options,
  }
}

function socketPathFor(target: Target, { socketPath }: ConnectOptions): string | undefined {
  if (target.socketPath === undefined) return socketPath
  if (socketPath === undefined) return target.socketPath
  throw new UsageError('a ws+unix: URL and option socketPath exclude each other')
}

/** The ways to a server of which there can be one. What the environment says gives way to an option. */
function exclusiveProxy(options: ConnectOptions, target: Target): HandshakeOptions['proxy'] {
  const other = (['agent', 'createConnection', 'socketPath'] as const).find((name) => options[name])
  const proxy = proxyFor(options, target)
  if (other === undefined || proxy === undefined) return proxy
  if (options.proxy === 'env') return undefined
  throw new UsageError(`options proxy and ${other} exclude each other`)
}

function protocolList(given: string | readonly string[] = []): readonly string[] {
  if (typeof given === 'string') return [given]
  if (!Array.isArray(given)) throw usage('option protocols', 'a string or an array of strings', given)
  return [...given]
}

/** Headers of which a request has one at most (RFC 9110 §7.2, §11.6.2; RFC 6454 §7.3). */
const SINGLE = ['host', 'authorization', 'origin']

function headerList(given: HeadersOption = [], origin: string | undefined): readonly Header[] {
  if (typeof given !== 'object' || given === null) {
    throw usage('option headers', 'an object or a list of [name, value]', given)
  }
  const list: Header[] = isIterable(given) ? [...given].map(checkPair) : Object.entries(given).flatMap(headerLines)
  if (origin !== undefined) list.unshift(['Origin', origin])
  const names = list.map(([name]) => String(name).toLowerCase())
  const twice = SINGLE.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
  if (twice !== undefined) throw new UsageError(`header ${twice} must be given once at most`)
  return list
}

function isIterable(given: HeadersOption): given is Iterable<Header> {
  return Symbol.iterator in given
}

function checkPair(pair: Header): Header {
  if (Array.isArray(pair) && pair.length === 2) return pair
  throw usage('option headers', 'an object or a list of [name, value]', pair)
}

function headerLines([name, value]: [string, string | readonly string[]]): Header[] {
  return typeof value === 'object' && value !== null ? value.map((line) => [name, line]) : [[name, value]]
}

function flag(name: string, value: boolean | undefined): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw usage(`option ${name}`, 'a boolean', value)
  return value === true
}

function checkSignal(signal: AbortSignalLike | undefined): AbortSignalLike | undefined {
  if (signal === undefined || typeof signal?.addEventListener === 'function') return signal
  throw usage('option signal', 'an AbortSignal', signal)
}
