// The HTTP server of a WebSocket server with a port of its own. It answers nothing but upgrades; other requests learn that
// (426, RFC 9110 §15.5.22). Malformed HTTP and slow headers are answered by Node itself (400, 408, 431), as long as nobody
// listens for 'clientError'.

import http, { type RequestListener } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
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

/** TCP connections whose TLS handshake is under way: they are in no list of Node's, and hold the port. */
const securing = new WeakMap<http.Server, Set<Socket>>()

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
  if (tls !== undefined) watchHandshakes(server)
  return server
}

function watchHandshakes(server: http.Server): void {
  const sockets = new Set<Socket>()
  securing.set(server, sockets)
  function forget(this: Socket): void {
    sockets.delete(this)
  }
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', forget)
  })
  // Node has no public way from a TLS socket to the one below it.
  server.on('secureConnection', ({ _parent }: { _parent?: Socket }) => _parent !== undefined && sockets.delete(_parent))
}

/** Stops listening and ends what is left of plain HTTP and of TLS handshakes; resolves when nothing is open, also if it never listened. */
export function closeOwnServer(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
    for (const socket of securing.get(server) ?? []) socket.destroy()
  })
}
