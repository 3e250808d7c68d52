// The public names of `@ws/protocol/node`: connections over Node's sockets, and the core's functions bound to Node's means.

export type { CloseInfo } from '../close-info.ts'
export type {
  AbortSignalLike,
  BlobLike,
  Connection,
  MessageData,
  MessageParts,
  ReadableStreamLike,
  SendOptions,
  SendStreamOptions,
  WaitOptions,
} from '../connection.ts'
export { textOf, usage } from '../errors.ts'
export { integerOption, LONGEST_DELAY } from '../limits.ts'
export { type BroadcastData, type BroadcastOptions, broadcast } from './broadcast.ts'
export {
  type ConnectionEvents,
  type ConnectionInit,
  type ConnectionStats,
  type Handlers,
  WebSocketConnection,
} from './connection.ts'
export type { DeflateSettings, PerMessageDeflateOptions } from './deflate/settings.ts'
export type { ConnectionDiagnostics, MessageDiagnostics } from './diagnostics.ts'
export { acceptKey, acceptOfferedUpgrade, acceptUpgrade, createUpgradeRequest, generateKey } from './handshake.ts'
export { invoke, isPromiseLike, rethrowLater } from './invoke.ts'
export { createWebSocketStream, type WebSocketStreamOptions } from './node-stream.ts'
export { type ConnectedPair, connectPair, type PairedEnd, type PairOptions } from './pair.ts'
export { nodePlatform } from './platform.ts'
export {
  type ConnectionOptions,
  type ConnectionSettings,
  choice,
  connectionSettings,
  type HeartbeatOptions,
} from './settings.ts'
export { Topics } from './topics.ts'
export { nameOfHttp2Error } from './transport/http2.ts'
export { holdTogether } from './transport/http2-held.ts'
export { connectSocket, isWatched, readsIntoWindow } from './transport/onread.ts'
export { openTransport } from './transport/open.ts'
export { guardErrors, transportOf } from './transport/stream.ts'
export type { Transport, TransportSink, Writer, Written } from './transport/transport.ts'
export type { UpgradeRequest } from './upgrade-request.ts'
