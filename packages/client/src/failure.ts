// What went wrong before a connection came to be, in words that a user can act on. Rules: every failure becomes one
// HandshakeError with the address in its message and Node's error as its cause; no advice ever is to stop verifying.

import { type ErrorCode, HandshakeError } from '@ws/protocol'
import { textOf } from '@ws/protocol/node'

/** Where an attempt stood when it failed. */
export interface Whereabouts {
  /** `host:port`, or the path of a Unix socket. */
  readonly address: string
  /** Whether a TLS handshake was still under way. */
  readonly securing: boolean
  /** Whether this is about the proxy in front of the server. */
  readonly proxy?: boolean
}

type Words = ReadonlyMap<string, string>

const CONNECTING: Words = new Map([
  ['ECONNREFUSED', 'the connection was refused; is the server running, and on this port?'],
  ['ENOTFOUND', 'the host name is not known (DNS)'],
  ['EAI_AGAIN', 'the host name could not be looked up now (DNS); try again later'],
  ['ETIMEDOUT', 'the host did not answer'],
  ['EHOSTUNREACH', 'there is no route to the host'],
  ['ENETUNREACH', 'there is no route to its network'],
  ['EADDRNOTAVAIL', 'there is no such address on this machine'],
  ['EACCES', 'permission was denied'],
  ['ENOENT', 'there is no such socket file'],
])

const ISSUER_UNKNOWN =
  "the issuer of the server's certificate is not known here; if you trust it, pass its certificate (PEM) as option ca"
const SECURING: Words = new Map([
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    "the server's certificate is self-signed; if you trust it, pass that certificate (PEM) as option ca",
  ],
  ['SELF_SIGNED_CERT_IN_CHAIN', ISSUER_UNKNOWN],
  ['UNABLE_TO_GET_ISSUER_CERT', ISSUER_UNKNOWN],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', ISSUER_UNKNOWN],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', ISSUER_UNKNOWN],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    "the server's certificate is for other names; connect by one of those, or pass it as option servername",
  ],
  ['CERT_HAS_EXPIRED', "the server's certificate has expired; the server needs a new one (or is this clock wrong?)"],
  ['CERT_NOT_YET_VALID', "the server's certificate is not valid yet; is the clock of this machine right?"],
  ['ECONNRESET', 'the server closed the connection during the TLS handshake'],
])

/** OpenSSL's errors have their words in the message; their codes differ between versions of Node. */
const OPENSSL: readonly (readonly [RegExp, string])[] = [
  [/wrong version number|packet length too long/, 'the server does not speak TLS on this port; is it a ws: URL?'],
  [
    /alert (handshake failure|certificate required|bad certificate|unknown ca)/,
    'the server refused us; it may want a client certificate: options cert and key',
  ],
  [/alert protocol version|unsupported protocol/, 'no TLS version in common; see options minVersion and maxVersion'],
]

/** Errors of OpenSSL that come after the handshake: in TLS 1.3 the server judges our certificate that late. */
const TLS_CODE = /^(ERR_SSL|ERR_TLS|ERR_OSSL|EPROTO)/

/** An answer that began as a TLS record of type alert does (RFC 8446 §5.1): a TLS port was asked in plain. */
const TLS_ALERT = 0x15

/** Turns an error of DNS, socket, TLS or HTTP parser into what the caller is told. */
export function connectFailure(error: unknown, where: Whereabouts): HandshakeError {
  const code = codeOf(error)
  const connecting = CONNECTING.get(code)
  if (connecting !== undefined)
    return failure('CONNECT_FAILED', `cannot connect to ${where.address}`, connecting, error)
  if (code.startsWith('HPE_'))
    return failure('HANDSHAKE_MALFORMED', notHttp(where), inPlace(parserWords(error), where), error)
  if (where.securing || TLS_CODE.test(code)) {
    const words = inPlace(tlsWords(code, messageOf(error)), where)
    return failure('TLS_FAILED', `TLS with ${where.address} failed`, words, error)
  }
  const reset = code === 'ECONNRESET' || code === 'EPIPE'
  const words = reset ? 'the server closed the connection before it answered the handshake' : messageOf(error)
  return failure('CONNECT_FAILED', `no answer from ${where.address}`, inPlace(words, where), error)
}

/** The same words for a proxy in place of a server. */
const OF_PROXY: readonly (readonly [RegExp, string])[] = [
  [/the server\b/g, 'the proxy'],
  [/\boption (\w+)/g, 'option proxyTls.$1'],
  [/\boptions (\w+) and (\w+)/g, 'options proxyTls.$1 and proxyTls.$2'],
  [/\ba ws: URL/g, 'an http: URL'],
  [/\ba wss: URL/g, 'an https: URL'],
]

function inPlace(words: string, { proxy }: Whereabouts): string {
  return proxy ? OF_PROXY.reduce((text, [pattern, other]) => text.replace(pattern, other), words) : words
}

/** The handshake took too long. */
export function timeoutFailure(timeout: number, stage: string, { address }: Whereabouts): HandshakeError {
  return new HandshakeError('HANDSHAKE_TIMEOUT', `no connection to ${address} within ${timeout} ms: ${stage}`)
}

/** The same error with the address in its message. */
export function located(error: HandshakeError, { address }: Whereabouts): HandshakeError {
  return new HandshakeError(error.code, `handshake with ${address} failed: ${error.message}`, error)
}

function failure(code: ErrorCode, what: string, words: string, cause: unknown): HandshakeError {
  const detail = codeOf(cause)
  return new HandshakeError(code, `${what}: ${words}${detail === '' ? '' : ` (${detail})`}`, { cause })
}

function tlsWords(code: string, message: string): string {
  const said = message.toLowerCase().replaceAll('_', ' ') // Bun's TLS library writes WRONG_VERSION_NUMBER
  return SECURING.get(code) ?? OPENSSL.find(([pattern]) => pattern.test(said))?.[1] ?? message
}

function notHttp({ address }: Whereabouts): string {
  return `the answer of ${address} is not valid HTTP`
}

function parserWords(error: unknown): string {
  const { code, rawPacket, reason } = error as { code: string; rawPacket?: Uint8Array; reason?: string }
  if (code === 'HPE_HEADER_OVERFLOW') return 'its header is too large'
  if (rawPacket?.[0] === TLS_ALERT) return 'it speaks TLS; is it a wss: URL?'
  return reason ?? messageOf(error)
}

/** Of the errors of several addresses, the refusal says most: there was somebody to refuse. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.some((one) => codeOf(one) === 'ECONNREFUSED'))
    return 'ECONNREFUSED'
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : textOf(error)
}
