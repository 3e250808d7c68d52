// The HTTP server of a WebSocket server with a port of its own. It answers nothing but upgrades; other requests learn that
// (426, RFC 9110 §15.5.22). Malformed HTTP and slow headers are answered by Node itself (400, 408, 431), as long as nobody
// listens for 'clientError'.

import http, { type RequestListener } from 'node:http'
import https from 'node:https'
import { Server as NetServer } from 'node:net'
import type { Arrivals } from './arrivals.ts'
import type { Source } from './options.ts'

/** How often slow clients are looked for: this part of the timeout is how late one may be found. */
const CHECKS_PER_TIMEOUT = 10

const UPGRADE_REQUIRED = 'expected an upgrade to WebSocket (RFC 6455)\n'

const answerPlainRequest: RequestListener = (_request, response) => {
  response.writeHead(426, {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': UPGRADE_REQUIRED.length,
  })
  response.end(UPGRADE_REQUIRED)
}

/** Makes the HTTP server, without listening yet. @param timeout for the TLS handshake, and for the request's head, in ms */
export function createOwnServer({ tls }: Source & { kind: 'own' }, timeout: number): http.Server {
  const limits = {
    headersTimeout: timeout,
    requestTimeout: timeout,
    connectionsCheckingInterval: Math.ceil(timeout / CHECKS_PER_TIMEOUT),
  }
  const server =
    tls === undefined
      ? http.createServer(limits, answerPlainRequest)
      : https.createServer({ handshakeTimeout: timeout, ...limits, ...tls }, answerPlainRequest)
  // Past this number Node leaves headers out without a word, a Content-Length too. Their size is bounded in any case.
  server.maxHeadersCount = 0
  return server
}

/**
 * Stops listening, and nothing else: later Nodes' `http.Server.close` also ends who has connected but not asked yet. The HTTP servers of
 * Bun are no `net.Server`, and have that one only.
 */
export function stopOwnServer(server: http.Server): void {
  const { close }: { close(): unknown } = (server as unknown) instanceof NetServer ? NetServer.prototype : server
  close.call(server)
}

/** Stops listening and ends what is left of plain HTTP and of handshakes; resolves when nothing is open, also if it never listened. */
export function closeOwnServer(server: http.Server, arrivals: Arrivals): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    arrivals.destroy()
  })
}
