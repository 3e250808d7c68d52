// What the protocol asks of the compression of one connection (RFC 7692 §6). The engine is the machine's: zlib on Node. There is
// no portable one; without an engine the extension is not negotiated.

/** How a message breaks the rules of compression. */
export type DeflateFault = 'INVALID_DEFLATE' | 'MESSAGE_TOO_BIG'

/** Inflates the messages of the peer, in their order. */
export interface Decompressor {
  /**
   * Inflates a message, to at most `limit` bytes, and stops there.
   * @param payload of all its frames together; an empty one is an empty message
   * @returns the message, whose bytes hold until the next call, or which rule it breaks; `undefined` if that takes longer:
   * then `sink` is told, in a later turn, unless {@link MessageCompression.close} comes first
   */
  inflate(payload: Uint8Array, limit: number, sink: InflateSink): Uint8Array | DeflateFault | undefined
}

/** Who waits for a message that takes longer. */
export interface InflateSink {
  /** The message, which is the receiver's to keep, or which rule it breaks. */
  onInflated(inflated: Uint8Array | DeflateFault): void
}

/** Compresses messages for the peer, in the order in which they are sent. */
export interface Compressor {
  /** Compresses a message. The result is the caller's; `undefined` if it would not be smaller: it is to be sent as it is. */
  deflate(message: Uint8Array): Uint8Array | undefined
}

/** permessage-deflate of one connection, as negotiated. */
export interface MessageCompression extends Compressor, Decompressor {
  /** Messages of fewer bytes are sent as they are. */
  readonly threshold: number
  /** Gives everything back; no more messages come or go. Called more than once. */
  close(): void
}

/**
 * How large a message of `size` bytes may be once it is compressed: what does not compress grows. zlib's bound for its worst
 * case, with little memory and small windows (`deflateBound`), is an eighth more.
 */
export function largestCompressed(size: number): number {
  return size + Math.floor(size / 8) + 64
}
