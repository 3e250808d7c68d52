// A queue whose `shift` does not move what is left: arrays do, and a peer decides how long this one gets.

/** After so many items taken, and once they are half of it, the array is cut. */
const COMPACT_FROM = 64

/** An empty queue has no array of its own: most of them stay empty. */
const NONE: undefined[] = []

/** First in, first out. */
export class Fifo<Item> {
  #items: (Item | undefined)[] = NONE
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** The oldest; `undefined` if there is none. */
  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    if (this.#items === NONE) this.#items = []
    this.#items.push(item)
  }

  /** Takes the oldest; `undefined` if there is none. */
  shift(): Item | undefined {
    const item = this.#items[this.#head]
    if (this.#head === this.#items.length) return undefined
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= COMPACT_FROM && 2 * this.#head >= this.#items.length) this.#compact()
    return item
  }

  clear(): void {
    this.#items.length = 0
    this.#head = 0
  }

  #compact(): void {
    this.#items.splice(0, this.#head)
    this.#head = 0
  }
}
