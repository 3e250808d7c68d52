// A transport over TLS. Its chunks are fresh memory as on TCP; what is written stays in use until the cipher has taken it.

import type { TLSSocket } from 'node:tls'
import { StreamTransport } from './stream.ts'

export class TlsTransport extends StreamTransport {
  readonly canReuse = false

  constructor(socket: TLSSocket, head?: Uint8Array) {
    super(socket, head)
    socket.setNoDelay(true)
    socket.setTimeout(0)
  }

  protected own(chunk: Uint8Array): Uint8Array {
    return chunk
  }
}
