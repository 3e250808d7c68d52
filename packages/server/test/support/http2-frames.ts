// A raw HTTP/2 client: frames as bytes, and no rules, since Node's own client keeps them. It knows just enough of RFC 9113 and of
// HPACK (literals only, RFC 7541 §6.2.2) to ask for WebSockets and to take that back.

import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'

export const FrameType = { Data: 0, Headers: 1, Reset: 3, Settings: 4, GoAway: 7 } as const

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HEAD = 9
const ACK = 1
const END_HEADERS = 4

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function literal(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
}

/** A HEADERS frame that asks for a WebSocket; pairs of name and value replace the usual ones. */
export function request(stream: number, headers: readonly (readonly [string, string])[] = REQUEST): Buffer {
  const block = headers.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)])
  return headersFrame(stream, Buffer.concat(block))
}

/** A HEADERS frame with whatever in it. */
export function headersFrame(stream: number, block: Uint8Array): Buffer {
  return frame(FrameType.Headers, END_HEADERS, stream, block)
}

export const REQUEST: readonly (readonly [string, string])[] = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', '127.0.0.1'],
  ['sec-websocket-version', '13'],
]

/** A RST_STREAM frame. */
export function reset(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(code)
  return frame(FrameType.Reset, 0, stream, payload)
}

/** One session. */
export class RawHttp2 {
  readonly socket: net.Socket
  /** What has come, in order. */
  readonly frames: Frame[] = []
  #bytes = Buffer.alloc(0)
  #wake: () => void = () => {}
  #ended = false

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('error', () => {}) // a server may reset
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
    onTestFinished(() => void socket.destroy())
  }

  /** Connects and exchanges settings. */
  static async connect(port: number): Promise<RawHttp2> {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const client = new RawHttp2(socket)
    socket.write(Buffer.concat([Buffer.from(PREFACE), frame(FrameType.Settings, 0, 0)]))
    await client.until((frames) => frames.some(({ type, flags }) => type === FrameType.Settings && flags === ACK))
    return client
  }

  write(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  /** Waits for frames, or for the end of the session. */
  async until(met: (frames: readonly Frame[]) => boolean): Promise<void> {
    while (!met(this.frames) && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The code that a stream was reset with, once it is. */
  async resetCode(stream: number): Promise<number | undefined> {
    const find = () => this.frames.find((given) => given.type === FrameType.Reset && given.stream === stream)
    await this.until(() => find() !== undefined)
    return find()?.payload.readUInt32BE()
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= HEAD) {
      const length = this.#bytes.readUIntBE(0, 3)
      if (this.#bytes.length < HEAD + length) break
      const [type = 0, flags = 0] = this.#bytes.subarray(3)
      const payload = this.#bytes.subarray(HEAD, HEAD + length)
      this.frames.push({ type, flags, stream: this.#bytes.readUInt32BE(5), payload })
      this.#bytes = this.#bytes.subarray(HEAD + length)
      if (type === FrameType.Settings && flags !== ACK) this.write(frame(FrameType.Settings, ACK, 0))
    }
    this.#wake()
  }
}
