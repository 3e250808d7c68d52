// `WebSocketStream` in a browser: its own where there is one, for that can make the server wait; else one over `connect`.

import type { Connection } from '@ws/protocol'
import { StreamOverConnection, type WebSocketOpenInfo, type WebSocketStreamInit } from '../portable/websocket-stream.ts'
import { WebSocketStreamError as OwnError } from '../portable/websocket-stream-error.ts'
import { connect } from './connect.ts'

class OwnStream extends StreamOverConnection {
  constructor(url: string | URL, options: WebSocketStreamInit = {}) {
    super(url, options, {
      parse: absolute,
      connect: (target, protocols, signal): Promise<Connection> => connect(target, { protocols, signal }),
    })
  }
}

/** As the constructor of WebSocket does it. @throws DOMException `SyntaxError` */
function absolute(given: string | URL): string {
  try {
    const url = new URL(given, globalThis.location?.href)
    url.protocol = url.protocol.replace(/^http/, 'ws')
    return url.href
  } catch {
    throw new DOMException(`URL must be valid, like wss://host/path; got ${String(given)}`, 'SyntaxError')
  }
}

interface Native {
  readonly WebSocketStream?: typeof OwnStream
  readonly WebSocketError?: typeof OwnError
}

/** The browser's own, with binary messages as Uint8Arrays; Chromium reads them as ArrayBuffers. */
function overNative(Native: typeof OwnStream): typeof OwnStream {
  return class extends Native {
    #open: Promise<WebSocketOpenInfo> | undefined

    override get opened(): Promise<WebSocketOpenInfo> {
      this.#open ??= super.opened.then((info) => ({ ...info, readable: info.readable.pipeThrough(toBytes()) }))
      this.#open.catch(() => {})
      return this.#open
    }
  }
}

type Chunk = string | Uint8Array

/** Takes nothing ahead of its reader but what it is working on. */
function toBytes(): TransformStream<Chunk, Chunk> {
  return new TransformStream<Chunk | ArrayBuffer, Chunk>({
    transform: (chunk, controller) => controller.enqueue(chunk instanceof ArrayBuffer ? new Uint8Array(chunk) : chunk),
  })
}

/** A connection as streams of the web: the browser's own where it has one. Without, a slow reader cannot make the server wait. */
export const WebSocketStream: typeof OwnStream = /* @__PURE__ */ (() => {
  const { WebSocketStream: Own } = globalThis as Native
  return Own === undefined ? OwnStream : overNative(Own)
})()
export type WebSocketStream = StreamOverConnection

/** The error of such a stream, `WebSocketError` of the browser where it has one. */
export const WebSocketStreamError: typeof OwnError = /* @__PURE__ */ (() =>
  (globalThis as Native).WebSocketError ?? OwnError)()
export type WebSocketStreamError = OwnError
