// The peer of the target: a raw socket, or a stream of HTTP/2, after the opening handshake. What comes is a queue of frames that
// ends with FIN or END_STREAM; a fault of the target's bytes is thrown where the next frame was awaited.

import { once } from 'node:events'
import type { Http2Stream } from 'node:http2'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Compression, End } from './case.ts'
import { MessageInflater } from './inflate.ts'
import { FrameReader, type ReceivedFrame } from './wire.ts'

/**
 * A fence lets this many turns of the event loop pass: on loopback, what was written is there in the next. Over HTTP/2 it is written a
 * turn later.
 */
const FENCE = 6
/** RFC 9113 §7. */
const NO_ERROR = 0
const CANCEL = 8
/** Of what is written in chunks, in ms: far below any limit of time that a target has. */
const LONGEST_WRITE = 2_000

/** A frame with the content of its message, inflated if it came compressed. */
export interface ReceivedMessage extends ReceivedFrame {
  readonly content: Buffer
}

type Received = ReceivedMessage | 'end' | Error

/** What carries the bytes: a socket of TCP, or a stream of HTTP/2. */
export type RawSocket = Socket | Http2Stream

export class Peer {
  readonly #socket: RawSocket
  readonly #reader: FrameReader
  readonly #inflater: MessageInflater | undefined
  readonly #queue: Received[] = []
  readonly #keys = new Set<number>()
  /** Rejects once {@link fail} was called. */
  readonly failed: Promise<never>
  #reject: (error: Error) => void = () => {}
  #wake: (() => void) | undefined
  #hasReset = false

  /** @param head what came together with the handshake */
  constructor(socket: RawSocket, target: End, head: Buffer, compression: Compression | undefined) {
    this.#socket = socket
    this.#reader = new FrameReader(target, compression !== undefined)
    this.#inflater = compression && new MessageInflater(compression.target)
    this.failed = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.failed.catch(() => {})
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => this.#end())
    socket.on('error', (error) => this.fail(error))
    socket.on('close', () => this.#closed())
    if (head.length > 0) this.#take(head)
    if (socket.readableEnded || socket.destroyed) this.#end()
    else socket.resume()
  }

  /** Sends `bytes`, at most `chunk` of them at once. */
  async write(bytes: Uint8Array, chunk: number): Promise<void> {
    await writeInChunks(this.#socket, bytes, chunk)
  }

  /** The next frame, or the end of the target's bytes. Rejects if the target sent what it must not, or if the case was given up. */
  async next(): Promise<ReceivedMessage | 'end'> {
    while (this.#queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const received = this.#queue.shift() as Received
    if (received instanceof Error) throw received
    return received
  }

  /** Lets what the target has sent by now arrive. @returns whether nothing came */
  async quiet(): Promise<boolean> {
    for (let turn = 0; turn < FENCE; turn++) await nextTurn()
    return this.#queue.length === 0 && this.#reader.pending === 0
  }

  /** Ends this side: by FIN, or END_STREAM. */
  end(): void {
    this.#socket.end()
  }

  /** Waits for a stream of HTTP/2 whose sides have both ended. Rejects if the target has reset it behind its end. */
  async closed(): Promise<void> {
    const socket = this.#socket
    if (socket instanceof Socket) return
    if (!socket.destroyed) await Promise.race([once(socket, 'close'), this.failed])
    if (this.#wasReset()) throw this.#reset()
  }

  /** Resets TCP; over HTTP/2 the stream, with CANCEL (RFC 8441 §5). */
  reset(): void {
    this.#hasReset = true
    if (this.#socket instanceof Socket) this.#socket.resetAndDestroy()
    else this.#socket.close(CANCEL)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Makes the pending or the next {@link next} reject: the case is given up, or the target has reset the socket or the stream. */
  fail(error: Error): void {
    this.#reject(error)
    this.#put(error)
  }

  #take(chunk: Buffer): void {
    this.#reader.push(chunk)
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        this.#checkKey(frame.key)
        this.#put({ ...frame, content: this.#contentOf(frame) })
      }
    } catch (error) {
      this.#put(error as Error)
    }
  }

  #contentOf({ compressed, payload }: ReceivedFrame): Buffer {
    return compressed ? (this.#inflater as MessageInflater).inflate(payload) : payload
  }

  #checkKey(key: number | undefined): void {
    if (key === undefined) return
    if (this.#keys.has(key)) throw new Error('a masking key came twice (§5.3)')
    this.#keys.add(key)
  }

  /** Node ends a stream that was reset like any other, or tells of it by nothing but its close. */
  #closed(): void {
    if (!this.#socket.readableEnded && this.#wasReset()) this.#end()
  }

  /** Whether the target has reset the stream. */
  #wasReset(): boolean {
    if (this.#hasReset || this.#socket instanceof Socket) return false
    return this.#socket.aborted || this.#socket.rstCode !== NO_ERROR
  }

  #reset(): Error {
    return new Error(`the stream was reset with code ${(this.#socket as Http2Stream).rstCode}`)
  }

  #end(): void {
    if (this.#wasReset()) this.fail(this.#reset())
    else this.#put(this.#reader.pending === 0 ? 'end' : new Error('its bytes ended inside a frame'))
  }

  #put(received: Received): void {
    this.#queue.push(received)
    this.#wake?.()
  }
}

/**
 * Writes `bytes`, at most `chunk` of them at once; the other side reads each chunk by itself. On a machine so busy that this takes long
 * the rest goes at once: a peer that makes too little progress is cut off, and rightly.
 */
export async function writeInChunks(socket: RawSocket, bytes: Uint8Array, chunk: number): Promise<void> {
  if (bytes.length <= chunk) {
    socket.write(bytes)
    return
  }
  const deadline = performance.now() + LONGEST_WRITE
  for (let at = 0; at < bytes.length; ) {
    const end = performance.now() < deadline ? at + chunk : bytes.length
    socket.write(bytes.subarray(at, end))
    at = end
    await nextTurn()
  }
}
