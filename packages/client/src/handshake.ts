// The opening handshake: through a proxy the tunnel first; then `http.request` with `Upgrade`, `'upgrade'`, and the comparison of
// the accept value. Rules:
// - One attempt settles once, whatever happens and in whichever order; what it opened is destroyed unless it succeeded.
// - Nothing but the request is sent before the answer has been judged (RFC 6455 §4.1), and an error that comes afterwards
//   finds a listener.
// - It knows one URL and one answer: following a redirect means calling it again.

import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type AbortSignalLike, type DeflateParameters, HandshakeError, type SentUpgrade } from '@ws/protocol'
import { openTransport, type Transport } from '@ws/protocol/node'
import { Answer, isRedirect, judge } from './answer.ts'
import type { TimeBudget } from './budget.ts'
import type { DialOptions } from './dial-options.ts'
import { connectFailure, located, timeoutFailure, type Whereabouts } from './failure.ts'
import type { ProxyServer } from './proxy.ts'
import { serverAddress, tunnelRequest, upgradeRequest } from './request.ts'
import { isOpened, TunnelRefusal, unexpectedBytes } from './tunnel.ts'
import type { Target } from './url.ts'

export interface HandshakeOptions {
  /** The request to send, with the accept value to expect. */
  readonly upgrade: SentUpgrade
  /** Whether the server must choose one of the subprotocols. */
  readonly requireProtocol: boolean
  /** For all of it, redirects included, in ms. */
  readonly timeout: number
  readonly signal: AbortSignalLike | undefined
  readonly dial: DialOptions
  readonly proxy: ProxyServer | undefined
  /** Whether a redirect is no end, so that its body is of no interest. */
  readonly followRedirects: boolean
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
export function handshake(target: Target, options: HandshakeOptions, budget: TimeBudget): Promise<Upgraded> {
  return new Promise((upgraded, reject) => new Attempt(target, options, budget, { upgraded, reject }).begin())
}

/** Has the proxy open a tunnel to a server, and no more than that; rejects as {@link handshake} does. */
export function openTunnel(target: Target, options: HandshakeOptions, budget: TimeBudget): Promise<Socket> {
  const upgraded = (): void => {}
  return new Promise((tunnelled, reject) =>
    new Attempt(target, options, budget, { upgraded, tunnelled, reject }).begin(),
  )
}

interface Outcome {
  upgraded(upgraded: Upgraded): void
  /** Takes the tunnel, where that is all that is wanted. */
  tunnelled?(socket: Socket): void
  reject(error: unknown): void
}

class Attempt {
  readonly #target: Target
  readonly #options: HandshakeOptions
  readonly #budget: TimeBudget
  readonly #outcome: Outcome
  readonly #sockets: Duplex[] = []
  #request: ClientRequest | undefined
  /** The one that the request in hand has. */
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  /** Whether the proxy is asked at the moment. */
  #atProxy = false
  #refusal: TunnelRefusal | undefined
  #answer: Answer<IncomingMessage> | undefined
  #settled = false

  constructor(target: Target, options: HandshakeOptions, budget: TimeBudget, outcome: Outcome) {
    this.#target = target
    this.#options = options
    this.#budget = budget
    this.#outcome = outcome
  }

  begin(): void {
    const { signal, proxy, dial } = this.#options
    this.#timer = setTimeout(() => this.#timedOut(), this.#budget.begin())
    if (signal?.aborted === true) return this.#fail(signal.reason)
    signal?.addEventListener('abort', this.#onAbort)
    // What the caller makes needs no proxy.
    if (proxy === undefined || dial.createConnection !== undefined) this.#askServer()
    else this.#askProxy(proxy)
  }

  #askProxy(proxy: ProxyServer): void {
    this.#atProxy = true
    this.#send(
      () => tunnelRequest(this.#target, proxy, this.#options.dial),
      (request) => request.on('connect', (response, socket, head) => this.#receiveTunnel(response, socket, head)),
    )
  }

  #receiveTunnel(response: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!isOpened(response)) {
      this.#refusal = new TunnelRefusal(response)
      this.#refusal.read(socket, head, () => this.#proxyRefused())
      return
    }
    if (head.length > 0) return this.#fail(located(unexpectedBytes(response, head), this.#whereabouts()))
    if (this.#outcome.tunnelled !== undefined) return this.#tunnelled(socket)
    this.#atProxy = false
    this.#socket = undefined
    this.#askServer(socket)
  }

  #tunnelled(socket: Duplex): void {
    // It came without an agent, so it is what Node makes.
    if (this.#settle()) this.#outcome.tunnelled?.(socket as Socket)
  }

  #proxyRefused(): void {
    if (this.#refusal !== undefined) this.#fail(located(this.#refusal.error, this.#whereabouts()))
  }

  /** @param tunnel the way to it, if there is a proxy between */
  #askServer(tunnel?: Duplex): void {
    const { upgrade, dial } = this.#options
    this.#send(
      () => upgradeRequest(this.#target, upgrade, dial, tunnel),
      (request) => {
        request.on('upgrade', (response, socket, head) => this.#receiveUpgrade(response, socket, head))
        request.on('response', (response) => this.#receiveAnswer(response))
      },
    )
  }

  #send(make: () => ClientRequest, listen: (request: ClientRequest) => void): void {
    try {
      const request = make()
      this.#request = request
      request.on('socket', (socket) => this.#receiveSocket(socket))
      request.on('error', (error) => this.#receiveError(error))
      listen(request)
      // Making it may have called the caller's functions, and those may have aborted the attempt.
      if (this.#settled) request.destroy()
      else request.end()
    } catch (error) {
      this.#fail(connectFailure(error, this.#whereabouts()))
    }
  }

  /** Node lets go of the socket at the end of an answer, and may leave it open: it is ours to destroy. */
  #receiveSocket(socket: Socket): void {
    this.#socket = socket
    this.#sockets.push(socket)
    socket.on('error', ignore) // the request reports its errors; this is for those that come later
  }

  #receiveUpgrade(response: IncomingMessage, socket: Duplex, head: Buffer): void {
    const verdict = judge(response, this.#options)
    if (!verdict.established) return this.#fail(located(verdict.error, this.#whereabouts()))
    const { protocol, extensions, deflate } = verdict
    if (this.#settle())
      this.#outcome.upgraded({ transport: openTransport(socket, head), protocol, extensions, deflate })
  }

  /** An answer without upgrade: its status, or a 101 whose headers Node did not take for an upgrade. */
  #receiveAnswer(response: IncomingMessage): void {
    const { statusCode: status } = response
    this.#answer = new Answer(response, () => this.#refused(response))
    // The body of a redirect that will be followed is nobody's.
    if (status === 101 || (this.#options.followRedirects && isRedirect(status))) this.#refused(response)
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
    if (this.#refusal !== undefined) return this.#proxyRefused()
    if (this.#answer !== undefined) return this.#refused(this.#answer.response)
    const whereabouts = { address: serverAddress(this.#target, this.#options), securing: false }
    this.#fail(timeoutFailure(this.#budget.total, this.#stage(), whereabouts))
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason)

  #fail(error: unknown): void {
    if (!this.#settle()) return
    this.#request?.destroy() // its 'error' listener stays, for what this may cause
    for (const socket of this.#sockets) socket.destroy()
    this.#outcome.reject(error)
  }

  /** @returns whether this was the first time */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#budget.end()
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    return true
  }

  #whereabouts(): Whereabouts {
    const { proxy } = this.#options
    const address = this.#atProxy ? `proxy ${proxy?.address}` : serverAddress(this.#target, this.#options)
    return { address, securing: this.#securing(), proxy: this.#atProxy }
  }

  #securing(): boolean {
    return (this.#socket as { secureConnecting?: boolean } | undefined)?.secureConnecting === true
  }

  #stage(): string {
    if (this.#socket === undefined) return 'no socket was to be had'
    const [host, server] = this.#atProxy ? ['proxy', 'proxy'] : ['host', 'server']
    if (this.#socket.connecting) return `the ${host} has not accepted the connection`
    if (this.#securing()) return `the TLS handshake${this.#atProxy ? ' with the proxy' : ''} is not complete`
    return `the ${server} has not answered the handshake`
  }
}

function ignore(): void {}

/** The headers are right, but Node's parser did not see an upgrade in them (a tab behind a token): no socket is to be had. */
function notTaken({ statusCode: status, headers }: IncomingMessage): HandshakeError {
  const message = "Node's HTTP parser did not take the answer for an upgrade"
  return new HandshakeError('HANDSHAKE_MALFORMED', message, { status, headers })
}
