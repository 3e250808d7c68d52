// Messages that wait while there is no connection: bounded, in order, each handed over once.

import { toText, utf8Length } from './arguments.ts'

/** What each message counts beside its bytes: memory that it takes, so that empty ones come to an end too. */
const OVERHEAD = 64

type Payload = string | ArrayBuffer | Blob

export class Backlog {
  readonly #most: number
  #waiting: { readonly data: Payload; readonly size: number }[] = []
  #size = 0

  /** @param most how much may wait, in bytes */
  constructor(most: number) {
    this.#most = most
  }

  /** Bytes of the messages that wait. */
  get size(): number {
    return this.#size
  }

  /** Keeps a message, unless there is no room. */
  add(given: unknown): boolean {
    const data = snapshot(given)
    const size = sizeOf(data)
    if (this.#size + size + OVERHEAD * (this.#waiting.length + 1) > this.#most) return false
    this.#size += size
    this.#waiting.push({ data, size })
    return true
  }

  /** Hands over what waits, from the first on, until `send` returns false: that message stays. */
  flush(send: (data: Payload) => boolean): void {
    let sent = 0
    for (const { data, size } of this.#waiting) {
      if (!send(data)) break
      this.#size -= size
      sent++
    }
    this.#waiting.splice(0, sent)
  }

  clear(): void {
    this.#waiting = []
    this.#size = 0
  }
}

/** As `send()` of the standard takes it, bytes and Blobs as binary and everything else as text; the bytes are those of now. */
function snapshot(data: unknown): Payload {
  if (data instanceof ArrayBuffer) return data.slice(0)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer
  return data instanceof Blob ? data : toText(data)
}

function sizeOf(data: Payload): number {
  if (typeof data === 'string') return utf8Length(data)
  return data instanceof Blob ? data.size : data.byteLength
}
