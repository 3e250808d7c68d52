// The options that go to Node's `http.request` and below, as they are: which they are, and the checks that Node would make
// too late. Rules: what is not listed here cannot reach the request, so no option can spoil the handshake.

import { Buffer } from 'node:buffer'
import type { RequestOptions } from 'node:http'
import { isIP, type TcpNetConnectOpts } from 'node:net'
import {
  createSecureContext,
  type SecureContextOptions,
  type ConnectionOptions as TlsConnectionOptions,
} from 'node:tls'
import { UsageError } from '@ws/protocol'
import { usage } from '@ws/protocol/node'

type SocketOptions = Pick<
  RequestOptions,
  'agent' | 'createConnection' | 'family' | 'hints' | 'localAddress' | 'localPort' | 'lookup' | 'socketPath'
>
type HappyEyeballsOptions = Pick<TcpNetConnectOpts, 'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout'>
type TlsOptions = Pick<
  TlsConnectionOptions,
  | 'ALPNProtocols'
  | 'checkServerIdentity'
  | 'enableTrace'
  | 'minDHSize'
  | 'pskCallback'
  | 'rejectUnauthorized'
  | 'secureContext'
  | 'servername'
  | 'session'
>

/**
 * How to reach the server. All have the meaning that they have in Node's `https.request`. By default a socket of its own
 * is opened, `wss:` verifies the server's certificate, and ALPN asks for `http/1.1`.
 */
export interface DialOptions extends SocketOptions, HappyEyeballsOptions, TlsDialOptions {}

/** How to speak TLS: as in Node's `tls.connect`. */
export interface TlsDialOptions extends TlsOptions, SecureContextOptions {}

const SOCKET_OPTIONS = [
  'agent',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'createConnection',
  'family',
  'hints',
  'localAddress',
  'localPort',
  'lookup',
  'socketPath',
] as const

const TLS_OPTIONS = [
  'ALPNProtocols',
  'checkServerIdentity',
  'enableTrace',
  'minDHSize',
  'pskCallback',
  'rejectUnauthorized',
  'secureContext',
  'servername',
  'session',
] as const

/** Those that say who we are: they are meant for one server. */
export const IDENTITY_OPTIONS = [
  'cert',
  'clientCertEngine',
  'key',
  'passphrase',
  'pfx',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'pskCallback',
  'servername',
  'session',
] as const

/** What a secure context is made of. */
const CONTEXT_OPTIONS = [
  'allowPartialTrustChain',
  'ca',
  'cert',
  'ciphers',
  'clientCertEngine',
  'crl',
  'dhparam',
  'ecdhCurve',
  'honorCipherOrder',
  'key',
  'maxVersion',
  'minVersion',
  'passphrase',
  'pfx',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'secureOptions',
  'secureProtocol',
  'sessionIdContext',
  'sessionTimeout',
  'sigalgs',
  'ticketKeys',
] as const

/**
 * Takes from `options` what concerns the way to the server.
 * @throws UsageError on what cannot work: TLS material that is no PEM, an agent that is none
 */
export function dialOptions(options: DialOptions, secure: boolean): DialOptions {
  const socket = pick(options, SOCKET_OPTIONS)
  checkSocketOptions(socket)
  return secure ? { ...socket, ...tlsDialOptions(options) } : socket
}

/** What `options` say of the way to the server, as given and unchecked. */
export function givenDialOptions(options: DialOptions): DialOptions {
  return pick(options, [...SOCKET_OPTIONS, ...TLS_OPTIONS, ...CONTEXT_OPTIONS])
}

/**
 * Takes from `options` what concerns TLS.
 * @param parent the option that they are part of, with a point behind it
 * @throws UsageError on what cannot work
 */
export function tlsDialOptions(options: TlsDialOptions, parent = ''): TlsDialOptions {
  const context = pick(options, CONTEXT_OPTIONS)
  const dial: TlsDialOptions = { ...pick(options, TLS_OPTIONS), ...context }
  if (dial.secureContext !== undefined || Object.keys(context).length === 0) return dial
  return { ...dial, secureContext: secureContext(context, parent) }
}

/** TLS as it is unless told otherwise: ALPN asks for what we speak; no SNI for addresses (RFC 6066 §3). */
export function tlsDefaults(host: string): TlsDialOptions {
  return { servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'] }
}

function checkSocketOptions({ createConnection, socketPath, ...options }: DialOptions): void {
  const agent = options.agent as false | { addRequest?: unknown } | undefined // its method is in no declaration
  if (agent !== undefined && agent !== false && typeof agent?.addRequest !== 'function') {
    throw usage('option agent', 'an http.Agent, an https.Agent or false', agent)
  }
  if (createConnection !== undefined && typeof createConnection !== 'function') {
    throw usage('option createConnection', 'a function', createConnection)
  }
  if (socketPath !== undefined && (typeof socketPath !== 'string' || socketPath === '')) {
    throw usage('option socketPath', 'the path of a Unix socket', socketPath)
  }
}

/** Made once, at the call: what Node finds wrong is thrown there, and not found in the middle of a handshake. */
function secureContext(options: SecureContextOptions, parent: string): DialOptions['secureContext'] {
  for (const ca of [options.ca ?? []].flat()) {
    // Node ignores a `ca` that holds no certificate, and the server is then not trusted.
    const text = ArrayBuffer.isView(ca) ? Buffer.from(ca).toString('latin1') : String(ca)
    if (!text.includes('-----BEGIN'))
      throw usage(`option ${parent}ca`, 'certificates in PEM (not the path of a file)', ca)
  }
  try {
    return createSecureContext(options)
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new UsageError(`TLS options${parent && ` in ${parent.slice(0, -1)}`} are not usable: ${words}`)
  }
}

function pick<Name extends keyof DialOptions>(options: DialOptions, names: readonly Name[]): Pick<DialOptions, Name> {
  const picked: Partial<DialOptions> = {}
  for (const name of names) {
    if (options[name] !== undefined) picked[name] = options[name]
  }
  return picked as Pick<DialOptions, Name>
}
