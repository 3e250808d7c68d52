// What the benchmark and its processes say to each other over IPC.

/** From a process, once: it works now. */
export interface Ready {
  readonly kind: 'ready'
  /** Where it listens, if it does. */
  readonly port: number
  /** The version of what it runs, if that has one. */
  readonly version: string
}

/** From a process, in place of `ready`: it cannot do this here, and why. */
interface Unable {
  readonly kind: 'unable'
  readonly reason: string
}

/** From a process, at any time: it went wrong. */
interface Failed {
  readonly kind: 'failed'
  readonly reason: string
}

/** To a process: do this. */
export interface Request {
  readonly id: number
  readonly command: string
  readonly parameter: number
}

/** The result of a request. */
interface Answer {
  readonly kind: 'answer'
  readonly id: number
  readonly value: unknown
}

export type Report = Ready | Unable | Failed | Answer
