// The receive window: one buffer a thread into which every connection's bytes are read, and in which they are parsed and
// unmasked before the next read. It is the memory of the WebAssembly module, if there is one. Rules:
// - Nothing keeps a view into it beyond the call that hands it out; who cannot finish copies the rest.
// - It is taken while a chunk in it is being parsed; whoever comes meanwhile, from within a handler, uses other memory.

import { Buffer } from 'node:buffer'
import { applyMask as plainMask, rotateKey } from '../frame/mask.ts'
import { environmentChoice } from './environment.ts'
import { loadSimd, type Simd } from './simd.ts'

/** How much of the machine is used: `WS_RECEIVE_WINDOW` says so before the module is loaded. */
export type WindowMode =
  /** A window in WebAssembly memory, masked there: the default. */
  | 'simd'
  /** A window in ordinary memory, masked in JavaScript. */
  | 'buffer'
  /** No window: every read gives memory of its own. */
  | 'off'

const PAGE = 64 * 1024
/** Four messages of 64 KiB in one read, and half of a usual second-level cache, where the bytes are to stay until they leave. */
export const WINDOW_SIZE: number = 5 * PAGE
const SCRATCH_SIZE = PAGE
/** Below this many bytes elsewhere in memory, two copies cost more than masking them one by one. */
const SCRATCH_FROM = 256

const wanted: WindowMode = environmentChoice('WS_RECEIVE_WINDOW', ['simd', 'buffer', 'off'])
const simd: Simd | undefined = wanted === 'simd' ? loadSimd() : undefined

/** The mode in force. */
export const windowMode: WindowMode = wanted === 'simd' && simd === undefined ? 'buffer' : wanted

/** The window; of no size where the mode is `'off'`. */
export const receiveWindow: Buffer =
  simd === undefined
    ? Buffer.allocUnsafeSlow(windowMode === 'off' ? 0 : WINDOW_SIZE)
    : Buffer.from(simd.memory, 0, WINDOW_SIZE)

const scratch: Buffer = simd === undefined ? Buffer.alloc(0) : Buffer.from(simd.memory, WINDOW_SIZE, SCRATCH_SIZE)

let taken = false

/** Takes the window, to parse what lies in it. @returns false if it is taken: call {@link releaseWindow} only after true */
export function takeWindow(): boolean {
  if (taken || windowMode === 'off') return false
  taken = true
  return true
}

export function releaseWindow(): void {
  taken = false
}

/** Whether these bytes lie in the window: they hold only until the handler that they were given to returns. */
export function isBorrowed(bytes: Uint8Array): boolean {
  return bytes.buffer === receiveWindow.buffer
}

/** Masks in WebAssembly: in place inside the window, through the scratch memory for longer bytes elsewhere. */
function simdMask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): void {
  const { mask } = simd as Simd
  if (bytes === receiveWindow) return mask(start, end, inMemoryOrder(rotateKey(key, phase)))
  if (end - start < SCRATCH_FROM) return plainMask(bytes, start, end, key, phase)
  const octets = inMemoryOrder(rotateKey(key, phase)) // a multiple of 4 at a time, so it is the same for each part
  for (let at = start; at < end; at += SCRATCH_SIZE) {
    const part = bytes.subarray(at, Math.min(end, at + SCRATCH_SIZE))
    scratch.set(part)
    mask(WINDOW_SIZE, WINDOW_SIZE + part.length, octets)
    part.set(part.length === SCRATCH_SIZE ? scratch : scratch.subarray(0, part.length))
  }
}

/** A key has its first octet on top (§5.3); in the memory of WebAssembly the lowest comes first. */
function inMemoryOrder(key: number): number {
  return (key >>> 24) | ((key >>> 8) & 0xff00) | ((key << 8) & 0xff0000) | (key << 24)
}

/** Masks or unmasks in place; see `ApplyMask`. */
export const applyMask: typeof plainMask = simd === undefined ? plainMask : simdMask

/** Whether `bytes[start, end)` is known to be ASCII; false if it would have to be looked at in JavaScript. */
export function isKnownAscii(bytes: Uint8Array, start: number, end: number): boolean {
  return simd !== undefined && bytes === receiveWindow && simd.isAscii(start, end) !== 0
}
