// Memory for what applications get. Rules: bytes that were handed out are never written again; small ones share a chunk, so
// that keeping one keeps at most a chunk alive; from `OWN_FROM` bytes on each has memory of its own.

import { Buffer } from 'node:buffer'
import { view } from './view.ts'
import { receiveWindow } from './window.ts'

/** From this size on a message has memory of its own: an allocation costs as much as copying that much. */
export const OWN_FROM: number = 4 * 1024
const CHUNK_SIZE: number = 16 * 1024
/** Up to this size words are copied in a loop: two views and a call cost more. */
const WORDS_UP_TO = 96
const WORD = 4
const ALIGNMENT = 8

/** Of this machine: what is read so is stored so. */
const LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

let chunk: Buffer = Buffer.allocUnsafeSlow(0)
let memory: ArrayBufferLike = chunk.buffer
let words: Int32Array = new Int32Array(0)
let used = 0
const windowMemory = receiveWindow.buffer
const source = new DataView(windowMemory, receiveWindow.byteOffset, receiveWindow.length)

/** Uninitialised memory of `size` bytes that nothing else will write to. */
export function allocate(size: number): Buffer {
  if (size >= OWN_FROM) return Buffer.allocUnsafeSlow(size)
  const at = reserve(size) // first: it may begin a new chunk
  return view(memory, at, size)
}

/** A copy of `bytes[start, end)` in such memory. */
export function copy(bytes: Uint8Array, start: number, end: number): Buffer {
  const size = end - start
  if (size > WORDS_UP_TO || bytes !== receiveWindow) {
    const copied = allocate(size)
    copied.set(bytes === receiveWindow ? new Uint8Array(windowMemory, start, size) : bytes.subarray(start, end))
    return copied
  }
  const at = reserve(size)
  copyWords(start, end, at)
  return view(memory, at, size)
}

/** Takes room in the chunk, aligned. @returns where it begins */
function reserve(size: number): number {
  const room = size + padding(size)
  if (room > chunk.length - used) {
    chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE)
    memory = chunk.buffer
    words = new Int32Array(memory)
    used = 0
  }
  used += room
  return used - room
}

function padding(size: number): number {
  return -size & (ALIGNMENT - 1)
}

/** Copies from the window into the chunk; the place in the chunk is aligned, that in the window need not be. */
function copyWords(start: number, end: number, to: number): void {
  let from = start
  let word = to / WORD
  for (const last = end - WORD; from <= last; from += WORD) words[word++] = source.getInt32(from, LITTLE_ENDIAN)
  for (let at = to + from - start; from < end; at++) chunk[at] = receiveWindow[from++] as number
}
