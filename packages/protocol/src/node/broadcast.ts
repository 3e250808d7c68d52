// One message to many connections. Rules: it is framed once, and compressed once for all that agreed on the same; each
// connection gets it in the order of its own sends and keeps its own limits, so one that is slow, or gone, delays nobody.
// Options are checked before anything is sent.

import { Buffer } from 'node:buffer'
import type { SendOptions } from '../connection.ts'
import { FIN, Opcode, RSV1 } from '../constants.ts'
import { usage } from '../errors.ts'
import { encodeFrame } from '../output.ts'
import { outboxOf, senderOf, type WebSocketConnection } from './connection.ts'
import type { ConnectionCodec } from './deflate/codec.ts'
import { SENT } from './diagnostics.ts'
import { isPromiseLike } from './invoke.ts'
import { asPayload, checkText, isBlob } from './payload.ts'
import { type SharedFrame, shareFrame } from './shared-frames.ts'

/** What may be sent to many: a Blob would have to be read for each of them. */
export type BroadcastData = string | ArrayBuffer | ArrayBufferView

/** How a message goes to many. */
export interface BroadcastOptions<Data = unknown> extends Pick<SendOptions, 'binary' | 'compress'> {
  /** Sends only to connections for which it returns true. It is called for one after the other, and cannot be asynchronous. */
  readonly filter?: ((socket: WebSocketConnection<Data>) => boolean) | undefined
  /** Leaves out a connection, or several: whoever the message comes from. */
  readonly except?: WebSocketConnection<Data> | Iterable<WebSocketConnection<Data>> | undefined
}

/**
 * Sends one message to each of `sockets` that is open; a large payload may be read until it has left everywhere.
 * @returns to how many it was given; what they do not take in time is the matter of their own `maxBackpressure`
 * @throws UsageError if `data` is none of string, ArrayBuffer and view, or an option is wrong
 */
export function broadcast<Data>(
  sockets: Iterable<WebSocketConnection<Data>>,
  data: BroadcastData,
  options: BroadcastOptions<Data> = {},
): number {
  if (typeof options !== 'object' || options === null) throw usage('options', 'an object', options)
  const { binary, compress } = options
  const isLeftOut = leftOut(options)
  const payload = asPayload(data)
  if (isBlob(payload)) throw usage('data to broadcast', 'a string, an ArrayBuffer, a typed array or a DataView', data)
  const text = binary === undefined ? typeof payload === 'string' : !binary
  if (text && typeof payload !== 'string') checkText(payload)
  const each: SendOptions = { binary: !text, compress }
  const observed = SENT.hasSubscribers
  let message: SharedMessage | undefined
  let count = 0
  for (const socket of sockets) {
    if (isLeftOut?.(socket) === true) continue
    message ??= new SharedMessage(FIN | (text ? Opcode.Text : Opcode.Binary), bytesOf(payload))
    const to = socket as WebSocketConnection
    if (outboxOf(to).takeShared(message)) {
      count++
      if (observed) senderOf(to).reportSent(payload, each)
    } else if (senderOf(to).sendShared(message, payload, each)) count++
  }
  return count
}

/** The frames of one message: plain, and compressed for each set of parameters; each made when the first connection needs it. */
export class SharedMessage {
  readonly #first: number
  readonly #bytes: Uint8Array
  #plain: SharedFrame | undefined
  #compressed: Map<number, SharedFrame> | undefined

  constructor(first: number, bytes: Uint8Array) {
    this.#first = first
    this.#bytes = bytes
  }

  get plain(): SharedFrame {
    this.#plain ??= shareFrame(encodeFrame(this.#first, this.#bytes, undefined))
    return this.#plain
  }

  /** The frame for all connections of a group of codecs; plain if the message does not shrink. */
  compressed(group: number, codec: ConnectionCodec): SharedFrame {
    this.#compressed ??= new Map()
    let frame = this.#compressed.get(group)
    if (frame === undefined) {
      const deflated = codec.deflate(this.#bytes)
      frame =
        deflated === undefined ? this.plain : shareFrame(encodeFrame(this.#first | RSV1, deflated, undefined), group)
      this.#compressed.set(group, frame)
    }
    return frame
  }
}

type Choice<Data> = (socket: WebSocketConnection<Data>) => boolean

/** What says whether a connection is left out; `undefined` if none is. */
function leftOut<Data>({ filter, except }: BroadcastOptions<Data>): Choice<Data> | undefined {
  const excepted = except === undefined ? undefined : choiceOf(except)
  if (filter === undefined) return excepted
  if (typeof filter !== 'function') throw usage('option filter', 'a function', filter)
  return (socket) => excepted?.(socket) === true || !passes(filter, socket)
}

/** A promise is truthy, whatever it comes to: an asynchronous filter would let everybody through. */
function passes<Data>(filter: Choice<Data>, socket: WebSocketConnection<Data>): boolean {
  const answer: unknown = filter(socket)
  if (isPromiseLike(answer)) throw usage('the answer of option filter', 'a boolean', answer)
  return Boolean(answer)
}

function choiceOf<Data>(except: NonNullable<BroadcastOptions<Data>['except']>): Choice<Data> {
  if (isConnection(except)) return (socket) => socket === except
  const expected = 'a connection, or an iterable of connections'
  if (typeof (except as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function')
    throw usage('option except', expected, except)
  const several = new Set(except as Iterable<WebSocketConnection<Data>>)
  for (const one of several) if (!isConnection(one)) throw usage('option except', expected, one)
  return (socket) => several.has(socket)
}

/** By shape, since a connection of another copy of this package is one too. */
function isConnection(value: unknown): boolean {
  return typeof (value as { sendStream?: unknown } | null | undefined)?.sendStream === 'function'
}

function bytesOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === 'string' ? Buffer.from(payload) : payload
}
