// What a process can watch of its attempts to connect: channels of `node:diagnostics_channel` (docs/observability.md).

import { type Channel, channel } from 'node:diagnostics_channel'
import type { ConnectionDiagnostics, WebSocketConnection } from '@ws/protocol/node'

/** The channels of clients, and what is published there. `url` is as given, without credentials, its query included. */
export interface ClientDiagnostics extends ConnectionDiagnostics {
  /** A connection is open; published before it reads its first message. */
  'ws:client:connected': { readonly socket: WebSocketConnection; readonly url: string }
  /** An attempt failed: with a `HandshakeError`, or with the reason of its signal. */
  'ws:client:failed': { readonly url: string; readonly error: unknown }
}

export const CONNECTED: Channel = channel('ws:client:connected' satisfies keyof ClientDiagnostics)
export const FAILED: Channel = channel('ws:client:failed' satisfies keyof ClientDiagnostics)
