// One extended CONNECT on a session (RFC 8441 §5): the request, the answer, and the stream as a transport. Rules:
// - It settles once, whatever happens and in whichever order; a stream that does not become a connection is reset with CANCEL, and
//   nothing else on the session is touched.
// - An error that comes afterwards finds a listener.

import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2'
import { checkConnectResponse, type Established, type NotEstablished } from '@ws/protocol'
import { openTransport } from '@ws/protocol/node'
import { Answer, isRedirect, withProtocol } from '../answer.ts'
import type { TimeBudget } from '../budget.ts'
import { connectFailure, located, timeoutFailure, type Whereabouts } from '../failure.ts'
import type { Upgraded } from '../handshake.ts'
import type { Plan } from '../plan.ts'
import { serverAddress } from '../request.ts'
import type { Http2Plan } from './choice.ts'
import { CANCEL, streamFailure } from './failure.ts'
import type { Place } from './pooled-session.ts'

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader

/** What came before the body. */
interface Head {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
}

interface Outcome {
  resolve(upgraded: Upgraded): void
  reject(error: unknown): void
}

/** Asks for a WebSocket on a stream of its own. */
export class StreamRequest {
  readonly #plan: Plan
  readonly #http2: Http2Plan
  readonly #place: Place
  readonly #budget: TimeBudget
  readonly #whereabouts: Whereabouts
  #outcome: Outcome | undefined
  #stream: ClientHttp2Stream | undefined
  #timer: NodeJS.Timeout | undefined
  #error: Error | undefined
  #head: Head | undefined
  #answer: Answer<ClientHttp2Stream> | undefined

  /** @param place taken for it; given back when the stream is closed */
  constructor(place: Place, plan: Plan, http2: Http2Plan, budget: TimeBudget) {
    this.#plan = plan
    this.#http2 = http2
    this.#place = place
    this.#budget = budget
    this.#whereabouts = { address: serverAddress(plan.target, plan), securing: false }
  }

  /** What the stream was reset with, as far as it was. */
  get rstCode(): number {
    return this.#stream?.rstCode ?? 0
  }

  /** Sends the request; resolves with the transport, or rejects with a HandshakeError or the signal's reason. To be called once. */
  send(): Promise<Upgraded> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#plan
      this.#outcome = { resolve, reject }
      this.#timer = setTimeout(() => this.#timedOut(), this.#budget.begin())
      signal?.addEventListener('abort', this.#onAbort)
      if (signal?.aborted !== true) return this.#open()
      this.#place.leave()
      this.#onAbort()
    })
  }

  #open(): void {
    const { session, leave } = this.#place
    const { headers } = this.#http2.request
    try {
      const stream = session.request(Object.fromEntries(headers), { endStream: false })
      this.#stream = stream
      stream.on('response', this.#onResponse as (headers: Headers, flags: number) => void)
      stream.on('error', this.#onError)
      stream.on('close', this.#onClose)
      stream.on('close', leave)
    } catch (error) {
      leave() // the session ended before this could begin
      this.#fail(connectFailure(error, this.#whereabouts))
    }
  }

  // Every Node gives the headers as they came too; it says so from 24 on.
  readonly #onResponse = (headers: Headers, _flags: number, raw: readonly string[]): void => {
    if (this.#outcome === undefined) return
    const stream = this.#stream as ClientHttp2Stream
    const { ':status': status = 0, ...fields } = headers
    const rawHeaders = raw.slice(2 * pseudoHeaders(raw))
    this.#head = { status, headers: fields, rawHeaders }
    const verdict = this.#judge(this.#head)
    if (verdict.established) return this.#succeed(stream, verdict)
    const opens = status >= 200 && status < 300
    // The body of a redirect that will be followed is nobody's, and where a WebSocket was granted, frames come.
    if (opens || (this.#plan.followRedirects && isRedirect(status)))
      return this.#fail(located(verdict.error, this.#whereabouts))
    this.#answer = new Answer(stream, () => this.#refused())
  }

  #judge(head: Head, body?: Uint8Array): Established | NotEstablished {
    const { request } = this.#http2
    const verdict = checkConnectResponse({ ...head, body }, request)
    return this.#plan.requireProtocol ? withProtocol(verdict, request, head) : verdict
  }

  #succeed(stream: ClientHttp2Stream, { protocol, extensions, deflate }: Established): void {
    const outcome = this.#settle()
    stream.off('response', this.#onResponse as () => void)
    stream.off('close', this.#onClose)
    Object.assign(stream, { unref: this.#place.unref }) // which the transport calls, as it does with a socket
    outcome?.resolve({ transport: openTransport(stream), protocol, extensions, deflate })
  }

  /** An answer that opens nothing, and its body as far as it has come. */
  #refused(): void {
    const verdict = this.#judge(this.#head as Head, this.#answer?.body)
    if (!verdict.established) this.#fail(located(verdict.error, this.#whereabouts))
  }

  readonly #onError = (error: Error): void => {
    this.#error ??= error
  }

  readonly #onClose = (): void => {
    if (this.#answer !== undefined) return this.#refused()
    const stream = this.#stream as ClientHttp2Stream
    this.#fail(streamFailure(stream, this.#place.session.destroyed, this.#error, this.#whereabouts))
  }

  #timedOut(): void {
    if (this.#answer !== undefined) return this.#refused()
    this.#fail(timeoutFailure(this.#budget.total, 'the server has not answered the handshake', this.#whereabouts))
  }

  readonly #onAbort = (): void => this.#fail(this.#plan.signal?.reason)

  #fail(error: unknown): void {
    const outcome = this.#settle()
    if (outcome === undefined) return
    this.#stream?.close(CANCEL)
    this.#stream?.destroy() // in a session that Node has given up, no end would come by itself
    outcome.reject(error)
  }

  /** @returns the outcome, the first time */
  #settle(): Outcome | undefined {
    const outcome = this.#outcome
    if (outcome === undefined) return undefined
    this.#outcome = undefined
    this.#budget.end()
    clearTimeout(this.#timer)
    this.#plan.signal?.removeEventListener('abort', this.#onAbort)
    return outcome
  }
}

/** They come first (RFC 9113 §8.3). */
function pseudoHeaders(raw: readonly string[]): number {
  let count = 0
  while (raw[2 * count]?.startsWith(':')) count++
  return count
}
