// What a process can watch of its connections without a change to the application: channels of `node:diagnostics_channel`
// (docs/observability.md). Rules: the names and the fields of what is published are public; without a subscriber a channel
// costs a look at it, and nothing is made. What a subscriber throws is Node's to report, as an uncaught exception.

import { type Channel, channel } from 'node:diagnostics_channel'
import type { CloseInfo } from '../close-info.ts'
import type { Role } from '../constants.ts'
import type { WebSocketConnection } from './connection.ts'

/** What is published of a message. */
export interface MessageDiagnostics {
  readonly socket: WebSocketConnection
  /** Which end this process is. */
  readonly role: Role
  /** Bytes of its payload, as the application sees it: not masked, not compressed, without framing. */
  readonly size: number
  /** False for text. */
  readonly binary: boolean
}

/** The channels of connections of either end, and what is published there. */
export interface ConnectionDiagnostics {
  /** A message has come; published before anybody gets it. */
  'ws:connection:received': MessageDiagnostics
  /** A message was sent: `send` took it. */
  'ws:connection:sent': MessageDiagnostics
  /** The connection is over, and its last message has been dealt with. */
  'ws:connection:closed': { readonly socket: WebSocketConnection; readonly role: Role; readonly info: CloseInfo }
}

type Name = keyof ConnectionDiagnostics

// Held here: Node forgets a channel that nobody holds.
export const RECEIVED: Channel = channel('ws:connection:received' satisfies Name)
export const SENT: Channel = channel('ws:connection:sent' satisfies Name)
export const CLOSED: Channel = channel('ws:connection:closed' satisfies Name)
