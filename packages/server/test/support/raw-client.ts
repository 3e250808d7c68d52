// A client of bytes: what it writes and reads is what is on the wire. It knows just enough of HTTP and of frames to say
// where an answer or a frame ends, and nothing of the product.

import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { onTestFinished } from 'vitest'

/** The RFC's sample (§1.3). */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

/** The whole answer to a plain, accepted request. */
export const SWITCHING = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Accept: ${ACCEPT}`,
]

export interface RequestParts {
  start?: string
  /** Header lines in place of the usual ones of that name. */
  replace?: string[]
  /** Header lines behind the usual ones. */
  add?: string[]
  omit?: string[]
}

const nameOf = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase()

/** The text of an upgrade request, changed as asked. */
export function upgradeRequest({ start = 'GET / HTTP/1.1', replace = [], add = [], omit = [] }: RequestParts = {}) {
  const usual = [
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ]
  const gone = new Set([...replace.map(nameOf), ...omit.map((name) => name.toLowerCase())])
  const lines = [start, ...usual.filter((line) => !gone.has(nameOf(line))), ...replace, ...add]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** A frame of a client, with the masking key 00000000 (STANDARDS H8). */
export function clientFrame(opcode: number, payload: string | readonly number[] | Uint8Array): Buffer {
  const body = Buffer.from(payload as string)
  if (body.length > 125) throw new Error('the helper makes short frames only')
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length, 0, 0, 0, 0]), body])
}

export const textFrame = (text: string) => clientFrame(1, text)

export function closeFrame(code: number): Buffer {
  return clientFrame(8, Buffer.from([code >> 8, code & 0xff]))
}

export interface Answer {
  /** The lines of the head, without the empty one. */
  head: string[]
  status: number
  body: string
}

export class RawClient {
  readonly socket: net.Socket
  #bytes = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => {}

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('error', () => {}) // a server may reset
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', end).on('close', end)
    onTestFinished(() => this.destroy())
  }

  /** Answers the server's end with its own, unless it is told otherwise by `allowHalfOpen`. */
  static async connect(target: number | string | net.TcpNetConnectOpts): Promise<RawClient> {
    const options = typeof target === 'number' ? { port: target, host: '127.0.0.1' } : target
    const socket = typeof options === 'string' ? net.connect(options) : net.connect(options)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  static async connectTls(options: tls.ConnectionOptions): Promise<RawClient> {
    const socket = tls.connect({ host: '127.0.0.1', servername: 'localhost', ...options })
    await once(socket, 'secureConnect')
    return new RawClient(socket)
  }

  write(...parts: (string | Uint8Array)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))))
  }

  /** Writes a request; yields the head of its answer. */
  async upgrade(parts?: RequestParts): Promise<string[]> {
    this.write(upgradeRequest(parts))
    return await this.head()
  }

  /** Writes a request; yields its answer up to the end of the connection. */
  async refusal(parts?: RequestParts): Promise<Answer> {
    this.write(upgradeRequest(parts))
    return await this.answer()
  }

  async answer(): Promise<Answer> {
    const head = await this.head()
    const body = (await this.rest()).toString()
    return { head, status: Number(head[0]?.split(' ')[1]), body }
  }

  async head(): Promise<string[]> {
    await this.#until(() => this.#bytes.includes('\r\n\r\n'))
    const end = this.#bytes.indexOf('\r\n\r\n')
    return this.#take(end + 4)
      .toString('latin1', 0, end)
      .split('\r\n')
  }

  async read(size: number): Promise<Buffer> {
    await this.#until(() => this.#bytes.length >= size)
    return this.#take(size)
  }

  /** One unmasked frame: its first byte and its payload. */
  async frame(): Promise<{ first: number; payload: Buffer }> {
    const [first = 0, short = 0] = await this.read(2)
    const length = short < 126 ? short : (await this.read(2)).readUInt16BE()
    return { first, payload: await this.read(length) }
  }

  async text(): Promise<string> {
    const { first, payload } = await this.frame()
    if (first !== 0x81) throw new Error(`expected a text frame; got first byte 0x${first.toString(16)}`)
    return payload.toString()
  }

  async closeCode(): Promise<number> {
    const { first, payload } = await this.frame()
    if (first !== 0x88) throw new Error(`expected a Close frame; got first byte 0x${first.toString(16)}`)
    return payload.readUInt16BE()
  }

  /** All bytes up to the server's end. */
  async rest(): Promise<Buffer> {
    await this.#until(() => this.#ended)
    return this.#take(this.#bytes.length)
  }

  /** Resolves when nothing of the connection is left. */
  async closed(): Promise<void> {
    this.socket.resume()
    if (!this.socket.closed) await once(this.socket, 'close')
  }

  async destroy(): Promise<void> {
    this.socket.destroy()
    await this.closed()
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  #take(size: number): Buffer {
    const taken = this.#bytes.subarray(0, size)
    this.#bytes = this.#bytes.subarray(size)
    return taken
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#ended)
        throw new Error(`the connection ended; unread: ${JSON.stringify(this.#bytes.toString('latin1'))}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
