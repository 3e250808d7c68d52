// The one place that touches the inside of Node's zlib: the handle below a stream, called synchronously. A stream's own way, through
// the thread pool, costs ten times as much as compressing a small message, and the functions of one call (`deflateRawSync`)
// set up and tear down an engine for each. Rules:
// - A Node that is not known to have these methods, in this form, is not called so: its native code checks arguments by
//   aborting. Everything then goes through public streams; so it does if `WS_SYNC_ZLIB` says `off`.
// - Nothing here is used while the stream runs asynchronously.

import process from 'node:process'
import type { DeflateRaw, InflateRaw } from 'node:zlib'
import { environmentChoice } from '../environment.ts'

/** What Node's streams do themselves for a synchronous call, since Node 9. */
interface NativeHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    start: number,
    length: number,
    output: Uint8Array,
    outputStart: number,
    room: number,
  ): void
  reset(): void
}

interface Inside {
  readonly _handle?: NativeHandle | null
  /** What the last call left: room in the output, bytes of the input. */
  readonly _writeState?: Uint32Array
}

/** The oldest and the newest Node on which the tests have run. */
const KNOWN_FROM = 20
const KNOWN_TO = 26
/** No call leaves so much. */
const FAILED = 0xffff_ffff

const major = Number.parseInt(process.versions.node, 10)

/** Whether messages may be compressed and inflated within the turn. */
export let syncZlib: boolean =
  environmentChoice('WS_SYNC_ZLIB', ['on', 'off']) === 'on' && major >= KNOWN_FROM && major <= KNOWN_TO

/** A stream's engine. */
export class ZlibHandle {
  readonly #native: NativeHandle
  readonly #left: Uint32Array

  private constructor(native: NativeHandle, left: Uint32Array) {
    this.#native = native
    this.#left = left
  }

  /** The engine of a stream that nobody uses otherwise; `undefined` if there is no way to it. */
  static of(stream: DeflateRaw | InflateRaw): ZlibHandle | undefined {
    const { _handle: native, _writeState: left } = stream as unknown as Inside
    const known =
      typeof native?.writeSync === 'function' && typeof native.reset === 'function' && left instanceof Uint32Array
    if (syncZlib && known && left.length === 2) return new ZlibHandle(native, left)
    syncZlib = false
    return undefined
  }

  /** Gives input and room for output to zlib. @returns false on an error: then the stream is closed, and of no more use */
  run(
    flush: number,
    input: Uint8Array,
    start: number,
    end: number,
    output: Uint8Array,
    at: number,
    room: number,
  ): boolean {
    this.#left[0] = FAILED
    this.#native.writeSync(flush, input, start, end - start, output, at, room)
    return this.#left[0] !== FAILED
  }

  /** Room that the last run left. */
  get room(): number {
    return this.#left[0] as number
  }

  /** Input that the last run left. */
  get unread(): number {
    return this.#left[1] as number
  }

  reset(): void {
    this.#native.reset()
  }
}
