// What a target is: an end of the product with an application that echoes (or closes), and a raw peer for each case. It is reached
// over TCP (targets.ts), or over HTTP/2 (http2-targets.ts).

import type { CloseInfo } from '@ws/protocol'
import type { ConnectionOptions, Handlers } from '@ws/server'
import type { Case, End } from './case.ts'
import type { RawSocket } from './peer.ts'

/** The target's connection and its peer. */
export interface Opened {
  readonly socket: RawSocket
  /** What came with the handshake. */
  readonly head: Buffer
  /** How the connection ended, as the target's application learns it. */
  readonly closed: Promise<CloseInfo>
}

export interface Target {
  readonly end: End
  open(test: Case): Promise<Opened>
  dispose(): Promise<void>
}

export type Application = NonNullable<Case['application']>

export const HOST = '127.0.0.1'
/** No extension, unless a case says so; and the largest messages are 16 MiB: the buffer for output must not be what limits them. */
export const DEFAULTS: ConnectionOptions = { perMessageDeflate: false, maxBackpressure: 64 * 1024 * 1024 }

export const APPLICATIONS: Readonly<Record<Application, Handlers>> = {
  echo: { message: (socket, data) => void socket.send(data) },
  closer: { message: (socket) => void socket.close(4001, 'enough') },
}

export function optionsOf({ limits, compression }: Case): ConnectionOptions {
  if (compression === undefined) return { ...limits }
  return { ...limits, perMessageDeflate: { threshold: compression.threshold ?? 0 } }
}
