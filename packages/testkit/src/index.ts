// Helpers that every test of the workspace may use. They know Node and nothing of the product, run from source,
// and whoever takes a resource here gives it back by its `dispose()` (the leak check fails the file otherwise).

export { type Certificates, type KeyAndCertificate, makeCertificates } from './certificates.ts'
export { duplexPair } from './duplex-pair.ts'
export { pick, type Random, seeded } from './random.ts'
export { activeResources, leakedSince } from './resources.ts'
export { http2Pair, type SocketPair, tcpPair, tlsPair } from './socket-pairs.ts'
