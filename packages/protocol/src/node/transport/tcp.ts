// A transport over a plain socket of Node: TCP or a Unix socket.

import { Socket } from 'node:net'
import { isFree, type Writing, writeDirectly } from './direct-write.ts'
import { pushFromWindow, readIntoWindow } from './onread.ts'
import { StreamTransport, transportOf } from './stream.ts'
import type { Writer, Written } from './transport.ts'

/** A socket that has its handle; only such a one gives its memory back with the write. */
type Inside = Socket & { _handle?: { constructor: { name: string } } | null }

/** Reads into the receive window; where that cannot be, chunks are fresh memory that may be unmasked in place. */
export class TcpTransport extends StreamTransport implements Writing {
  /** Whether its handle is one of those; unknown until it is connected. */
  #native: boolean | undefined
  /** Bytes of a direct write that the operating system has not all taken. */
  #waiting = 0
  /** Of the last write that had to wait. */
  #writer: Writer | undefined

  constructor(socket: Socket, head?: Uint8Array) {
    super(socket, head)
    socket.setNoDelay(true)
    socket.setTimeout(0)
  }

  override get buffered(): number {
    return super.buffered + this.#waiting
  }

  override write(bytes: Uint8Array, writer: Writer): Written {
    const socket = this.stream as Socket
    if (this.#waiting > 0 || !this.#isNative(socket) || !isFree(socket)) return super.write(bytes, writer)
    if (writeDirectly(socket, bytes, this)) return 'left'
    this.#waiting = bytes.length
    this.#writer = writer
    return 'waits'
  }

  written(error?: Error | null): void {
    this.#waiting = 0
    this.#writer?.wrote(error)
  }

  /** A native handle and an untouched `write`: then an empty `writableLength` means that the kernel has its copy. */
  get canReuse(): boolean {
    const socket = this.stream as Socket
    const { destroyed, writableCorked, write } = socket
    return !destroyed && writableCorked === 0 && write === Socket.prototype.write && this.#isNative(socket)
  }

  /** A handle is looked at once, when it is connected: to ask for it costs more than all the rest. A socket keeps it to its end. */
  #isNative(socket: Inside): boolean {
    if (this.#native === undefined && !socket.connecting) {
      const name = socket._handle?.constructor.name
      this.#native = name === 'TCP' || name === 'Pipe'
    }
    return this.#native === true
  }

  /** What Node has read already comes first: the socket may have been reading since it was accepted. */
  protected override listen(): void {
    for (let chunk = this.stream.read(); chunk !== null; chunk = this.stream.read()) this.receive(chunk)
    if (readIntoWindow(this.stream as Socket, onRead)) this.stream.resume()
    else super.listen()
  }

  protected own(chunk: Uint8Array): Uint8Array {
    return chunk
  }
}

/** Once it reads into the window a socket does so to its end: without a transport, its bytes are its own again. */
function onRead(this: Socket, size: number): boolean {
  const transport = transportOf(this)
  if (transport === undefined) return pushFromWindow.call(this, size)
  transport.receiveWindow(size)
  return true
}
