// The options of a client that reconnects, checked at construction.

import { type AbortSignalLike, integerOption, LONGEST_DELAY, UsageError, usage } from '@ws/protocol'
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
  /** How many attempts in a row may fail to give a stable connection before it gives up; no limit by default. */
  readonly maxAttempts?: number | undefined
  /** How many bytes of messages may wait for a connection, each counted 64 more than its length: 1 MiB by default. */
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

const MAX_QUEUE = 1024 * 1024

/** @param heartbeat that of the option, if it is made of messages */
export function reconnectSettings(options: ReconnectOptions, heartbeat?: PulseOptions): ReconnectSettings {
  if (typeof options !== 'object' || options === null) throw usage('options', 'an object', options)
  const { shouldReconnect = (info) => info.retryable, signal } = options
  if (typeof shouldReconnect !== 'function') throw usage('option shouldReconnect', 'a function', shouldReconnect)
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw usage('option signal', 'an AbortSignal', signal)
  return {
    baseDelay: integerOption('baseDelay', options.baseDelay, 1_000, 0, LONGEST_DELAY),
    maxDelay: integerOption('maxDelay', options.maxDelay, 30_000, 0, LONGEST_DELAY),
    stableAfter: integerOption('stableAfter', options.stableAfter, 10_000, 0, LONGEST_DELAY),
    maxAttempts: integerOption('maxAttempts', options.maxAttempts, Number.POSITIVE_INFINITY),
    maxQueue: integerOption('maxQueue', options.maxQueue, MAX_QUEUE),
    handshakeTimeout: integerOption('handshakeTimeout', options.handshakeTimeout, 10_000, 1, LONGEST_DELAY),
    shouldReconnect,
    signal,
    pulse: heartbeat && pulseSettings(heartbeat),
  }
}

function pulseSettings({ interval, timeout, message, isReply = () => false }: PulseOptions): PulseSettings {
  if (typeof message !== 'function' || typeof isReply !== 'function')
    throw new UsageError('option heartbeat must have a function message, and isReply must be a function if it is there')
  return {
    interval: integerOption('heartbeat.interval', interval, 30_000, 1, LONGEST_DELAY),
    timeout: integerOption('heartbeat.timeout', timeout, 10_000, 1, LONGEST_DELAY),
    message,
    isReply,
  }
}
