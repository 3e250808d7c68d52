// Chooses the transport for a stream.

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { DuplexTransport } from './duplex.ts'
import { Http2Transport, isHttp2Stream } from './http2.ts'
import { TcpTransport } from './tcp.ts'
import { TlsTransport } from './tls.ts'
import type { Transport } from './transport.ts'

/**
 * Makes the transport that fits a connected stream: TCP and Unix sockets, TLS, a stream of HTTP/2, or any other Duplex.
 * @param head bytes already read from it: they are delivered first
 */
export function openTransport(stream: Duplex, head?: Uint8Array): Transport {
  if (stream instanceof TLSSocket) return new TlsTransport(stream, head)
  if (stream instanceof Socket) return new TcpTransport(stream, head)
  return isHttp2Stream(stream) ? new Http2Transport(stream, head) : new DuplexTransport(stream, head)
}
