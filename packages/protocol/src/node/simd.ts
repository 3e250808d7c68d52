// The WebAssembly module that masks: assembled from simd.wat, which explains it. Rules: there is one instance a thread,
// its memory has a fixed size and is never grown, so that views of it stay valid for the life of the process.

import { Buffer } from 'node:buffer'

/** What the module offers. Indexes are those of its memory; nothing is checked there. */
export interface Simd {
  readonly memory: ArrayBuffer
  /** XORs `[start, end)` with a key whose octets are in the order of memory, the lowest first. */
  mask(start: number, end: number, key: number): void
  /** 1 if no byte of `[start, end)` has its top bit set, else 0. */
  isAscii(start: number, end: number): number
}

/** The part of WebAssembly's interface that is used; Node's types leave it to those of browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: Omit<Simd, 'memory'> & { memory: { buffer: ArrayBuffer } } }
}

/** simd.wat, assembled: a test compares the two. */
export const SIMD_MODULE: string =
  'AGFzbQEAAAABDQJgA39/fwBgAn9/AX8DAwIAAQUEAQEGBgcbAwZtZW1vcnkCAARtYXNrAAAHaXNBc2NpaQABCrcBAl0BAXsgAv0RIQMCQANAIABBEGog' +
  'AUsNASAAIAD9AAQAIAP9Uf0LBAAgAEEQaiEADAALCwJAA0AgACABTw0BIAAgAC0AACACczoAACACQQh4IQIgAEEBaiEADAALCwtXAgF7AX8CQANAIABB' +
  'EGogAUsNASACIAD9AAQA/VAhAiAAQRBqIQAMAAsLAkADQCAAIAFPDQEgAyAALQAAciEDIABBAWohAAwACwsgAv1kIANBgAFxckUL'

/** Instantiates the module; `undefined` where that cannot be: no WebAssembly (`--jitless`), no SIMD, no address space. */
export function loadSimd(): Simd | undefined {
  try {
    const module = new WebAssembly.Module(Buffer.from(SIMD_MODULE, 'base64'))
    const { memory, mask, isAscii } = new WebAssembly.Instance(module).exports
    return { memory: memory.buffer, mask, isAscii }
  } catch {
    return undefined
  }
}
