// Two in-memory streams, each reading what the other writes: a transport without a socket (Node 20 has no
// `stream.duplexPair`). Rules: a write is complete when the other side has asked for more, so backpressure is real;
// chunks are handed over as they are, not copied, like any user-land stream may do; the end of one side, orderly or
// not, reaches the other as it would over TCP.

import { Duplex } from 'node:stream'
import { dispose, type SocketPair } from './socket-pairs.ts'

type WriteCallback = (error?: Error | null) => void

class End extends Duplex {
  peer!: End
  /** The write that waits until the peer reads on. */
  #waiting: WriteCallback | undefined

  #release(error?: Error): void {
    const callback = this.#waiting
    this.#waiting = undefined
    callback?.(error)
  }

  override _read(): void {
    this.peer.#release()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.peer.destroyed) return callback(brokenPipe())
    // `push` of nothing would not cause a read, and the write would wait for ever.
    if (chunk.length === 0) return callback()
    this.#waiting = callback
    this.peer.push(chunk)
  }

  override _final(callback: WriteCallback): void {
    if (!this.peer.destroyed) this.peer.push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.#release(brokenPipe())
    this.peer.#release(brokenPipe())
    if (!this.peer.destroyed && !this.peer.readableEnded && !this.writableFinished) this.peer.push(null)
    callback(error)
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
}

/** Makes two connected in-memory streams. They half-close like the sockets of `http.Server`. */
export function duplexPair(): SocketPair<Duplex> {
  const client = new End({ allowHalfOpen: true })
  const server = new End({ allowHalfOpen: true })
  client.peer = server
  server.peer = client
  return { client, server, dispose: () => dispose([client, server]) }
}
