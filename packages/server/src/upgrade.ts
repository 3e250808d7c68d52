// One upgrade, from Node's 'upgrade' event, or a 'stream' of HTTP/2, to the open connection or the refusal (RFC 6455 §4.2). Rules:
// - Before anything else, and before the event returns, the socket gets an 'error' listener: without one a reset would
//   crash the process. The HTTP server's own timeout is taken off it; that of an HTTP/2 session once a connection opens there.
// - Whatever goes wrong ends in exactly one refusal, reported once. Hooks that throw are a 500, never an exception here.
// - Nothing is written to a socket that left meanwhile.
// - Without a hook, or with one that decides at once, all happens before the event returns.

import type { Http2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import {
  type Accepted,
  type RefusalCode,
  type Rejected,
  type UpgradeOffer,
  UsageError,
  type WebSocketError,
} from '@ws/protocol'
import {
  acceptOfferedUpgrade,
  guardErrors,
  type Handlers,
  isPromiseLike,
  type Topics,
  textOf,
  transportOf,
  type UpgradeRequest,
  WebSocketConnection,
} from '@ws/protocol/node'
import { type Answer, HTTP1 } from './answer.ts'
import { type Decision, readDecision, type Verdict } from './authenticate.ts'
import { Backlog } from './backlog.ts'
import type { Capacity } from './capacity.ts'
import type { DirectUpgradeRequest } from './direct-request.ts'
import { HTTP2 } from './http2-answer.ts'
import { Http2UpgradeRequest } from './http2-request.ts'
import type { ServerSettings } from './options.ts'
import { hostOf, originOf } from './origin.ts'
import { Pending } from './pending.ts'
import type { Refusal } from './refuse.ts'
import { type HttpUpgradeRequest, pathnameOf } from './request.ts'

/** Why an upgrade did not become a connection: the argument of the event `'refused'`. */
export interface RefusedUpgrade {
  /** The status of the answer; `undefined` if there was nobody left to answer. */
  readonly status: number | undefined
  /**
   * The reason: `USAGE` if a socket was passed to `handleUpgrade` twice, or another listener of an HTTP/2 server has answered. docs/errors.md says
   * what to do about each.
   */
  readonly code: RefusalCode | 'USAGE'
  /** What was expected and what came. Parts of it are the client's words. */
  readonly message: string
  readonly request: UpgradeRequest
  /** What a hook threw. */
  readonly cause?: unknown
}

/** A request over either version of HTTP. */
export type AnyRequest = DirectUpgradeRequest | HttpUpgradeRequest | Http2UpgradeRequest

/** What an upgrade needs of its server. */
export interface UpgradeOwner<Data> {
  readonly settings: ServerSettings<Data>
  readonly handlers: Handlers<Data>
  /** What connections subscribe to. */
  readonly topics: Topics<Data>
  /** Whether new connections are refused. */
  readonly closing: boolean
  /** How many may come in; `undefined` for any number. */
  readonly capacity: Capacity | undefined
  /** Upgrades that wait for their hook. */
  readonly pending: Set<Upgrade<Data>>
  /** Refused streams that are not closed yet. */
  readonly lingering: Set<Duplex>
  /** It is decided what becomes of a stream. */
  settled(stream: Duplex): void
  opened(socket: WebSocketConnection<Data>, request: UpgradeRequest): void
  refused(refusal: RefusedUpgrade): void
}

/** The connection, or `undefined` if it was refused. */
export type Outcome<Data> = WebSocketConnection<Data> | undefined

/** How much of a client's word an answer repeats, in characters. */
const SHOWN = 200

/** Takes one request through. */
export class Upgrade<Data> {
  readonly #owner: UpgradeOwner<Data>
  readonly #request: AnyRequest
  readonly #stream: Duplex
  #head: Uint8Array
  #pending: Pending<Decision<Data>> | undefined

  constructor(owner: UpgradeOwner<Data>, request: AnyRequest, stream: Duplex, head: Uint8Array) {
    this.#owner = owner
    this.#request = request
    this.#stream = stream
    this.#head = head
    guardErrors(stream)
    request.prepare()
  }

  /**
   * Decides on the request and acts on it. Called once; neither throws nor rejects.
   * @param onPath whether the request's path is this server's; it may throw
   */
  run(onPath: () => boolean): Outcome<Data> | Promise<Outcome<Data>> {
    if (hasLeft(this.#stream)) return this.#leave()
    if (this.#request.pipelined) {
      return this.#refuse('REFUSED_CONNECTION', 'expected no request before that has not been answered yet', undefined)
    }
    const { offer } = this.#request
    if (!offer.valid) return this.#reject(offer)
    if (this.#request.cut) return this.#reject(CUT)
    try {
      const objection = this.#objection(onPath)
      return objection === undefined ? this.#authenticate(offer) : this.#reject(objection)
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** The server closes: refuses, if the hook has not decided yet. */
  cancel(): void {
    this.#pending?.interrupt('REFUSED_CLOSING', 'the server is closing')
  }

  #objection(onPath: () => boolean): Rejected | undefined {
    const { settings, closing } = this.#owner
    const { url } = this.#request
    if (!onPath()) return rejected(404, 'REFUSED_PATH', `no WebSocket server for path ${shown(pathnameOf(url))}`)
    if (closing) return CLOSING
    if (settings.hostAllowed?.(hostOf(this.#request.headers, settings.trustProxy)) === false) return this.#unknownHost()
    const origin = originOf(this.#request)
    if (origin !== undefined && !settings.originAllowed(origin, this.#request)) return this.#foreignOrigin(origin)
    return this.#owner.capacity?.enter(this.#request, this.#stream)
  }

  #unknownHost(): Rejected {
    return rejected(403, 'REFUSED_HOST_UNKNOWN', `host ${this.#host()} is none of the server's: see its option hosts`)
  }

  #foreignOrigin(origin: string): Rejected {
    const help = "see the server's option origins, and trustProxy if a proxy in front changes Host"
    return rejected(403, 'REFUSED_ORIGIN', `origin ${shown(origin)} is not allowed for host ${this.#host()}: ${help}`)
  }

  #host(): string {
    return shown(hostOf(this.#request.headers, this.#owner.settings.trustProxy) ?? '')
  }

  #authenticate(offer: UpgradeOffer): Outcome<Data> | Promise<Outcome<Data>> {
    const { authenticate } = this.#owner.settings
    if (authenticate === undefined) return this.#decide(offer, undefined)
    const abort = new AbortController()
    const decision = authenticate(this.#request, { signal: abort.signal })
    if (isPromiseLike(decision)) return this.#wait(offer, decision as PromiseLike<Decision<Data>>, abort)
    return this.#decide(offer, decision as Decision<Data>)
  }

  #wait(offer: UpgradeOffer, decision: PromiseLike<Decision<Data>>, abort: AbortController): Promise<Outcome<Data>> {
    const { pending, settings } = this.#owner
    transportOf(this.#stream)?.release()
    const early = new Backlog(this.#stream, this.#head)
    pending.add(this)
    return new Promise((resolve) => {
      const settle = (outcome: () => Outcome<Data>): void => {
        pending.delete(this)
        this.#head = early.take()
        resolve(outcome())
      }
      this.#pending = new Pending(decision, this.#stream, settings.handshakeTimeout, abort, {
        decided: (value) => settle(() => this.#decide(offer, value)),
        failed: (error) => settle(() => this.#fail(error)),
        interrupted: (reason) => settle(() => this.#interrupted(reason)),
      })
    })
  }

  #decide(offer: UpgradeOffer, decision: Decision<Data>): Outcome<Data> {
    if (isAnswered(this.#stream) || hasLeft(this.#stream)) return this.#leave()
    if (this.#owner.closing) return this.#reject(CLOSING)
    try {
      const verdict = readDecision(decision)
      if (verdict.admitted) return this.#open(this.#accept(offer, verdict), verdict.data)
      return this.#refuse('REFUSED_BY_HOOK', 'the authenticate hook refused', verdict.refusal)
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** @throws UsageError if the hook asks for something that may not be sent */
  #accept(offer: UpgradeOffer, { protocol, headers }: Verdict<Data> & { admitted: true }): Accepted {
    const { protocols, connection } = this.#owner.settings
    const deflate = connection.perMessageDeflate?.offer
    if (protocol !== undefined) {
      const offered = offer.protocols
      if (offered.includes(protocol)) return acceptOfferedUpgrade(offer, { protocols: [protocol], headers, deflate })
      throw new UsageError(
        `authenticate must choose one of the offered subprotocols (${offered.join(', ')}); got ${shown(protocol)}`,
      )
    }
    if (typeof protocols !== 'function') return acceptOfferedUpgrade(offer, { protocols, headers, deflate })
    const choose = (offered: readonly string[]) => protocols(offered, this.#request)
    return acceptOfferedUpgrade(offer, { protocols: choose, headers, deflate })
  }

  /** Frames that came with the request are read last, when everybody has had the chance to listen. */
  #open(accepted: Accepted, data: Data | undefined): WebSocketConnection<Data> {
    const { settings, handlers, topics } = this.#owner
    const { protocol, extensions, deflate } = accepted
    const transport = this.#answer.accept(this.#stream, accepted, this.#head)
    const socket = new WebSocketConnection<Data>({
      transport,
      role: 'server',
      settings: settings.connection,
      protocol,
      extensions,
      deflate,
      handlers,
      data,
      topics,
    })
    this.#owner.settled(this.#stream)
    this.#owner.opened(socket, this.#request)
    socket.start()
    return socket
  }

  get #answer(): Answer {
    return this.#request instanceof Http2UpgradeRequest ? HTTP2 : HTTP1
  }

  // --- Refusals

  #interrupted({ code, message }: WebSocketError): undefined {
    if (code === 'REFUSED_TIMEOUT') return this.#reject(rejected(408, code, message))
    return code === 'REFUSED_CLOSING' ? this.#reject(CLOSING) : this.#leave()
  }

  #leave(): undefined {
    if (isAnswered(this.#stream)) return this.#refuse('USAGE', ANSWERED, undefined)
    return this.#refuse('REFUSED_CLIENT_LEFT', 'the client left before it was answered', undefined)
  }

  #reject({ status, headers, message, code }: Rejected): undefined {
    return this.#refuse(code, message, { status, headers, body: `${message}\n` })
  }

  /** What a hook threw is for the application; the client only learns that it is not its fault. */
  #fail(cause: unknown): undefined {
    const answer = { status: 500, body: 'the server failed to decide on this request\n' }
    return this.#refuse('REFUSED_HOOK_FAILED', `a hook failed: ${textOf(cause)}`, answer, cause)
  }

  #refuse(code: RefusedUpgrade['code'], message: string, answer: Refusal | undefined, cause?: unknown): undefined {
    const { lingering, capacity } = this.#owner
    capacity?.leave(this.#stream)
    const answered = isAnswered(this.#stream)
    const given = answered || hasLeft(this.#stream) ? undefined : answer
    if (answered) this.#stream.resume()
    else if (given === undefined) this.#stream.destroy()
    else this.#answer.refuse(this.#stream, given, this.#request.method === 'HEAD', lingering)
    this.#owner.settled(this.#stream)
    this.#owner.refused({ status: given?.status, code, message, request: this.#request, cause })
    return undefined
  }
}

const CLOSING: Rejected = rejected(503, 'REFUSED_CLOSING', 'the server is closing')

const CUT: Rejected = rejected(
  400,
  'REFUSED_BODY',
  "expected fewer headers: Node leaves out those past the HTTP server's maxHeadersCount, and they may tell of a body",
)

function rejected(status: number, code: RefusalCode, message: string): Rejected {
  return { valid: false, status, headers: [], message, code }
}

function hasLeft(stream: Duplex): boolean {
  // A stream of HTTP/2 that came with END_STREAM tells of its end only once it is read.
  const { endAfterHeaders } = stream as Partial<Http2Stream>
  return stream.destroyed || stream.readableEnded || !stream.writable || endAfterHeaders === true
}

/** Why nothing is done with a stream that {@link isAnswered}. */
export const ANSWERED =
  "expected a stream without an answer; another listener has answered: one for 'stream' or 'connect' must leave WebSockets alone"

/** Whether somebody else has answered on a stream of HTTP/2. What follows there is theirs. */
export function isAnswered(stream: Duplex): boolean {
  return (stream as Partial<Http2Stream & { headersSent: boolean }>).headersSent === true
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN))
}
