// Where the protocol puts the frames that it makes. The connection of `@ws/protocol/node` writes them into slabs that go
// to a socket; this portable one keeps them until they are taken.

import { frameHeaderSize, writeFrameHeader } from './frame/header.ts'
import { applyMask } from './frame/mask.ts'
import { encodeUtf8 } from './message/utf8.ts'

/** Draws a masking key; a server has none, its frames are not masked (RFC 6455 §5.1). */
export type KeySource = (() => number) | undefined

/** Takes frames, in the order in which they are to leave. `first` is the first byte: FIN, RSV1 and the opcode. */
export interface FrameOutput {
  /** Whether bytes taken earlier still wait for the peer to accept them: then pongs are coalesced (§5.5.3). */
  readonly blocked: boolean
  writeText(first: number, text: string, nextKey: KeySource): void
  writeBinary(first: number, payload: Uint8Array, nextKey: KeySource): void
}

/** Makes one frame as bytes. The payload is copied, so masking leaves the caller's bytes alone (STANDARDS H7). */
export function encodeFrame(first: number, payload: Uint8Array, key: number | undefined): Uint8Array {
  const size = frameHeaderSize(payload.length, key !== undefined)
  const frame = new Uint8Array(size + payload.length)
  writeFrameHeader(frame, 0, first, payload.length, key)
  frame.set(payload, size)
  if (key !== undefined) applyMask(frame, size, frame.length, key, 0)
  return frame
}

/** The portable output: frames wait as bytes until {@link take}. */
export class BufferedOutput implements FrameOutput {
  #frames: Uint8Array[] = []
  /** Set this while the transport does not take bytes; the protocol then coalesces pongs. */
  blocked = false

  writeText(first: number, text: string, nextKey: KeySource): void {
    this.writeBinary(first, encodeUtf8(text), nextKey)
  }

  writeBinary(first: number, payload: Uint8Array, nextKey: KeySource): void {
    this.#frames.push(encodeFrame(first, payload, nextKey?.()))
  }

  /** All bytes since the last call, in order; empty if there are none. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.#frames.reduce((sum, frame) => sum + frame.length, 0))
    let at = 0
    for (const frame of this.#frames) {
      bytes.set(frame, at)
      at += frame.length
    }
    this.#frames = []
    return bytes
  }
}
