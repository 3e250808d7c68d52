// The options of a client that reconnects, checked at construction.

import { type AbortSignalLike, LONGEST_DELAY, UsageError } from '@ws/protocol'
import type { LossInfo } from './loss.ts'
import type { PulseOptions, PulseSettings } from './pulse.ts'

/** A value, or what makes a new one for each attempt. */
export type PerAttempt<Value> = Value | (() => Value | PromiseLike<Value>)

/** When to connect again, and what to keep meanwhile. Times in ms. */
export interface ReconnectOptions {
  /** The longest wait before the first attempt; doubled with each further one. 1,000 by default. */
  readonly baseDelay?: number | undefined
  /** The longest wait of all: 30,000 by default. */
  readonly maxDelay?: number | undefined
  /** A connection that held so long was a success: the waits begin anew. 10,000 by default. */
  readonly stableAfter?: number | undefined
  /** How many attempts after the first, in a row, may fail to give a stable connection before it gives up; no limit by default. */
  readonly maxAttempts?: number | undefined
  /** How many bytes of messages may wait for a connection, each counted 64 more than its length: 1 MiB by default; on Node at most `maxBackpressure`. */
  readonly maxQueue?: number | undefined
  /** How long one attempt may take, and how long the functions for its values: 10,000 by default. */
  readonly handshakeTimeout?: number | undefined
  /** Decides whether to go on; `info.retryable` by default. What it throws ends the client. */
  readonly shouldReconnect?: ((info: LossInfo) => boolean) | undefined
  /** Ends the client. */
  readonly signal?: AbortSignalLike | undefined
}

/** {@link ReconnectOptions}, checked. */
export type ReconnectSettings = {
  readonly [Name in keyof Omit<ReconnectOptions, 'signal'>]-?: Exclude<ReconnectOptions[Name], undefined>
} & { readonly signal: AbortSignalLike | undefined; readonly pulse: PulseSettings | undefined }

const MAX_QUEUE = 1_048_576
const NO_LIMIT: number = Number.POSITIVE_INFINITY

/** Subprotocols, or what makes them. */
export type ProtocolsPerAttempt = PerAttempt<string | Iterable<string>>

/** The constructor's second argument: subprotocols, what makes them, or options. */
export function toOptions<Options extends object>(
  given: ProtocolsPerAttempt | Options,
): Options | { readonly protocols: ProtocolsPerAttempt } {
  const isOptions = typeof given === 'object' && given !== null && !isIterable(given)
  return isOptions ? given : { protocols: given as ProtocolsPerAttempt }
}

/** Whether it is a list of any kind; a text is none. */
export function isIterable(given: unknown): given is Iterable<unknown> {
  return typeof given === 'object' && given !== null && Symbol.iterator in given
}

/** @param heartbeat that of the option, if it is made of messages */
export function reconnectSettings(options: ReconnectOptions, heartbeat?: PulseOptions): ReconnectSettings {
  const { shouldReconnect = (info) => info.retryable, signal } = options
  checkFunction('shouldReconnect', shouldReconnect)
  if (signal !== undefined) checkFunction('signal.addEventListener', signal?.addEventListener)
  return {
    baseDelay: integer('baseDelay', options.baseDelay, 1_000),
    maxDelay: integer('maxDelay', options.maxDelay, 30_000),
    stableAfter: integer('stableAfter', options.stableAfter, 10_000),
    maxAttempts: integer('maxAttempts', options.maxAttempts, NO_LIMIT, 0, NO_LIMIT),
    maxQueue: integer('maxQueue', options.maxQueue, MAX_QUEUE, 0, NO_LIMIT),
    handshakeTimeout: integer('handshakeTimeout', options.handshakeTimeout, 10_000, 1),
    shouldReconnect,
    signal,
    pulse: heartbeat && pulseSettings(heartbeat),
  }
}

function pulseSettings({ interval, timeout, message, isReply }: PulseOptions): PulseSettings {
  checkFunction('heartbeat.message', message)
  if (isReply !== undefined) checkFunction('heartbeat.isReply', isReply)
  return {
    interval: integer('heartbeat.interval', interval, 30_000, 1),
    timeout: integer('heartbeat.timeout', timeout, 10_000, 1),
    message,
    isReply,
  }
}

// The checks of `@ws/protocol` say more of what came; they are too large for a page.

function integer(name: string, value: unknown, fallback: number, least = 0, most: number = LONGEST_DELAY): number {
  const number = value === undefined ? fallback : (value as number)
  if (number === fallback || (Number.isSafeInteger(number) && number >= least && number <= most)) return number
  throw wrong(name, `an integer from ${least} to ${most}`, value)
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw wrong(name, 'a function', value)
}

function wrong(name: string, expected: string, value: unknown): UsageError {
  return new UsageError(`option ${name} must be ${expected}; got ${String(value)}`)
}
