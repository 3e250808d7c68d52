// The public names of `@ws/client` in a browser, each re-exported by hand: those of Node that a browser can have.

export {
  CloseCode,
  type CloseInfo,
  type Connection,
  HandshakeError,
  type MessageData,
  type MessageParts,
  ProtocolError,
  type ReadableStreamLike,
  ReadyState,
  type SendOptions,
  type SendStreamOptions,
  UsageError,
  type WaitOptions,
  WebSocketError,
} from '@ws/protocol'
export type { CloseEventLike, StandardSocket, StandardSocketClass } from '../portable/dial.ts'
export type { LossInfo } from '../portable/loss.ts'
export type { PulseOptions } from '../portable/pulse.ts'
export type { PerAttempt, ReconnectOptions } from '../portable/reconnect-options.ts'
export type {
  GaveUpEvent,
  ReconnectingEvent,
  ReconnectingEventMap,
  SendResult,
} from '../portable/reconnecting-socket.ts'
export type {
  WebSocketClosedInfo,
  WebSocketOpenInfo,
  WebSocketStreamInit,
} from '../portable/websocket-stream.ts'
export type { WebSocketCloseInfo } from '../portable/websocket-stream-error.ts'
export { type ConnectOptions, connect } from './connect.ts'
export { CloseEvent, WebSocket } from './native.ts'
export { ReconnectingWebSocket, type ReconnectingWebSocketOptions } from './reconnecting-websocket.ts'
export { WebSocketStream, WebSocketStreamError } from './websocket-stream.ts'
