// What the processes of the demo tell each other over IPC. The children print nothing: the parent does it for all.

import type { Sample } from './sample.ts'
import type { Handshake } from './wire.ts'

/** What went over a connection, from the point of view of one end. Bytes are those of frames, the handshake's not counted. */
export interface Counts {
  readonly messagesIn: number
  readonly messagesOut: number
  readonly framesIn: number
  readonly framesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** How a connection ended, from the point of view of one end. */
export interface Ending {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

/** A client is connected. */
export interface Opened {
  readonly kind: 'opened'
  readonly pid: number
  readonly handshake: Handshake
}

/** A sample has arrived at the subscriber. */
export interface Arrived {
  readonly kind: 'arrived'
  readonly sample: Sample
  /** From taking the sample to its arrival, in ms. */
  readonly delay: number
}

/** A client's connection is over. */
export interface Ended {
  readonly kind: 'ended'
  readonly counts: Counts
  readonly ending: Ending
  /** What the client itself found wrong, or worth a word. */
  readonly faults: readonly string[]
  readonly remarks: readonly string[]
}

/** A client could not do its work. */
interface Failed {
  readonly kind: 'failed'
  readonly message: string
}

/** From a child to its parent. */
export type Report = Opened | Arrived | Ended | Failed

/** From the parent to a child: end your work in good order. */
export const STOP = 'stop'
