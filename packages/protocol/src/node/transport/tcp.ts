// A transport over a plain socket of Node: TCP or a Unix socket.

import { Socket } from 'node:net'
import { StreamTransport } from './stream.ts'

/** A socket that has its handle; only such a one gives its memory back with the write. */
type Inside = Socket & { _handle?: { constructor: { name: string } } | null }

/** Chunks are fresh memory that Node read for this socket alone, so they may be unmasked in place. */
export class TcpTransport extends StreamTransport {
  constructor(socket: Socket, head?: Uint8Array) {
    super(socket, head)
    socket.setNoDelay(true)
    socket.setTimeout(0)
  }

  /** A native handle and an untouched `write`: then an empty `writableLength` means that the kernel has its copy. */
  get canReuse(): boolean {
    const socket = this.stream as Inside
    const handle = socket._handle?.constructor.name
    const native = handle === 'TCP' || handle === 'Pipe'
    return native && socket.write === Socket.prototype.write && socket.writableCorked === 0 && !socket.connecting
  }

  protected own(chunk: Uint8Array): Uint8Array {
    return chunk
  }
}
