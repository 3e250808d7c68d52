// A heartbeat made of messages, for connections that cannot be pinged. Rules: any message that comes is a sign of life; a
// question is asked only in silence; a timer that rings much too late proves nothing, for the machine or the page has slept,
// and the question is asked again.

/** A heartbeat in the words of the application. Times in ms. */
export interface PulseOptions {
  /** How long there may be silence before a question is asked: 30,000 by default. */
  readonly interval?: number | undefined
  /** How long an answer may take: 10,000 by default. */
  readonly timeout?: number | undefined
  /** Makes the question. */
  readonly message: () => string | ArrayBuffer | ArrayBufferView | Blob
  /** Tells answers from other messages: they are no `message` events then. By default every message is one. */
  readonly isReply?: ((data: unknown) => boolean) | undefined
}

type Question = ReturnType<PulseOptions['message']>

/** {@link PulseOptions}, checked. */
export type PulseSettings = { readonly [Name in keyof PulseOptions]-?: Exclude<PulseOptions[Name], undefined> }

export class Pulse {
  readonly #settings: PulseSettings
  readonly #ask: (question: Question) => void
  readonly #dead: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #heard = false
  #asked: number | undefined

  /** Begins to listen. @param dead called once, when no answer came */
  constructor(settings: PulseSettings, ask: (question: Question) => void, dead: () => void) {
    this.#settings = settings
    this.#ask = ask
    this.#dead = dead
    this.#listen()
  }

  /** A message came. */
  beat(): void {
    if (this.#asked === undefined) this.#heard = true
    else this.#listen()
  }

  /** Asks now, if no answer is awaited: the network or the page may have been away. */
  probe(): void {
    if (this.#asked !== undefined) return
    const { timeout, message } = this.#settings
    const asked = Date.now()
    this.#asked = asked
    this.#set(timeout, () => this.#unanswered(asked))
    this.#ask(message())
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #listen(): void {
    this.#heard = false
    this.#asked = undefined
    this.#set(this.#settings.interval, () => (this.#heard ? this.#listen() : this.probe()))
  }

  #unanswered(asked: number): void {
    this.#asked = undefined
    if (Date.now() - asked > 2 * this.#settings.timeout) this.probe()
    else this.#dead()
  }

  #set(delay: number, then: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(then, delay)
  }
}
