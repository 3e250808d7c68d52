// A transport over any Node Duplex. TCP and TLS are Duplexes too; they differ in what their chunks and their memory allow.
// The listeners are plain functions that find their transport on the stream: closures would cost memory a connection.

import { Socket } from 'node:net'
import process from 'node:process'
import type { Duplex } from 'node:stream'
import { receiveWindow, releaseWindow, takeWindow, WINDOW_SIZE, windowMode } from '../window.ts'
import type { Transport, TransportSink, Writer, Written } from './transport.ts'

const TRANSPORT = Symbol('transport')

/** A socket over libuv; Node's own idle timeout looks at the same number. */
type WithHandle = Duplex & { _handle?: { writeQueueSize?: number } | null }

/** Null between {@link guardErrors} and its transport. */
type Owned = Duplex & { [TRANSPORT]?: StreamTransport | null }

/** Reads and writes a Duplex. See {@link Transport}. */
export abstract class StreamTransport implements Transport {
  protected readonly stream: Duplex
  readonly remoteAddress: string | undefined
  #head: Uint8Array | undefined
  #sink: TransportSink | undefined
  #error: Error | undefined
  #paused = false

  /**
   * @param stream connected; an `'error'` listener may be there already
   * @param head bytes that were read past the handshake: they come first
   * @param remoteAddress where the stream itself does not have it
   */
  constructor(stream: Duplex, head?: Uint8Array, remoteAddress?: string) {
    this.stream = stream
    // Asked for at once, though that costs a call of the system: afterwards nobody knows, and logs are written at the end.
    this.remoteAddress = remoteAddress ?? (stream as { remoteAddress?: string }).remoteAddress
    if (head !== undefined) this.keep(head)
    const owned: Owned = stream
    if (owned[TRANSPORT] !== null) stream.on('error', onError)
    owned[TRANSPORT] = this
    stream.on('close', onClose)
  }

  abstract readonly canReuse: boolean

  get buffered(): number {
    return this.stream.writableLength
  }

  get isSocket(): boolean {
    return this.stream instanceof Socket
  }

  get destroyed(): boolean {
    return this.stream.destroyed
  }

  /** Node writes all that waits at once and reports it when all is gone; libuv knows what is left of it meanwhile. */
  get queued(): number {
    return (this.stream as WithHandle)._handle?.writeQueueSize ?? 0
  }

  /** Gives the bytes of a chunk in memory that the reader may change. */
  protected abstract own(chunk: Uint8Array): Uint8Array

  read(sink: TransportSink): void {
    const reads = this.#sink !== undefined
    this.#sink = sink
    const head = this.#head
    this.#head = undefined
    if (head !== undefined) this.receive(head)
    if (!reads) this.stream.on('end', onEnd)
    this.listen()
    if (this.#paused) this.stream.pause()
    if (this.stream.destroyed && this.stream.closed) process.nextTick(() => this.finish())
  }

  /**
   * Lets go of a stream that is to be somebody else's: nothing of it is told any more. Its errors stay guarded. It may be flowing: whoever
   * takes it listens at once, or loses bytes.
   */
  release(): void {
    this.#sink = undefined
    ;(this.stream as Owned)[TRANSPORT] = null
    this.stream.off('close', onClose).off('end', onEnd).off('data', onData)
  }

  /** Keeps bytes that its reader leaves for the next: they come first. */
  keep(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#head = bytes
  }

  /** Makes the stream flow into {@link receive}, if it does not. */
  protected listen(): void {
    this.stream.off('data', onData).on('data', onData)
  }

  write(bytes: Uint8Array, writer: Writer): Written {
    if (this.stream.writableEnded || this.stream.destroyed) return this.refuse(writer)
    try {
      this.stream.write(bytes, (error?: Error | null) => writer.wrote(error))
      return 'waits'
    } catch (error) {
      this.stream.destroy(error as Error) // a stream that somebody made may throw: that is its end, and nobody else's
      return 'refused'
    }
  }

  /** Tells of a write that comes too late. */
  protected refuse(writer: Writer): 'refused' {
    process.nextTick(() => writer.wrote(new Error('the transport has ended')))
    return 'refused'
  }

  cork(): void {
    this.stream.cork()
  }

  uncork(): void {
    try {
      this.stream.uncork()
    } catch (error) {
      this.stream.destroy(error as Error) // as in `write`
    }
  }

  pause(): void {
    this.#paused = true
    this.stream.pause()
  }

  resume(): void {
    this.#paused = false
    this.stream.resume()
  }

  end(): void {
    if (!this.stream.destroyed) this.stream.end()
  }

  abort(): void {
    this.stream.destroy()
    // One made with `emitClose: false` tells nobody; where 'close' comes, it has come before this or is still to come.
    process.nextTick(() => {
      if (this.stream.closed) this.finish()
    })
  }

  unref(): void {
    ;(this.stream as { unref?: () => void }).unref?.()
  }

  receive(chunk: unknown): void {
    if (!(chunk instanceof Uint8Array)) {
      this.stream.destroy(new TypeError('frames are bytes: expected a stream without setEncoding() and object mode'))
      return
    }
    if (windowMode === 'simd' && takeWindow()) return this.#parseInWindow(chunk)
    const bytes = this.own(chunk)
    this.#sink?.data(bytes, 0, bytes.length)
  }

  /** Bytes that were read into the window, which nobody has taken. */
  receiveWindow(size: number): void {
    if (!takeWindow()) throw new Error('the receive window was read into while it was in use')
    try {
      this.#sink?.data(receiveWindow, 0, size)
    } finally {
      releaseWindow()
    }
  }

  /** A copy into the window costs less than masking elsewhere. It has been taken. */
  #parseInWindow(chunk: Uint8Array): void {
    try {
      for (let at = 0; at < chunk.length; at += WINDOW_SIZE) {
        const part = chunk.length <= WINDOW_SIZE ? chunk : chunk.subarray(at, at + WINDOW_SIZE)
        receiveWindow.set(part)
        this.#sink?.data(receiveWindow, 0, part.length)
      }
    } finally {
      releaseWindow()
    }
  }

  ended(): void {
    this.#sink?.ended()
  }

  fail(error: Error): void {
    this.#error ??= error
  }

  finish(): void {
    const sink = this.#sink
    this.#sink = undefined
    sink?.closed(this.#error)
  }
}

/** Keeps the errors of a stream that is to become a connection from ending the process; the transport takes this listener over. */
export function guardErrors(stream: Duplex): void {
  const owned: Owned = stream
  if (owned[TRANSPORT] !== undefined) return
  owned[TRANSPORT] = null
  stream.on('error', onError)
}

/** The transport of a stream, if it has one. */
export function transportOf(stream: Duplex): StreamTransport | undefined {
  return (stream as Owned)[TRANSPORT] ?? undefined
}

function onData(this: Owned, chunk: unknown): void {
  this[TRANSPORT]?.receive(chunk)
}

function onEnd(this: Owned): void {
  this[TRANSPORT]?.ended()
}

function onError(this: Owned, error: Error): void {
  this[TRANSPORT]?.fail(error)
}

function onClose(this: Owned): void {
  this[TRANSPORT]?.finish()
}
