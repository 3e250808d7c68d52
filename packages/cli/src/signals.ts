// Ctrl-C, and what a process manager sends: the first time the program ends in good order, the second time at once.

import { EXIT } from './exit.ts'

/** `npx` hands on the Ctrl-C that the terminal has sent to us too, a moment later; in ms. */
const SAME = 500

/** Calls back with the exit code that belongs to the signal. */
export class Signals {
  /** What a signal brings about, once; also called by the prompt, which takes Ctrl-C from the terminal. */
  readonly interrupt: () => void = () => this.#take(EXIT.interrupted)
  readonly #end: (exitCode: typeof EXIT.interrupted | typeof EXIT.terminated) => void
  #first: number | undefined

  constructor(end: (exitCode: typeof EXIT.interrupted | typeof EXIT.terminated) => void) {
    this.#end = end
    process.on('SIGINT', this.interrupt).on('SIGTERM', () => this.#take(EXIT.terminated))
  }

  #take(exitCode: typeof EXIT.interrupted | typeof EXIT.terminated): void {
    if (this.#first === undefined) {
      this.#first = performance.now()
      this.#end(exitCode)
    } else if (performance.now() - this.#first > SAME) process.exit(exitCode)
  }
}
