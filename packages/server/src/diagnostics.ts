// What a process can watch of its servers: channels of `node:diagnostics_channel` (docs/observability.md).

import { type Channel, channel } from 'node:diagnostics_channel'
import type { ConnectionDiagnostics, UpgradeRequest, WebSocketConnection } from '@ws/protocol/node'
import type { WebSocketServer } from './server.ts'
import type { RefusedUpgrade } from './upgrade.ts'

/** The channels of servers, and what is published there. */
export interface ServerDiagnostics extends ConnectionDiagnostics {
  /** A connection is open; published before the event `'connection'`. */
  'ws:server:accepted': {
    readonly server: WebSocketServer
    readonly socket: WebSocketConnection
    readonly request: UpgradeRequest
  }
  /** An upgrade was refused; published before the event `'refused'`. */
  'ws:server:refused': { readonly server: WebSocketServer; readonly refusal: RefusedUpgrade }
}

export const ACCEPTED: Channel = channel('ws:server:accepted' satisfies keyof ServerDiagnostics)
export const REFUSED: Channel = channel('ws:server:refused' satisfies keyof ServerDiagnostics)
