// The way to a server that may speak HTTP/2: the tunnel if there is a proxy, TCP, TLS with ALPN, the session, its SETTINGS. Rules:
// what was opened is destroyed unless it leads to the end; every failure is a HandshakeError that says where it stood;
// `node:http2` is loaded by the first who wants it.

import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { HandshakeError, LONGEST_DELAY } from '@ws/protocol'
import { TimeBudget } from '../budget.ts'
import { tlsDefaults } from '../dial-options.ts'
import { connectFailure, type Whereabouts } from '../failure.ts'
import { openTunnel } from '../handshake.ts'
import type { Plan } from '../plan.ts'
import { hostPort, serverAddress } from '../request.ts'
import { notSpoken, sessionFailure } from './failure.ts'
import { settingsOf } from './settings.ts'

/** What was opened: a session, or where the server would not have that, TLS under HTTP/1.1. */
export type Dialled = DialledSession | { readonly socket: TLSSocket }

export interface DialledSession {
  /** Its peer's SETTINGS have come. */
  readonly session: ClientHttp2Session
  /** What the session is on, TCP or TLS. */
  readonly socket: Socket
  /** What it goes through, if there is a proxy. */
  readonly tunnel: Socket | undefined
}

/** How many bytes a stream may bring that nobody has read: as `maxReadAhead`, so that a link that is fast and long is used. */
const STREAM_WINDOW = 256 * 1024

/** How many bytes of all streams may be on their way. Node counts off what has come, read or not, so no stream waits for another. */
const SESSION_WINDOW = 4 * 1024 * 1024

/** Opens the way to the server of a plan. */
export class Dial {
  readonly #plan: Plan
  readonly #fallback: boolean
  readonly #opened: { destroy(): void }[] = []
  #stage = 'no socket was to be had'
  #socket: Socket | undefined

  /** @param fallback whether the server may choose HTTP/1.1 */
  constructor(plan: Plan, fallback: boolean) {
    this.#plan = plan
    this.#fallback = fallback
  }

  /** What is waited for, in words. */
  get stage(): string {
    return this.#stage
  }

  /** Where it stands. */
  get whereabouts(): Whereabouts {
    const { secureConnecting } = (this.#socket ?? {}) as { secureConnecting?: boolean }
    return { address: serverAddress(this.#plan.target, this.#plan), securing: secureConnecting === true }
  }

  /** Opens it; rejects with a HandshakeError. To be called once. @param signal destroys all that was opened */
  async open(signal: AbortSignal): Promise<Dialled> {
    signal.addEventListener('abort', this.#destroy)
    try {
      return await this.#open(signal)
    } catch (error) {
      this.#destroy()
      throw error instanceof HandshakeError ? error : connectFailure(error, this.whereabouts)
    } finally {
      signal.removeEventListener('abort', this.#destroy)
    }
  }

  async #open(signal: AbortSignal): Promise<Dialled> {
    const { connect } = await import('node:http2') // now, since nothing may come between a socket and its session
    const tunnel = await this.#openTunnel(signal)
    const { secure } = this.#plan.target
    const socket = await (secure ? this.#openTls(signal, tunnel) : (tunnel ?? this.#openTcp(signal)))
    signal.throwIfAborted() // the socket is destroyed, and would be none for a session
    if (!secure) return this.#openSession(connect, socket, tunnel)
    const { alpnProtocol } = socket as TLSSocket
    if (alpnProtocol === 'h2') return this.#openSession(connect, socket, tunnel)
    if (this.#fallback) return { socket: socket as TLSSocket }
    throw notSpoken(`it chose ${alpnProtocol || 'nothing'} by ALPN`, this.whereabouts)
  }

  async #openTunnel(signal: AbortSignal): Promise<Socket | undefined> {
    const { proxy, target } = this.#plan
    if (proxy === undefined) return undefined
    this.#stage = 'the proxy has not opened the tunnel'
    // Those who wait count the time.
    const tunnel = await openTunnel(target, { ...this.#plan, signal }, new TimeBudget(LONGEST_DELAY))
    this.#opened.push(tunnel)
    return tunnel
  }

  async #openTcp(signal: AbortSignal): Promise<Socket> {
    const { target, dial } = this.#plan
    const socket = connectTcp({ ...dial, host: target.host, port: target.port, path: dial.socketPath as string })
    this.#watch(socket)
    await once(socket, 'connect', { signal })
    return socket
  }

  async #openTls(signal: AbortSignal, tunnel: Socket | undefined): Promise<TLSSocket> {
    const { target, dial } = this.#plan
    const { host, port } = target
    const ALPNProtocols = this.#fallback ? ['h2', 'http/1.1'] : ['h2']
    const tls = { ...tlsDefaults(host), ...dial, ALPNProtocols }
    const way = tunnel === undefined ? { host, port, path: dial.socketPath } : { host, socket: tunnel }
    const socket = connectTls({ ...tls, ...way })
    this.#watch(socket)
    socket.on('connect', () => this.#secures())
    if (tunnel !== undefined) this.#secures()
    await once(socket, 'secureConnect', { signal }).catch((error) => {
      // RFC 7301 §3.2: where there is no protocol in common, an alert says so.
      const refused = !this.#fallback && /no application protocol/.test(String(error))
      throw refused ? notSpoken('it refused that by ALPN', this.whereabouts, error) : error
    })
    return socket
  }

  #secures(): void {
    this.#stage = 'the TLS handshake is not complete'
  }

  #watch(socket: Socket): void {
    this.#stage = 'the host has not accepted the connection'
    this.#socket = socket
    this.#opened.push(socket)
    socket.on('error', ignore) // for those that come when nobody waits
  }

  async #openSession(
    connect: typeof import('node:http2').connect,
    socket: Socket,
    tunnel: Socket | undefined,
  ): Promise<Dialled> {
    this.#stage = 'the server has not sent its SETTINGS'
    const { target } = this.#plan
    const session = connect(`${target.secure ? 'https' : 'http'}://${hostPort(target)}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    })
    this.#opened.push(session)
    try {
      await settingsOf(session)
    } catch (error) {
      throw sessionFailure(error, this.whereabouts)
    }
    session.setLocalWindowSize(SESSION_WINDOW)
    return { session, socket, tunnel }
  }

  readonly #destroy = (): void => {
    for (const one of this.#opened) one.destroy()
  }
}

function ignore(): void {}
