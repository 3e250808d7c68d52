// What can be set on a server, and its check at construction. Rules: every option is checked once, before anything is
// opened; a wrong one throws a UsageError that names it, what was expected and what came. What a name does not belong to
// us is ignored, as Node does, but an option of another form (TLS for a foreign server) is not: it would not be heeded.

import { Server as HttpServer } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Server as HttpsServer, ServerOptions as HttpsServerOptions } from 'node:https'
import { type ListenOptions, Server as NetServer } from 'node:net'
import { checkProtocols, UsageError } from '@ws/protocol'
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  integerOption,
  LONGEST_DELAY,
  type UpgradeRequest,
  usage,
} from '@ws/protocol/node'
import type { Authenticate } from './authenticate.ts'
import type { CapacitySettings } from './capacity.ts'
import { type HostRule, hostRule } from './host.ts'
import { type OriginRule, type OriginsOption, originRule } from './origin.ts'
import { type OnPath, type PathOption, pathRule } from './route.ts'
import { booleanOption, functionOption, isObject, textOption } from './validate.ts'

/** Chooses one of the offered subprotocols; `undefined` for none. */
export type ProtocolRule = (offered: readonly string[], request: UpgradeRequest) => string | undefined

/** A server with a port of its own. */
export interface OwnPortOptions {
  /** The TCP port; 0 lets the system choose. Either this or `socketPath`. */
  readonly port?: number | undefined
  /** The address to listen at; all by default. */
  readonly host?: string | undefined
  /** How many connections may wait to be accepted; 511 by default. */
  readonly backlog?: number | undefined
  /** A Unix socket, or a named pipe on Windows, in place of a port. */
  readonly socketPath?: string | undefined
  /** Serves `wss:` with these options of `https.createServer`: `key`, `cert`, `ca`, `requestCert` … */
  readonly tls?: HttpsServerOptions | undefined
  readonly server?: undefined
  readonly noServer?: false | undefined
}

/** A server on an HTTP server of yours, which it never closes; several may share one. */
export interface SharedServerOptions {
  /** One of HTTP/2 is made to announce extended CONNECT (RFC 8441) to sessions that begin from now on. See docs/http2.md. */
  readonly server: HttpServer | HttpsServer | Http2Server | Http2SecureServer
  readonly port?: undefined
  readonly socketPath?: undefined
  readonly noServer?: false | undefined
}

/** A server without any: pass it requests by `handleUpgrade`. */
export interface NoServerOptions {
  readonly noServer: true
  readonly port?: undefined
  readonly socketPath?: undefined
  readonly server?: undefined
}

/** The options of every form. Times in ms. */
export interface ServerOptions<Data = unknown> extends ConnectionOptions {
  /**
   * Which requests are for this server; all by default. A path, compared with the request's as sent, in which `:name` is any
   * segment and `*` any rest (`request.params` has them), a URLPattern, or a function.
   */
  readonly path?: PathOption | undefined
  /** The subprotocols spoken (the client's first of them is chosen), or a function that chooses; none by default. */
  readonly protocols?: readonly string[] | ProtocolRule | undefined
  /**
   * Which web pages may connect: exact origins, `'*'`, or a function; pages of the same origin by default. Requests
   * without `Origin` do not come from a web page, and pass.
   */
  readonly origins?: OriginsOption | undefined
  /**
   * By which names the server may be asked for (`Host`), with or without a port: `['example.com', 'localhost:8080']`. Keeps
   * pages away whose name was made to resolve to this machine (DNS rebinding). All by default. Past it: status 403.
   */
  readonly hosts?: readonly string[] | undefined
  /**
   * Whether what a proxy in front says is believed: `X-Forwarded-Host`, and the end of `X-Forwarded-For`. A number says how
   * many proxies there are, each of which adds to the latter; `true` means one. Only behind proxies that set both.
   */
  readonly trustProxy?: boolean | number | undefined
  /** How many connections there may be, those that wait for `authenticate` included; any number by default. Past it: status 503. */
  readonly maxConnections?: number | undefined
  /** How many of them from one IPv4 address, or from one IPv6 network (/64); any number by default. Past it: status 429. */
  readonly maxConnectionsPerAddress?: number | undefined
  /** How long the opening handshake may take; 10,000 by default. Past it: status 408. */
  readonly handshakeTimeout?: number | undefined
  /** Decides who may connect, once the request is known to be valid; all by default. */
  readonly authenticate?: Authenticate<Data> | undefined
  /** Whether `clients` holds the open connections; true by default. */
  readonly clientTracking?: boolean | undefined
  /** Whether `stats()` tells how late the event loop is; false by default, since Node then samples it 50 times a second. */
  readonly eventLoopDelay?: boolean | undefined
}

/** The options of a server: exactly one of the three forms, and what they share. */
export type WebSocketServerOptions<Data = unknown> = (OwnPortOptions | SharedServerOptions | NoServerOptions) &
  ServerOptions<Data>

/** Where upgrades come from. */
export type Source =
  | { readonly kind: 'own'; readonly listen: ListenOptions; readonly tls: HttpsServerOptions | undefined }
  | { readonly kind: 'shared'; readonly server: HttpServer | Http2Server }
  | { readonly kind: 'none' }

/** {@link WebSocketServerOptions}, checked and complete. */
export interface ServerSettings<Data> extends CapacitySettings {
  readonly source: Source
  readonly connection: ConnectionSettings
  readonly onPath: OnPath
  readonly protocols: readonly string[] | ProtocolRule | undefined
  readonly originAllowed: OriginRule
  readonly trustProxy: boolean
  readonly hostAllowed: HostRule | undefined
  readonly handshakeTimeout: number
  readonly authenticate: Authenticate<Data> | undefined
  readonly clientTracking: boolean
  readonly eventLoopDelay: boolean
}

const HANDSHAKE_TIMEOUT = 10_000
const LAST_PORT = 65_535
const LARGEST_BACKLOG = 0x7fff_ffff
/** The options that mean a port of our own. */
const OWN = ['port', 'host', 'backlog', 'socketPath', 'tls'] as const

/** Checks the options of a server. @throws UsageError that names the option, what was expected and what came */
export function serverSettings<Data>(options: WebSocketServerOptions<Data>): ServerSettings<Data> {
  if (!isObject(options))
    throw new UsageError('options must be an object with one of port, socketPath, server and noServer')
  const proxies = proxyCount(options.trustProxy)
  const trustProxy = proxies > 0
  return Object.freeze({
    source: sourceOf(options),
    connection: connectionSettings(options, true),
    onPath: pathRule(options.path, trustProxy),
    protocols: protocolsOption(options.protocols),
    originAllowed: originRule(options.origins, trustProxy),
    trustProxy,
    proxies,
    hostAllowed: hostRule(options.hosts),
    maxConnections: integerOption('maxConnections', options.maxConnections, Infinity, 1),
    maxConnectionsPerAddress: integerOption('maxConnectionsPerAddress', options.maxConnectionsPerAddress, Infinity, 1),
    handshakeTimeout: integerOption('handshakeTimeout', options.handshakeTimeout, HANDSHAKE_TIMEOUT, 1, LONGEST_DELAY),
    authenticate: functionOption('authenticate', options.authenticate),
    clientTracking: booleanOption('clientTracking', options.clientTracking, true),
    eventLoopDelay: booleanOption('eventLoopDelay', options.eventLoopDelay, false),
  })
}

function sourceOf(options: OwnPortOptions | SharedServerOptions | NoServerOptions): Source {
  const { port, socketPath, server } = options
  const noServer = booleanOption('noServer', options.noServer, false)
  const forms = [port !== undefined, socketPath !== undefined, server !== undefined, noServer].filter(Boolean)
  if (forms.length !== 1) {
    throw new UsageError(
      `options must have exactly one of port, socketPath, server and noServer; got ${forms.length} of them`,
    )
  }
  if (port !== undefined || socketPath !== undefined) return ownSource(options)
  const stray = OWN.find((name) => (options as OwnPortOptions)[name] !== undefined)
  if (stray !== undefined)
    throw new UsageError(`option ${stray} needs option port or socketPath: it is for a server of its own`)
  return server === undefined ? { kind: 'none' } : { kind: 'shared', server: httpServer(server) }
}

function ownSource({ port, host, backlog, socketPath, tls }: OwnPortOptions): Source {
  const most = integerOption('backlog', backlog, 0, 1, LARGEST_BACKLOG)
  const queue = most === 0 ? {} : { backlog: most }
  const path = textOption('socketPath', socketPath)
  const address = textOption('host', host)
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) {
    throw usage('option tls', 'an object with options of https.createServer', tls)
  }
  if (path !== undefined) return { kind: 'own', listen: { path, ...queue }, tls }
  const listen = { port: integerOption('port', port, 0, 0, LAST_PORT), ...queue }
  return { kind: 'own', listen: address === undefined ? listen : { ...listen, host: address }, tls }
}

/**
 * All of Node's HTTP servers have `setTimeout`, and a bare `net.Server` does not; nor does the function that Express makes pass. Those of
 * Bun are no `net.Server`.
 */
function httpServer(server: unknown): HttpServer | Http2Server {
  const isServer = server instanceof NetServer || server instanceof HttpServer
  if (isServer && typeof (server as HttpServer).setTimeout === 'function') return server as HttpServer | Http2Server
  throw usage('option server', 'an http.Server, an https.Server or a server of node:http2', server)
}

/** Whether a server speaks HTTP/2; over TLS it may speak HTTP/1.1 too (its option `allowHTTP1`). */
export function isHttp2Server(server: HttpServer | Http2Server): server is Http2Server {
  return typeof (server as Http2Server).updateSettings === 'function'
}

function proxyCount(option: boolean | number | undefined): number {
  if (option === undefined || typeof option === 'boolean') return option === true ? 1 : 0
  if (Number.isInteger(option) && option > 0) return option
  throw usage('option trustProxy', 'a boolean or the number of proxies in front', option)
}

function protocolsOption(
  protocols: readonly string[] | ProtocolRule | undefined,
): readonly string[] | ProtocolRule | undefined {
  if (protocols === undefined || typeof protocols === 'function') return protocols
  if (!Array.isArray(protocols)) throw usage('option protocols', 'a list of subprotocols or a function', protocols)
  checkProtocols(protocols)
  return [...protocols]
}
