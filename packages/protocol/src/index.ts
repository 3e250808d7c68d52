// The public names of `@ws/protocol`, each re-exported by hand.

export type { CloseInfo } from './close-info.ts'
export type {
  AbortSignalLike,
  BlobLike,
  Connection,
  ConnectionEventMap,
  MessageData,
  MessageParts,
  ReadableStreamLike,
  SendOptions,
  SendStreamOptions,
  WaitOptions,
} from './connection.ts'
export { CloseCode, Opcode, ReadyState, type Role } from './constants.ts'
export type {
  Compressor,
  Decompressor,
  DeflateFault,
  InflateSink,
  MessageCompression,
} from './deflate/compression.ts'
export {
  type AcceptedOffer,
  acceptOffer,
  type CheckedAnswer,
  checkDeflateAnswer,
  createDeflateOffer,
  type DeflateOptions,
  deflateParameters,
  negotiateOffer,
} from './deflate/negotiate.ts'
export { type DeflateParameters, PERMESSAGE_DEFLATE } from './deflate/parameters.ts'
export {
  ERROR_CODES,
  type ErrorCode,
  HandshakeError,
  type HandshakeFailure,
  ProtocolError,
  type RefusalCode,
  UsageError,
  usage,
  WebSocketError,
} from './errors.ts'
export { checkFirstByte, checkSecondByte } from './frame/check.ts'
export {
  type ClosePayload,
  type ClosePayloadFault,
  isWireCloseCode,
  makeClosePayload,
  parseClosePayload,
} from './frame/close-payload.ts'
export { frameHeaderSize, writeFrameHeader } from './frame/header.ts'
export { type ApplyMask, applyMask } from './frame/mask.ts'
export { FrameParser, type FrameParserOptions, type FrameSink } from './frame/parser.ts'
export {
  type Accepted,
  type AcceptOptions,
  acceptOfferedUpgrade,
  acceptUpgrade,
  checkUpgradeRequest,
  type ProtocolChoice,
  type Rejected,
  type UpgradeHead,
  type UpgradeOffer,
} from './handshake/accept.ts'
export {
  type ConnectTarget,
  checkConnectResponse,
  createConnectRequest,
  type SentConnect,
} from './handshake/connect-request.ts'
export {
  type Extension,
  type ExtensionParameter,
  formatExtensions,
  type Header,
  parseExtensions,
  parseTokenList,
} from './handshake/headers.ts'
export { acceptKey, generateKey } from './handshake/key.ts'
export {
  checkProtocols,
  checkUpgradeResponse,
  createUpgradeRequest,
  type Established,
  type NotEstablished,
  type SentOffer,
  type SentUpgrade,
  type UpgradeRequestOptions,
  type UpgradeResponse,
} from './handshake/request.ts'
export { integerOption, LONGEST_DELAY } from './limits.ts'
export { MessageAssembler } from './message/assembler.ts'
export { Utf8Validator } from './message/utf8.ts'
export { BufferedOutput, encodeFrame, type FrameOutput, type KeySource } from './output.ts'
export { type Platform, portablePlatform } from './platform.ts'
export { Protocol, type ProtocolHandler, type ProtocolOptions } from './protocol.ts'
export { readyStateOf, type State, type StateEvent, TRANSITIONS, transition } from './state.ts'
