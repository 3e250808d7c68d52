// Frames by hand, to see what the client puts on the wire and to answer it (RFC 6455 §5.2). Slow, obvious, independent of
// the codec under test.

import type { Socket } from 'node:net'

export interface Frame {
  /** FIN, the reserved bits and the opcode. */
  readonly first: number
  /** The masking key in hex; `undefined` if the frame is not masked. */
  readonly key: string | undefined
  readonly payload: Buffer
}

/** A frame of a server: not masked. */
export function frame(first: number, payload: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(payload as string)
  if (bytes.length < 126) return Buffer.concat([Buffer.of(first, bytes.length), bytes])
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes.length))
  if (bytes.length < 65536) return Buffer.concat([Buffer.of(first, 126), length.subarray(6), bytes])
  return Buffer.concat([Buffer.of(first, 127), length, bytes])
}

/** A Close frame of a server. */
export function closeFrame(code?: number, reason = ''): Buffer {
  if (code === undefined) return frame(0x88)
  return frame(0x88, Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)]))
}

/** Reads the frames that a client sends, one after the other. */
export class FrameReader {
  #bytes = Buffer.alloc(0)
  readonly #frames: Frame[] = []
  #wake = (): void => {}

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  /** Waits for the next frame. */
  async next(): Promise<Frame> {
    for (;;) {
      const next = this.#frames.shift()
      if (next !== undefined) return next
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (let read = this.#read(); read !== undefined; read = this.#read()) {
      this.#frames.push(read)
      this.#wake()
    }
  }

  #read(): Frame | undefined {
    const bytes = this.#bytes
    if (bytes.length < 2) return undefined
    const short = bytes.readUInt8(1) & 0x7f
    const lengthSize = short < 126 ? 0 : short === 126 ? 2 : 8
    const masked = bytes.readUInt8(1) >= 0x80
    const start = 2 + lengthSize + (masked ? 4 : 0)
    if (bytes.length < start) return undefined
    const length = lengthSize === 0 ? short : Number(`0x${bytes.toString('hex', 2, 2 + lengthSize)}`)
    if (bytes.length < start + length) return undefined
    this.#bytes = bytes.subarray(start + length)
    const payload = Buffer.from(bytes.subarray(start, start + length))
    if (!masked) return { first: bytes.readUInt8(0), key: undefined, payload }
    const key = bytes.subarray(start - 4, start)
    return {
      first: bytes.readUInt8(0),
      key: key.toString('hex'),
      payload: payload.map((byte, at) => byte ^ key.readUInt8(at % 4)) as Buffer,
    }
  }
}
