// What an `authenticate` hook may answer, and reading it. Rule: it fails closed. Only an answer that is understood whole
// admits a client; any other is a fault of the hook, which throws here and becomes a 500.

import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http'
import { type Header, UsageError } from '@ws/protocol'
import { type UpgradeRequest, usage } from '@ws/protocol/node'
import type { Refusal } from './refuse.ts'
import { isObject } from './validate.ts'

/** Headers to send: an object (a list of values is several lines), a `Headers`, a Map or pairs. */
export type HeadersGiven =
  | Readonly<Record<string, string | number | readonly string[]>>
  | Iterable<readonly [name: string, value: string]>

/** The client may connect. */
export interface Admitted<Data> {
  /** Becomes the connection's `data`. */
  readonly data?: Data | undefined
  /** The subprotocol: one that the client offers. By default the option `protocols` chooses. */
  readonly protocol?: string | undefined
  /** Further headers of the 101 answer, cookies for example. */
  readonly headers?: HeadersGiven | undefined
  readonly status?: undefined
}

/** The client may not connect, and gets this answer. */
export interface Refused {
  /** From 300 to 599. */
  readonly status: number
  readonly headers?: HeadersGiven | undefined
  /** By default the name of the status. */
  readonly body?: string | Uint8Array | undefined
}

/** What a hook decides: nothing or `true` admits, `false` refuses with 401. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing at all is meant
export type Decision<Data> = Admitted<Data> | Refused | boolean | undefined | void

/** What a hook gets besides the request. */
export interface AuthenticateContext {
  /** Aborts when the client leaves, when the handshake times out, and when the server closes. */
  readonly signal: AbortSignal
}

/** Decides on an upgrade; see {@link Decision}. Throwing or rejecting refuses with 500. */
export type Authenticate<Data> = (
  request: UpgradeRequest,
  context: AuthenticateContext,
) => Decision<Data> | PromiseLike<Decision<Data>>

/** An understood decision. */
export type Verdict<Data> =
  | {
      readonly admitted: true
      readonly data: Data | undefined
      readonly protocol: string | undefined
      readonly headers: readonly Header[]
    }
  | { readonly admitted: false; readonly refusal: Refusal }

const ADMITTED: Verdict<never> = { admitted: true, data: undefined, protocol: undefined, headers: [] }
const FIRST_REFUSAL = 300
const LAST_REFUSAL = 599
/** They say how long the answer is and that the connection ends: ours to write. */
const RESERVED = ['connection', 'content-length', 'transfer-encoding']

/** Reads a decision. @throws UsageError, or Node's error about a header, if it is none */
export function readDecision<Data>(decision: Decision<Data>): Verdict<Data> {
  if (decision === undefined || decision === true) return ADMITTED
  if (decision === false) return { admitted: false, refusal: { status: 401, body: defaultBody(401) } }
  if (typeof decision !== 'object' || decision === null) {
    throw usage('option authenticate', 'a function that returns an object, a boolean or nothing', decision)
  }
  return decision.status === undefined ? admit(decision) : { admitted: false, refusal: readRefused(decision) }
}

function admit<Data>({ data, protocol, headers }: Admitted<Data>): Verdict<Data> {
  return { admitted: true, data, protocol, headers: headerList(headers) }
}

function readRefused({ status, headers, body }: Refused): Refusal {
  if (!Number.isInteger(status) || status < FIRST_REFUSAL || status > LAST_REFUSAL) {
    throw new UsageError(
      `authenticate must refuse with a status from ${FIRST_REFUSAL} to ${LAST_REFUSAL}; got ${String(status)}`,
    )
  }
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new UsageError(`authenticate must refuse with a body that is a string or bytes; got ${typeof body}`)
  }
  const list = headerList(headers)
  list.forEach(checkHeader)
  return { status, headers: list, body: body ?? defaultBody(status) }
}

function defaultBody(status: number): string {
  return `${STATUS_CODES[status] ?? 'Refused'}\n`
}

function checkHeader([name, value]: Header): void {
  validateHeaderName(name)
  validateHeaderValue(name, value)
  if (RESERVED.includes(name.toLowerCase())) throw new UsageError(`header ${name} is written by the server itself`)
}

/** Headers as a flat list, one line each; values are still to be checked. */
function headerList(given: HeadersGiven | undefined): Header[] {
  if (given === undefined) return []
  if (!isObject(given)) throw new UsageError(`authenticate must give headers as an object; got ${typeof given}`)
  const entries = Symbol.iterator in given ? [...given] : Object.entries(given)
  return entries.flatMap(([name, value]) => {
    const values: readonly (string | number)[] = typeof value === 'object' ? value : [value]
    return values.map((one): Header => [name, typeof one === 'number' ? String(one) : one])
  })
}
