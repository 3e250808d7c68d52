// What a server tells of itself. Rules: nothing is counted here while messages flow. What connections have counted is added
// up when somebody asks, and what one that has ended had counted is kept as part of a sum.

import type { ErrorCode, RefusalCode } from '@ws/protocol'
import type { CloseInfo, ConnectionStats, WebSocketConnection } from '@ws/protocol/node'
import type { EventLoopDelay } from './event-loop.ts'

/** What a server has done so far; the counters of {@link ConnectionStats} are sums over all connections, also those that have ended. */
export interface ServerStats extends ConnectionStats {
  /** Open now. */
  readonly connections: number
  /** Upgrades that wait for their `authenticate` hook. */
  readonly pending: number
  /** Opened since the beginning. */
  readonly accepted: number
  /** Refused since the beginning, by code. */
  readonly refusals: Readonly<Partial<Record<RefusalCode | 'USAGE', number>>>
  /** Ended since the beginning, by close code. */
  readonly closeCodes: Readonly<Record<number, number>>
  /** Those of them that a fault or a limit ended, by the code of the close info's `cause`: `SLOW_CONSUMER`, `HEARTBEAT_TIMEOUT` … */
  readonly closeCauses: Readonly<Partial<Record<ErrorCode, number>>>
  /** Bytes that were sent and that the operating system has not taken yet. */
  readonly bufferedAmount: number
  /** How many connections are above `highWaterMark` now. */
  readonly aboveHighWaterMark: number
  /** Topics that somebody subscribes to now. */
  readonly topics: number
  /** Subscriptions to them, of all connections. */
  readonly subscriptions: number
  /** With the option `eventLoopDelay`: what was seen since `stats()` was called before. */
  readonly eventLoopDelay?: EventLoopDelay
}

type Sums = { -readonly [Key in keyof ConnectionStats]: number }

/** The traffic of a server's connections, and how they ended. */
export class Traffic {
  readonly closeCodes: Map<number, number> = new Map()
  readonly closeCauses: Map<ErrorCode, number> = new Map()
  readonly #ended: Sums = noTraffic()

  /** A connection has ended: what it has counted will be asked for without it. */
  ended(socket: WebSocketConnection, info: CloseInfo): void {
    add(this.#ended, socket.stats())
    count(this.closeCodes, info.code)
    // Many may be lost at once, and the cause of a lost one is an error that is made when it is asked for.
    const cause = info.initiator === 'transport' ? 'CONNECTION_LOST' : info.cause?.code
    if (cause !== undefined) count(this.closeCauses, cause)
  }

  /** Adds up what those that have ended and those that are open have counted. */
  total(open: Iterable<WebSocketConnection>): ConnectionStats {
    const sums = { ...this.#ended }
    for (const socket of open) add(sums, socket.stats())
    return sums
  }
}

/** Adds one to what is counted under a key. */
export function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** What waits for the operating system to take it, on how many connections too much. */
export function backlogOf(
  open: Iterable<WebSocketConnection>,
  highWaterMark: number,
): Pick<ServerStats, 'bufferedAmount' | 'aboveHighWaterMark'> {
  let [bufferedAmount, aboveHighWaterMark] = [0, 0]
  for (const socket of open) {
    const waiting = socket.bufferedAmount
    bufferedAmount += waiting
    if (waiting > highWaterMark) aboveHighWaterMark++
  }
  return { bufferedAmount, aboveHighWaterMark }
}

function noTraffic(): Sums {
  return { messagesIn: 0, messagesOut: 0, framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, dropped: 0 }
}

function add(sums: Sums, { messagesIn, messagesOut, framesIn, framesOut, bytesIn, bytesOut, dropped }: Sums): void {
  sums.messagesIn += messagesIn
  sums.messagesOut += messagesOut
  sums.framesIn += framesIn
  sums.framesOut += framesOut
  sums.bytesIn += bytesIn
  sums.bytesOut += bytesOut
  sums.dropped += dropped
}
