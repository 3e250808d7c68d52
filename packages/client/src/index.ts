// The public names of `@ws/client`, each re-exported by hand.

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
export {
  type ConnectionDiagnostics,
  type ConnectionOptions,
  type ConnectionStats,
  createWebSocketStream,
  type Handlers,
  type HeartbeatOptions,
  type MessageDiagnostics,
  WebSocketConnection,
  type WebSocketStreamOptions,
} from '@ws/protocol/node'
export { connect } from './connect.ts'
export type { ClientDiagnostics } from './diagnostics.ts'
export type { DialOptions, TlsDialOptions } from './dial-options.ts'
export { CloseEvent, type CloseEventInit, type WebSocketEventMap } from './events.ts'
export type { ConnectOptions, HeadersOption } from './plan.ts'
export type { CloseEventLike, StandardSocket, StandardSocketClass } from './portable/dial.ts'
export type { LossInfo } from './portable/loss.ts'
export type { PulseOptions } from './portable/pulse.ts'
export type { PerAttempt, ReconnectOptions } from './portable/reconnect-options.ts'
export type {
  GaveUpEvent,
  ReconnectingEvent,
  ReconnectingEventMap,
  SendResult,
} from './portable/reconnecting-socket.ts'
export type {
  WebSocketClosedInfo,
  WebSocketOpenInfo,
  WebSocketStreamInit,
} from './portable/websocket-stream.ts'
export { type WebSocketCloseInfo, WebSocketStreamError } from './portable/websocket-stream-error.ts'
export type { ProxyOptions } from './proxy.ts'
export { ReconnectingWebSocket, type ReconnectingWebSocketOptions } from './reconnecting-websocket.ts'
export { WebSocket, type WebSocketEventHandler, type WebSocketOptions } from './websocket.ts'
export { WebSocketStream } from './websocket-stream.ts'
