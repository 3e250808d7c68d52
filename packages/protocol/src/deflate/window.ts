// What an inflater must know of the messages before: their last bytes, up to the agreed window (RFC 7692 §7.1.1). They are kept as
// plain bytes, so that no connection needs an engine of its own between messages. Memory follows what came, up to the window.

const NOTHING: Uint8Array = new Uint8Array(0)
const LEAST_CAPACITY = 1024

export class Window {
  /** As a power of two. */
  readonly bits: number
  /** Whether anything is kept: not without context takeover. */
  readonly kept: boolean
  #ring = NOTHING
  #total = 0

  constructor(bits: number, kept: boolean) {
    this.bits = bits
    this.kept = kept
  }

  /** How many bytes were ever added: who remembers it sees whether there have been more. */
  get total(): number {
    return this.#total
  }

  /** The bytes, oldest first, in two parts; views that hold until the next call of {@link add}. */
  get parts(): readonly [Uint8Array, Uint8Array] {
    const ring = this.#ring
    if (this.#total <= ring.length) return [NOTHING, ring.subarray(0, this.#total)]
    const at = this.#total % ring.length
    return [ring.subarray(at), ring.subarray(0, at)]
  }

  add(message: Uint8Array): void {
    if (!this.kept || message.length === 0) return
    const size = 2 ** this.bits
    if (this.#ring.length < size) this.#grow(Math.min(this.#total + message.length, size), size)
    const ring = this.#ring
    const skipped = Math.max(message.length - size, 0)
    const at = (this.#total + skipped) % ring.length
    const turn = Math.min(skipped + ring.length - at, message.length)
    ring.set(message.subarray(skipped, turn), at)
    ring.set(message.subarray(turn), 0)
    this.#total += message.length
  }

  /** Before it is full it never turned: its bytes lie in their order. */
  #grow(needed: number, size: number): void {
    if (needed <= this.#ring.length) return
    const grown = new Uint8Array(Math.min(size, Math.max(needed, 2 * this.#ring.length, LEAST_CAPACITY)))
    grown.set(this.#ring)
    this.#ring = grown
  }
}
