// What other programs of the workspace take from here: the catalogue, and the peer that speaks WebSocket by hand.

export type { AnyCase, Case, Compression, RequestCase, SentFrame } from './case.ts'
export { CATALOGUE } from './catalogue.ts'
export { MessageDeflater } from './compressor.ts'
export { converse } from './converse.ts'
export { acceptOf, type Head, readHead, valuesOf } from './http.ts'
export { agreedOf, normalized, offerFor } from './negotiation.ts'
export { Peer, type ReceivedMessage } from './peer.ts'
export { sizeOf } from './run.ts'
export { encode } from './wire.ts'
