// The server as applications use it: options in, connections out. What happens to an upgrade is the gate's, where upgrades
// come from is the registry's and the own port's, and how connections end is theirs; here they are put together.

import { EventEmitter, once } from 'node:events'
import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { UsageError } from '@ws/protocol'
import {
  type BroadcastData,
  type BroadcastOptions,
  broadcast,
  type Handlers,
  invoke,
  Topics,
  type UpgradeRequest,
  type WebSocketConnection,
} from '@ws/protocol/node'
import { Arrivals } from './arrivals.ts'
import { type CloseCounts, type CloseOptions, type CloseSettings, Connections, closeSettings } from './connections.ts'
import { ACCEPTED, REFUSED } from './diagnostics.ts'
import { EventLoopMonitor } from './event-loop.ts'
import { Gate, NOTHING } from './gate.ts'
import { Http2UpgradeRequest, headerLines } from './http2-request.ts'
import { isHttp2Server, serverSettings, type WebSocketServerOptions } from './options.ts'
import { closeOwnServer, createOwnServer, stopOwnServer } from './own-port.ts'
import { register } from './registry.ts'
import { HttpUpgradeRequest } from './request.ts'
import { backlogOf, type ServerStats } from './stats.ts'
import { registerStreams } from './streams.ts'
import type { RefusedUpgrade } from './upgrade.ts'
import { isObject } from './validate.ts'

/** The events of a server and the arguments of their listeners. */
export interface ServerEvents<Data = unknown> {
  /** A connection is open; its messages wait until this event is over and something takes them. */
  connection: [socket: WebSocketConnection<Data>, request: UpgradeRequest]
  /** The HTTP server listens. */
  listening: []
  /** {@link WebSocketServer.close} is complete. */
  close: []
  /** The server's own port failed, for example `EADDRINUSE`. As with Node's servers, it throws if nobody listens. */
  error: [error: Error]
  /** An upgrade was refused. */
  refused: [refusal: RefusedUpgrade]
}

/**
 * A WebSocket server (RFC 6455) on a port of its own, on an HTTP server that is there already, or for requests that are
 * passed by hand. `Data` is the type of the connections' `data`.
 * @example
 * const server = await WebSocketServer.listen({ port: 8080 }, { message: (socket, data) => void socket.send(data) })
 */
export class WebSocketServer<Data = unknown> extends EventEmitter<ServerEvents<Data>> implements AsyncDisposable {
  /** The open connections; empty with `clientTracking: false`. */
  readonly clients: ReadonlySet<WebSocketConnection<Data>>
  readonly #connections: Connections<Data>
  readonly #topics: Topics<Data> = new Topics()
  readonly #gate: Gate<Data>
  readonly #http: HttpServer | Http2Server | undefined
  /** Of the server's own port. */
  readonly #arrivals: Arrivals | undefined
  readonly #handshakeTimeout: number
  #stopped: Promise<void> | undefined
  readonly #highWaterMark: number
  readonly #eventLoop: EventLoopMonitor | undefined
  #detach: (() => void) | undefined
  #accepted = 0
  #closed: Promise<CloseCounts> | undefined

  /**
   * Listening begins at once, if the port is the server's own; {@link WebSocketServer.listen} also waits for it.
   * @param options exactly one of `port` (or `socketPath`), `server` and `noServer`, and what else is to be set
   * @param handlers functions for every connection: the fast path in place of listeners
   * @throws UsageError that names the option, what was expected and what came
   */
  constructor(options: WebSocketServerOptions<Data>, handlers?: Handlers<Data>) {
    super()
    const settings = serverSettings(options)
    const { source, handshakeTimeout, clientTracking } = settings
    this.#highWaterMark = settings.connection.highWaterMark
    this.#eventLoop = settings.eventLoopDelay ? new EventLoopMonitor() : undefined
    this.#connections = new Connections(handlers)
    this.clients = clientTracking ? this.#connections.all : new Set()
    this.#gate = new Gate(settings, this.#connections.handlers, this.#topics, {
      count: () => this.#connections.all.size,
      settled: (stream) => this.#arrivals?.settle(stream),
      opened: (socket, request) => this.#open(socket, request),
      refused: (refusal) => this.#refuse(refusal),
    })
    this.#handshakeTimeout = handshakeTimeout
    if (source.kind === 'none') return
    const own = source.kind === 'own' ? createOwnServer(source, handshakeTimeout) : undefined
    this.#http = source.kind === 'own' ? own : source.server
    this.#detach = this.#attach(this.#http as HttpServer | Http2Server)
    if (source.kind !== 'own' || own === undefined) return
    this.#arrivals = new Arrivals(
      own,
      { secure: source.tls !== undefined, timeout: handshakeTimeout },
      (request, socket, head) => void this.#gate.enter(request, socket, head),
    )
    own.on('error', (error) => this.emit('error', error)).listen(source.listen)
  }

  /**
   * Makes a server and resolves once it listens; at once if it has no HTTP server. Rejects if that fails, for example
   * with `EADDRINUSE`.
   * @throws UsageError as the constructor does
   */
  static listen<Data = unknown>(
    options: WebSocketServerOptions<Data>,
    handlers?: Handlers<Data>,
  ): Promise<WebSocketServer<Data>> {
    return new WebSocketServer(options, handlers).#listening()
  }

  /** Where the HTTP server listens, as in Node: an object, a path, or null if it does not. */
  address(): AddressInfo | string | null {
    return this.#http?.address() ?? null
  }

  /**
   * Takes an upgrade request: what an `'upgrade'` event brings. Checks it, refuses it or opens the connection; the
   * `'connection'` event comes too.
   * @returns the connection, or `undefined` if the request was refused (see `'refused'`); never rejects
   * @throws UsageError if the arguments are not those of an `'upgrade'` event
   */
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
  ): Promise<WebSocketConnection<Data> | undefined> {
    checkUpgradeArguments(request, socket, head)
    return Promise.resolve(this.#gate.enter(new HttpUpgradeRequest(request), socket, head))
  }

  /**
   * Takes a request over HTTP/2 (RFC 8441): what a `'stream'` event brings whose headers have `:protocol`. Otherwise as
   * {@link handleUpgrade}. The HTTP/2 server needs the setting `enableConnectProtocol`: without it nobody asks.
   * @throws UsageError if the arguments are not those of a `'stream'` event
   */
  handleStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ): Promise<WebSocketConnection<Data> | undefined> {
    if (typeof stream?.respond !== 'function' || !isObject(headers)) {
      throw new UsageError("handleStream must get the stream and the headers of a 'stream' event")
    }
    const request = new Http2UpgradeRequest(stream, headers, headerLines(headers))
    return Promise.resolve(this.#gate.enter(request, stream, NOTHING))
  }

  /**
   * Stops listening on the server's own port, so that new clients go to whoever else listens there: another worker of the same
   * cluster, the next version of this program. Whoever this process has accepted is still let in; what waits in the system's
   * queue goes to those who share the socket, and is reset if nobody does. Call {@link close} next, with code 1012.
   * @returns when nobody is on the way in any more, after `handshakeTimeout` at the latest; never rejects
   * @throws UsageError if the port is not the server's own
   */
  stopListening(): Promise<void> {
    if (this.#http === undefined || this.#arrivals === undefined) {
      throw new UsageError('stopListening() is for a server with a port of its own: stop your HTTP server yourself')
    }
    stopOwnServer(this.#http as HttpServer)
    this.#stopped ??= this.#arrivals.emptied(this.#handshakeTimeout)
    return this.#stopped
  }

  /**
   * Refuses new connections (503), closes the open ones, terminates those that are left at the deadline, and stops
   * listening on its own port; an HTTP server of yours stays open. Later calls change nothing and get the same result.
   * @returns how many closed in time and how many were terminated; never rejects
   * @throws UsageError on a wrong option
   */
  close(options: CloseOptions = {}): Promise<CloseCounts> {
    const settings = closeSettings(options)
    this.#closed ??= this.#shutDown(settings)
    return this.#closed
  }

  /**
   * Sends one message to every open connection but those that `filter` and `except` leave out: framed once, one write a
   * connection and turn. A connection that is slow delays nobody: its own `maxBackpressure` decides what becomes of it.
   * @returns to how many connections it was given
   * @throws UsageError if `data` is none of string, ArrayBuffer, typed array and DataView, or an option is wrong
   */
  broadcast(data: BroadcastData, options?: BroadcastOptions<Data>): number {
    return broadcast(this.#connections.all, data, options)
  }

  /**
   * Sends one message to every open connection that subscribes to `topic` (`socket.subscribe(topic)`), as {@link broadcast}
   * does to all: what that costs depends on how many these are. See docs/topics.md.
   * @example
   * server.publish('room 7', text, { except: socket })
   * @returns to how many connections it was given; 0 if nobody subscribes
   * @throws UsageError as {@link broadcast}, and if `topic` is no string or empty
   */
  publish(topic: string, data: BroadcastData, options?: BroadcastOptions<Data>): number {
    return this.#topics.publish(topic, data, options)
  }

  /** The connections that subscribe to `topic` now: a copy. @throws UsageError if it is no string or empty */
  subscribers(topic: string): readonly WebSocketConnection<Data>[] {
    return this.#topics.subscribers(topic)
  }

  /** Counts: what it costs is proportional to the number of open connections. See docs/observability.md. */
  stats(): ServerStats {
    const { traffic } = this.#connections
    const open = this.#connections.all as ReadonlySet<WebSocketConnection>
    return {
      connections: open.size,
      pending: this.#gate.pending.size,
      accepted: this.#accepted,
      refusals: Object.fromEntries(this.#gate.refusals),
      closeCodes: Object.fromEntries(traffic.closeCodes),
      closeCauses: Object.fromEntries(traffic.closeCauses),
      ...traffic.total(open),
      ...backlogOf(open, this.#highWaterMark),
      ...(this.#eventLoop && { eventLoopDelay: this.#eventLoop.take() }),
      topics: this.#topics.size,
      subscriptions: this.#topics.subscriptions,
    }
  }

  /** Closes as {@link close} does by default: `await using server = await WebSocketServer.listen(options)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #attach(http: HttpServer | Http2Server): () => void {
    const unregister = register(http, this.#gate)
    const unregisterStreams = isHttp2Server(http) ? registerStreams(http, this.#gate) : undefined
    const onListening = (): void => void this.emit('listening')
    http.on('listening', onListening)
    return () => {
      unregister()
      unregisterStreams?.()
      http.off('listening', onListening)
    }
  }

  /** Errors of our own port are events of this server, those of a foreign HTTP server are not. */
  async #listening(): Promise<this> {
    if (this.#arrivals !== undefined) await once(this, 'listening')
    else if (this.#http?.listening === false) await once(this.#http, 'listening')
    return this
  }

  #open(socket: WebSocketConnection<Data>, request: UpgradeRequest): void {
    this.#accepted++
    this.#connections.all.add(socket)
    if (ACCEPTED.hasSubscribers) ACCEPTED.publish({ server: this, socket, request })
    invoke(() => this.emit('connection', socket, request))
  }

  #refuse(refusal: RefusedUpgrade): void {
    if (REFUSED.hasSubscribers) REFUSED.publish({ server: this, refusal })
    invoke(() => this.emit('refused', refusal))
  }

  async #shutDown(settings: CloseSettings): Promise<CloseCounts> {
    const deadline = performance.now() + settings.timeout
    this.#gate.shut()
    const counts = await this.#connections.closeAll(settings)
    this.#detach?.()
    if (this.#arrivals !== undefined) await this.#closeHttp(this.#arrivals, deadline - performance.now())
    this.#eventLoop?.stop()
    invoke(() => this.emit('close'))
    return counts
  }

  /** Refused clients are still there, and hold the port: they too have until the deadline. */
  async #closeHttp(arrivals: Arrivals, timeout: number): Promise<void> {
    const timer = setTimeout(() => this.#gate.clear(), Math.max(timeout, 0))
    await closeOwnServer(this.#http as HttpServer, arrivals)
    clearTimeout(timer)
  }
}

function checkUpgradeArguments(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
  const isRequest = Array.isArray(request?.rawHeaders) && isObject(request.socket)
  if (isRequest && typeof socket?.write === 'function' && head instanceof Uint8Array) return
  throw new UsageError("handleUpgrade must get the request, the socket and the head of an 'upgrade' event")
}
