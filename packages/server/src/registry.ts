// Several WebSocket servers on one HTTP server. Rules:
// - What they share lives on the HTTP server itself, under a global symbol, so that the ESM and the CJS copy of this
//   package (or two versions of it) find the same registry. Its shape is therefore a contract between versions: add to
//   it, change nothing.
// - One 'upgrade' listener for all. The first server that claims a request gets it.
// - Other 'upgrade' listeners are left in peace: what nobody here claims is theirs, as is what is no WebSocket. Only if
//   there is none of them is an unclaimed request refused (404), since nobody else would ever answer it.

import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Http2Server } from 'node:http2'
import type { Duplex } from 'node:stream'

/** A WebSocket server, as the registry sees it. Neither method throws. */
export interface Claimer {
  /** Whether a request is for it: `false`, or what {@link take} is to get. */
  claim(request: IncomingMessage): unknown
  /** Takes a request over, with what {@link claim} returned for it. */
  take(request: IncomingMessage, stream: Duplex, head: Uint8Array, claim: unknown): void
}

interface Registry {
  /** In the order of registration. */
  readonly claimers: Claimer[]
  readonly onUpgrade: (request: IncomingMessage, stream: Duplex, head: Uint8Array) => void
}

const REGISTRY: unique symbol = Symbol.for('@ws/server') as typeof REGISTRY

type Shared = (HttpServer | Http2Server) & { [REGISTRY]?: Registry }

const WEBSOCKET = /websocket/i

/** Registers a claimer with an HTTP server. @returns what undoes it, once */
export function register(server: HttpServer | Http2Server, claimer: Claimer): () => void {
  const shared: Shared = server
  const { claimers, onUpgrade } = shared[REGISTRY] ?? install(shared)
  claimers.push(claimer)
  return () => {
    claimers.splice(claimers.indexOf(claimer), 1)
    if (claimers.length > 0) return
    server.off('upgrade', onUpgrade)
    delete shared[REGISTRY]
  }
}

function install(server: Shared): Registry {
  const claimers: Claimer[] = []
  const registry: Registry = {
    claimers,
    onUpgrade: (request, stream, head) => {
      const others = server.listenerCount('upgrade') > 1
      // Node emits 'upgrade' for requests that have an Upgrade header only.
      if (others && !WEBSOCKET.test(request.headers.upgrade as string)) return
      for (const claimer of claimers) {
        const claim = claimer.claim(request)
        if (claim !== false) return claimer.take(request, stream, head, claim)
      }
      if (!others) claimers[0]?.take(request, stream, head, false)
    },
  }
  server[REGISTRY] = registry
  server.on('upgrade', registry.onUpgrade)
  return registry
}
