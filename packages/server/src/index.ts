// The public names of `@ws/server`, each re-exported by hand.

export {
  CloseCode,
  type ErrorCode,
  HandshakeError,
  type Header,
  ProtocolError,
  ReadyState,
  type RefusalCode,
  UsageError,
  WebSocketError,
} from '@ws/protocol'
export {
  type BroadcastData,
  type BroadcastOptions,
  type CloseInfo,
  type Connection,
  type ConnectionDiagnostics,
  type ConnectionEvents,
  type ConnectionOptions,
  type ConnectionStats,
  createWebSocketStream,
  type Handlers,
  type HeartbeatOptions,
  type MessageData,
  type MessageDiagnostics,
  type MessageParts,
  type ReadableStreamLike,
  type SendOptions,
  type SendStreamOptions,
  type UpgradeRequest,
  type WaitOptions,
  WebSocketConnection,
  type WebSocketStreamOptions,
} from '@ws/protocol/node'
export type {
  Admitted,
  Authenticate,
  AuthenticateContext,
  Decision,
  HeadersGiven,
  Refused,
} from './authenticate.ts'
export type { CloseCounts, CloseOptions } from './connections.ts'
export type { ServerDiagnostics } from './diagnostics.ts'
export type { EventLoopDelay } from './event-loop.ts'
export type {
  NoServerOptions,
  OwnPortOptions,
  ProtocolRule,
  ServerOptions,
  SharedServerOptions,
  WebSocketServerOptions,
} from './options.ts'
export type { OriginRule, OriginsOption } from './origin.ts'
export type { PathParams } from './pattern.ts'
export type { PathOption, PathPattern, PathRule } from './route.ts'
export { type ServerEvents, WebSocketServer } from './server.ts'
export type { ServerStats } from './stats.ts'
export type { RefusedUpgrade } from './upgrade.ts'
