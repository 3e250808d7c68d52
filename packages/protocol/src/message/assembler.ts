// From payload chunks to messages. Rules: memory follows the bytes received, never the declared length alone and never
// the number of fragments or chunks; text is validated as it arrives, up to the first impossible byte; a message whose
// payload lies in one chunk is decoded or copied from there at once, without a buffer in between.

import type { Platform } from '../platform.ts'
import { Utf8Validator } from './utf8.ts'

/** A buffer is made for the declared length at once up to here; beyond it grows as bytes arrive. */
const TRUSTED_LENGTH = 1024 * 1024

const NOTHING: Uint8Array = new Uint8Array(0)

/** What the assembler asks of the machine. */
export type AssemblerPlatform = Pick<Platform, 'allocate' | 'copy' | 'decodeText' | 'decodeUtf8'>

/** Collects the payload of one message after the other. */
export class MessageAssembler {
  readonly #platform: AssemblerPlatform
  #validator: Utf8Validator | undefined
  #text = false
  #last = false
  /** How many bytes the frame in progress still brings. */
  #expected = 0
  #buffer = NOTHING
  #length = 0
  #whole: string | Uint8Array | undefined

  constructor(platform: AssemblerPlatform) {
    this.#platform = platform
  }

  /** Begins a message. */
  begin(text: boolean): void {
    this.#text = text
    this.#validator?.reset()
    this.#length = 0
    this.#whole = undefined
  }

  /** Announces the next frame of the message: its payload's length, and whether it is the last. */
  expect(length: number, last: boolean): void {
    this.#expected = length
    this.#last = last
  }

  /** Takes `bytes[start, end)` of the frame announced. @returns the index of a byte that no valid text can have there, or −1 */
  push(bytes: Uint8Array, start: number, end: number): number {
    const size = end - start
    if (this.#last && this.#length === 0 && size === this.#expected) {
      return this.#takeWhole(bytes, start, end)
    }
    const invalid = this.#text ? this.#validate(bytes, start, end) : -1
    if (invalid < 0) this.#append(bytes, start, end)
    this.#expected -= size
    return invalid
  }

  /** Ends the message. @returns the message, or `undefined` if its text is cut short inside a code point */
  end(): string | Uint8Array | undefined {
    if (this.#whole !== undefined) return this.#release(this.#whole)
    if (this.#midCodePoint()) return undefined
    if (this.#text) return this.#release(this.#platform.decodeUtf8(this.#buffer, 0, this.#length))
    if (this.#length === 0) return this.#platform.allocate(0)
    const full = this.#length === this.#buffer.length
    return this.#release(full ? this.#buffer : this.#buffer.subarray(0, this.#length))
  }

  /** Forgets the message in progress and the memory that it took. */
  drop(): void {
    this.#buffer = NOTHING
    this.#length = 0
    this.#whole = undefined
  }

  #midCodePoint(): boolean {
    return this.#text && this.#validator !== undefined && !this.#validator.complete
  }

  #release(message: string | Uint8Array): string | Uint8Array {
    this.drop()
    return message
  }

  #takeWhole(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#text) {
      this.#whole = this.#platform.copy(bytes, start, end)
      return -1
    }
    this.#whole = this.#platform.decodeText(bytes, start, end)
    return this.#whole === undefined ? this.#validate(bytes, start, end) : -1
  }

  #validate(bytes: Uint8Array, start: number, end: number): number {
    this.#validator ??= new Utf8Validator()
    return this.#validator.push(bytes, start, end)
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#length + (end - start)
    if (needed > this.#buffer.length) this.#grow(needed)
    this.#buffer.set(bytes.subarray(start, end), this.#length)
    this.#length = needed
  }

  /** Up to the declared end if that is near, else to twice what has come: bytes are copied at most twice on average. */
  #grow(needed: number): void {
    const declared = this.#length + this.#expected
    const doubled = Math.max(needed, 2 * this.#length, Math.min(declared, TRUSTED_LENGTH))
    const capacity = this.#last ? Math.min(declared, doubled) : doubled
    const grown = this.#platform.allocate(capacity)
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}
