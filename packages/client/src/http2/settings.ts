// What a server says of itself first. Rule: nothing is asked of it before (RFC 8441 §3), for a setting that has not come looks like one
// that was not made.

import type { ClientHttp2Session } from 'node:http2'

const heard = new WeakMap<ClientHttp2Session, Promise<void>>()

/**
 * Waits for the SETTINGS of the peer, which open a session (RFC 9113 §3.4).
 * @param session from here on its errors end no process: they are told to those who use it
 * @param strange whether the SETTINGS may have come before the first call
 * @returns when they have come; rejects with the session's error, or with none if it ends without one
 */
export function settingsOf(session: ClientHttp2Session, strange = false): Promise<void> {
  const known = heard.get(session)
  if (known !== undefined) return known
  const hearing = hear(session, strange)
  heard.set(session, hearing)
  return hearing
}

function hear(session: ClientHttp2Session, strange: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    session.on('error', reject)
    if (offersWebSocket(session)) return resolve()
    session.once('remoteSettings', () => resolve())
    session.once('close', () => reject())
    // The answer to a ping comes behind the SETTINGS, if those are not still to come.
    if (strange && !session.connecting) session.ping((error) => error ?? resolve())
  })
}

/** Whether the peer lets streams become WebSockets (RFC 8441 §3). */
export function offersWebSocket(session: ClientHttp2Session): boolean {
  return session.remoteSettings.enableConnectProtocol === true
}

/** How many streams the peer lets us have at once. */
export function mostStreams(session: ClientHttp2Session): number {
  return session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
}
