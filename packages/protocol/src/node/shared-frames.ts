// Frames that many connections get: made once, and never changed. Those of one turn lie in one batch, so that a run of them
// that goes to a thousand connections is put together once, and leaves each with one write.

import { Buffer } from 'node:buffer'
import process from 'node:process'
import { asBuffer } from './platform.ts'

/** A batch takes frames up to this sum, in bytes; then the next is begun. */
const BATCH_SIZE = 64 * 1024

/** A frame as it goes over the wire, unmasked: a server's (RFC 6455 §5.1). */
export interface SharedFrame {
  readonly batch: FrameBatch
  /** Its place in the batch. */
  readonly index: number
  readonly bytes: Buffer
}

export class FrameBatch {
  /** Whether others take their frames from it too; if not, one connection has put it together for itself. */
  readonly shared: boolean
  readonly #frames: Buffer[] = []
  #size = 0
  /** The run that was put together last: most connections ask for the same. */
  #from = 0
  #until = 0
  #run: Buffer | undefined

  constructor(shared: boolean) {
    this.shared = shared
  }

  hasRoomFor(frame: Buffer): boolean {
    return this.#size + frame.length <= BATCH_SIZE
  }

  /** @returns the place of the frame */
  add(frame: Buffer): number {
    this.#size += frame.length
    return this.#frames.push(frame) - 1
  }

  /** The frames from one place up to another, one behind the other. */
  run(from: number, until: number): Buffer {
    if (until - from === 1) return this.#frames[from] as Buffer
    if (this.#run === undefined || this.#from !== from || this.#until !== until) {
      this.#run = Buffer.concat(this.#frames.slice(from, until))
      this.#from = from
      this.#until = until
    }
    return this.#run
  }
}

/** The batches of this turn: one for each group of connections that get the same. */
const current = new Map<number, FrameBatch>()
const PLAIN = -1

/**
 * Puts a frame into a batch of this turn.
 * @param group who gets it, where that is not everybody: frames of others in between would break the runs
 */
export function shareFrame(frame: Uint8Array, group: number = PLAIN): SharedFrame {
  const bytes = asBuffer(frame)
  let batch = current.get(group)
  if (batch?.hasRoomFor(bytes) !== true) {
    if (current.size === 0) process.nextTick(endBatches)
    batch = new FrameBatch(true)
    current.set(group, batch)
  }
  return { batch, index: batch.add(bytes), bytes }
}

function endBatches(): void {
  current.clear()
}
