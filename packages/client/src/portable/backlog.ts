// Messages that wait while there is no connection: bounded, in order, each handed over once.

import { toText } from './arguments.ts'

/** What each message counts beside its bytes: memory that it takes, so that empty ones come to an end too. */
const OVERHEAD = 64

type Payload = string | ArrayBuffer | Blob

/** Messages that wait. */
export interface Backlog {
  /** Bytes of them. */
  size(): number
  /** Keeps a message, unless there is no room. */
  add(data: unknown): boolean
  /** Takes out all that waits. */
  take(): Payload[]
}

/** @param most how much may wait, in bytes */
export function makeBacklog(most: number): Backlog {
  let waiting: Payload[] = []
  let sum = 0
  return {
    size: () => sum,
    add(given) {
      const data = snapshot(given)
      const { size } = new Blob([data]) // of texts in UTF-8
      if (sum + size + OVERHEAD * (waiting.length + 1) > most) return false
      sum += size
      waiting.push(data)
      return true
    },
    take() {
      const taken = waiting
      waiting = []
      sum = 0
      return taken
    },
  }
}

/** As `send()` of the standard takes it, bytes and Blobs as binary and everything else as text; the bytes are those of now. */
function snapshot(data: unknown): Payload {
  if (data instanceof ArrayBuffer) return data.slice(0)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer
  return data instanceof Blob ? data : toText(data)
}
