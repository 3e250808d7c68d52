// One message to many connections. Rules: it is framed once, and compressed once for all that agreed on the same; each
// connection gets it in the order of its own sends and keeps its own limits, so one that is slow, or gone, delays nobody.

import { Buffer } from 'node:buffer'
import type { MessageData, SendOptions } from '../connection.ts'
import { FIN, Opcode, RSV1 } from '../constants.ts'
import { usage } from '../errors.ts'
import { encodeFrame } from '../output.ts'
import { outboxOf, senderOf, type WebSocketConnection } from './connection.ts'
import type { ConnectionCodec } from './deflate/codec.ts'
import { asPayload, checkText, isBlob } from './payload.ts'
import { type SharedFrame, shareFrame } from './shared-frames.ts'

/** How a message goes to many. */
export interface BroadcastOptions<Data = unknown> extends Pick<SendOptions, 'binary' | 'compress'> {
  /** Sends only to connections for which it returns true. */
  readonly filter?: ((socket: WebSocketConnection<Data>) => boolean) | undefined
}

/**
 * Sends one message to each of `sockets` that is open; a large payload may be read until it has left everywhere.
 * @returns to how many it was given; what they do not take in time is the matter of their own `maxBackpressure`
 * @throws UsageError if `data` is none of string, ArrayBuffer and view
 */
export function broadcast<Data>(
  sockets: Iterable<WebSocketConnection<Data>>,
  data: Exclude<MessageData, { arrayBuffer(): unknown }>,
  options: BroadcastOptions<Data> = {},
): number {
  const { filter, ...sending } = options
  const payload = asPayload(data)
  if (isBlob(payload)) throw usage('data to broadcast', 'a string, an ArrayBuffer, a typed array or a DataView', data)
  const text = sending.binary === undefined ? typeof payload === 'string' : !sending.binary
  if (text && typeof payload !== 'string') checkText(payload)
  const each: SendOptions = { ...sending, binary: !text }
  let message: SharedMessage | undefined
  let count = 0
  for (const socket of sockets) {
    if (filter !== undefined && !filter(socket)) continue
    message ??= new SharedMessage(FIN | (text ? Opcode.Text : Opcode.Binary), bytesOf(payload))
    const to = socket as WebSocketConnection
    if (outboxOf(to).takeShared(message) || senderOf(to).sendShared(message, payload, each)) count++
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

function bytesOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === 'string' ? Buffer.from(payload) : payload
}
