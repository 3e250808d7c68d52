// The opening handshake: `http.request` with `Upgrade`, then `'upgrade'`, then the comparison of the accept value. Rules:
// - One attempt settles once, whatever happens and in whichever order; what it opened is destroyed unless it succeeded.
// - Nothing but the request is sent before the answer has been judged (RFC 6455 §4.1), and an error that comes afterwards
//   finds a listener.
// - It knows one URL and one answer: following a redirect means calling it again.

import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import https from 'node:https'
import { isIP, type NetConnectOpts, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type AbortSignalLike, type DeflateParameters, HandshakeError, type SentUpgrade } from '@ws/protocol'
import { connectSocket, openTransport, type Transport } from '@ws/protocol/node'
import { Answer, judge } from './answer.ts'
import type { DialOptions } from './dial-options.ts'
import { connectFailure, located, timeoutFailure, type Whereabouts } from './failure.ts'
import type { Target } from './url.ts'

export interface HandshakeOptions {
  /** The request to send, with the accept value to expect. */
  readonly upgrade: SentUpgrade
  /** Whether the server must choose one of the subprotocols. */
  readonly requireProtocol: boolean
  /** For all of it, in ms. */
  readonly timeout: number
  readonly signal: AbortSignalLike | undefined
  readonly dial: DialOptions
}

/** What a handshake gives: frames follow on the transport. */
export interface Upgraded {
  readonly transport: Transport
  /** The subprotocol that the server chose, `''` for none. */
  readonly protocol: string
  /** The extensions as in the answer's header, `''` for none. */
  readonly extensions: string
  /** What was agreed on permessage-deflate, if it was. */
  readonly deflate: DeflateParameters | undefined
}

/** Shakes hands with a server; rejects with a HandshakeError, or with the signal's reason. */
export function handshake(target: Target, options: HandshakeOptions): Promise<Upgraded> {
  return new Promise((resolve, reject) => new Attempt(target, options, { resolve, reject }).begin())
}

interface Outcome {
  resolve(upgraded: Upgraded): void
  reject(error: unknown): void
}

class Attempt {
  readonly #target: Target
  readonly #options: HandshakeOptions
  readonly #outcome: Outcome
  #request: ClientRequest | undefined
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #answer: Answer | undefined
  #settled = false

  constructor(target: Target, options: HandshakeOptions, outcome: Outcome) {
    this.#target = target
    this.#options = options
    this.#outcome = outcome
  }

  begin(): void {
    const { signal, timeout } = this.#options
    if (signal?.aborted === true) return this.#fail(signal.reason)
    this.#timer = setTimeout(() => this.#timedOut(), timeout)
    signal?.addEventListener('abort', this.#onAbort)
    try {
      this.#send(makeRequest(this.#target, this.#options))
    } catch (error) {
      this.#fail(connectFailure(error, this.#whereabouts()))
    }
  }

  #send(request: ClientRequest): void {
    this.#request = request
    request.on('socket', (socket) => this.#receiveSocket(socket))
    request.on('upgrade', (response, socket, head) => this.#receiveUpgrade(response, socket, head))
    request.on('response', (response) => this.#receiveAnswer(response))
    request.on('error', (error) => this.#receiveError(error))
    request.end()
  }

  /** Node lets go of the socket at the end of an answer, and may leave it open: it is ours to destroy. */
  #receiveSocket(socket: Socket): void {
    this.#socket = socket
    socket.on('error', ignore) // the request reports its errors; this is for those that come later
  }

  #receiveUpgrade(response: IncomingMessage, socket: Duplex, head: Buffer): void {
    const verdict = judge(response, this.#options)
    if (!verdict.established) return this.#fail(located(verdict.error, this.#whereabouts()))
    const { protocol, extensions, deflate } = verdict
    if (this.#settle()) this.#outcome.resolve({ transport: openTransport(socket, head), protocol, extensions, deflate })
  }

  /** An answer without upgrade: its status, or a 101 whose headers Node did not take for an upgrade. */
  #receiveAnswer(response: IncomingMessage): void {
    this.#answer = new Answer(response, () => this.#refused(response))
    if (response.statusCode === 101) this.#refused(response)
  }

  #refused(response: IncomingMessage): void {
    const verdict = judge(response, this.#options, this.#answer?.body)
    const error = verdict.established ? notTaken(response) : verdict.error
    this.#fail(located(error, this.#whereabouts()))
  }

  #receiveError(error: Error): void {
    if (this.#answer !== undefined) this.#refused(this.#answer.response)
    else this.#fail(connectFailure(error, this.#whereabouts()))
  }

  #timedOut(): void {
    if (this.#answer !== undefined) return this.#refused(this.#answer.response)
    this.#fail(timeoutFailure(this.#options.timeout, this.#stage(), this.#whereabouts()))
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason)

  #fail(error: unknown): void {
    if (!this.#settle()) return
    this.#request?.destroy() // its 'error' listener stays, for what this may cause
    this.#socket?.destroy()
    this.#outcome.reject(error)
  }

  /** @returns whether this was the first time */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    return true
  }

  #whereabouts(): Whereabouts {
    const { host, port } = this.#target
    const hostPort = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
    return { address: this.#options.dial.socketPath ?? hostPort, securing: this.#securing() }
  }

  #securing(): boolean {
    return (this.#socket as { secureConnecting?: boolean } | undefined)?.secureConnecting === true
  }

  #stage(): string {
    if (this.#socket === undefined) return 'no socket was to be had'
    if (this.#socket.connecting) return 'the host has not accepted the connection'
    return this.#securing() ? 'the TLS handshake is not complete' : 'the server has not answered the handshake'
  }
}

function ignore(): void {}

/** The headers are right, but Node's parser did not see an upgrade in them (a tab behind a token): no socket is to be had. */
function notTaken({ statusCode: status, headers }: IncomingMessage): HandshakeError {
  const message = "Node's HTTP parser did not take the answer for an upgrade"
  return new HandshakeError('HANDSHAKE_MALFORMED', message, { status, headers })
}

function makeRequest(target: Target, { upgrade, dial }: HandshakeOptions): ClientRequest {
  const { secure, host, port, path } = target
  const options: RequestOptions & DialOptions = {
    ...(secure ? tlsDefaults(host) : {}),
    ...dial,
    host,
    port,
    path,
    setHost: false,
  }
  // One agent for one request keeps no connection; a function that makes the socket is asked without any agent.
  if (options.agent === undefined && options.createConnection === undefined) {
    options.agent = false
    if (!secure) options.createConnection = (given) => connectSocket(given as NetConnectOpts)
  }
  const request = secure ? https.request(options) : http.request(options)
  request.maxHeadersCount = 0 // Node would drop headers past the 2,000th in silence; the limit of bytes remains
  for (const [name, lines] of requestHeaders(target, upgrade)) request.setHeader(name, lines)
  return request
}

function tlsDefaults(host: string): DialOptions {
  return { servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'] } // no SNI for addresses (RFC 6066 §3)
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
