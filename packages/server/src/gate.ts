// The gate between HTTP and open connections: every upgrade of a server passes here, from its own port, from a shared HTTP
// server or by `handleUpgrade`. It knows what is on its way in, and counts what did not get in.

import type { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Handlers, Topics, UpgradeRequest, WebSocketConnection } from '@ws/protocol/node'
import { type Capacity, capacityOf } from './capacity.ts'
import { Http2UpgradeRequest } from './http2-request.ts'
import type { ServerSettings } from './options.ts'
import type { Claimer } from './registry.ts'
import { HttpUpgradeRequest } from './request.ts'
import { count } from './stats.ts'
import type { StreamClaimer } from './streams.ts'
import {
  ANSWERED,
  type AnyRequest,
  isAnswered,
  type Outcome,
  type RefusedUpgrade,
  Upgrade,
  type UpgradeOwner,
} from './upgrade.ts'

/** Marks a stream that is being upgraded, by whichever copy of this package. */
const TAKEN: unique symbol = Symbol.for('@ws/server.taken') as typeof TAKEN

const TAKEN_ALREADY = 'this socket was taken by a server already: pass a request to one handleUpgrade() only'

type Markable = Duplex & { [TAKEN]?: true }

/** A request that is this server's; `onPath` says so again, or throws what the option `path` threw. */
interface Claim {
  readonly request: AnyRequest
  readonly onPath: () => boolean
}

/** On a stream of HTTP/2 nothing is read with the request. */
export const NOTHING: Uint8Array = new Uint8Array(0)

const yes = (): boolean => true
const no = (): boolean => false

/** Told of what happened at the gate. */
export interface GateOwner<Data> {
  /** How many connections are open. */
  count(): number
  /** It is decided what becomes of a stream. */
  settled(stream: Duplex): void
  opened(socket: WebSocketConnection<Data>, request: UpgradeRequest): void
  refused(refusal: RefusedUpgrade): void
}

export class Gate<Data> implements UpgradeOwner<Data>, Claimer, StreamClaimer {
  readonly settings: ServerSettings<Data>
  readonly handlers: Handlers<Data>
  readonly topics: Topics<Data>
  readonly pending: Set<Upgrade<Data>> = new Set()
  readonly lingering: Set<Duplex> = new Set()
  /** How many were refused, by code. */
  readonly refusals: Map<RefusedUpgrade['code'], number> = new Map()
  readonly capacity: Capacity | undefined
  readonly #owner: GateOwner<Data>
  #closing = false

  constructor(settings: ServerSettings<Data>, handlers: Handlers<Data>, topics: Topics<Data>, owner: GateOwner<Data>) {
    this.settings = settings
    this.handlers = handlers
    this.topics = topics
    this.#owner = owner
    this.capacity = capacityOf(settings, () => owner.count() + this.pending.size)
  }

  get closing(): boolean {
    return this.#closing
  }

  /** Lets nobody in any more; who waits for a decision is refused now. */
  shut(): void {
    this.#closing = true
    for (const upgrade of this.pending) upgrade.cancel()
  }

  /** Ends the wait for refused clients to leave. */
  clear(): void {
    for (const stream of this.lingering) stream.destroy()
  }

  /** Takes a request that was passed by hand; the path is still to be looked at. */
  enter(request: AnyRequest, stream: Duplex, head: Uint8Array): Outcome<Data> | Promise<Outcome<Data>> {
    return this.#enter({ request, onPath: () => this.settings.onPath(request) }, stream, head)
  }

  // --- Claimer and StreamClaimer

  claim(raw: IncomingMessage): Claim | false {
    return this.#claim(new HttpUpgradeRequest(raw))
  }

  take(raw: IncomingMessage, stream: Duplex, head: Uint8Array, claim: unknown): void {
    const claimed = claim === false ? { request: new HttpUpgradeRequest(raw), onPath: no } : (claim as Claim)
    void this.#enter(claimed, stream, head)
  }

  claimStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): Claim | false {
    return this.#claim(new Http2UpgradeRequest(stream, headers, rawHeaders))
  }

  takeStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    claim: unknown,
  ): void {
    const request = new Http2UpgradeRequest(stream, headers, rawHeaders)
    void this.#enter(claim === false ? { request, onPath: no } : (claim as Claim), stream, NOTHING)
  }

  // --- UpgradeOwner

  settled(stream: Duplex): void {
    this.#owner.settled(stream)
  }

  opened(socket: WebSocketConnection<Data>, request: UpgradeRequest): void {
    this.#owner.opened(socket, request)
  }

  refused(refusal: RefusedUpgrade): void {
    count(this.refusals, refusal.code)
    this.#owner.refused(refusal)
  }

  #claim(request: AnyRequest): Claim | false {
    try {
      return this.settings.onPath(request) && { request, onPath: yes }
    } catch (error) {
      const onPath = (): never => {
        throw error
      }
      return { request, onPath }
    }
  }

  /** A stream belongs to one server: a second one would write its answer into the first one's connection. */
  #enter({ request, onPath }: Claim, stream: Markable, head: Uint8Array): Outcome<Data> | Promise<Outcome<Data>> {
    if (stream[TAKEN] === true) return this.#misused(request, TAKEN_ALREADY)
    if (isAnswered(stream)) return this.#misused(request, ANSWERED)
    stream[TAKEN] = true
    return new Upgrade(this, request, stream, head).run(onPath)
  }

  #misused(request: AnyRequest, message: string): undefined {
    this.refused({ status: undefined, code: 'USAGE', message, request })
  }
}
