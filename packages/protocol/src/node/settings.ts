// What can be set on a connection: checked once, shared by all connections that it is given to.

import { DEFAULT_MAX_FRAGMENTS, DEFAULT_MAX_PAYLOAD } from '../constants.ts'
import { usage } from '../errors.ts'
import { integerOption, LARGEST_MAX_PAYLOAD, LONGEST_DELAY } from '../limits.ts'
import { type DeflateSettings, deflateSettings, type PerMessageDeflateOptions } from './deflate/settings.ts'

/** Pings to a silent peer. Times in ms. */
export interface HeartbeatOptions {
  /** After how much silence a ping goes out; 30,000 by default. */
  readonly interval?: number | undefined
  /** How long, once the ping has left, its answer may take; 10,000 by default. */
  readonly timeout?: number | undefined
}

/** The options that both ends share. Sizes in bytes, times in ms. docs/limits.md says what happens past each. */
export interface ConnectionOptions {
  /** The largest message; 16 MiB by default. Past it: close code 1009. */
  readonly maxPayload?: number | undefined
  /** The largest number of frames of a message; 131,072 by default. Past it: 1008. */
  readonly maxFragments?: number | undefined
  /** How long a message may go on with less than 1 KiB of progress; 10,000 by default, 0 for no limit. Past it: 1008. */
  readonly messageTimeout?: number | undefined
  /** How long the closing handshake may take; 10,000 by default. Past it the transport is destroyed. */
  readonly closeTimeout?: number | undefined
  /** Pings to a silent peer; on by default at the server, off at the client. */
  readonly heartbeat?: HeartbeatOptions | boolean | undefined
  /** After how long without a message, in either direction, the connection is closed with 1001; 0 (default): never. */
  readonly idleTimeout?: number | undefined
  /** `send` returns false above this many buffered bytes; 65,536 by default, and at most `maxBackpressure`. */
  readonly highWaterMark?: number | undefined
  /** Past this many bytes buffered before a `send`, `slowConsumer` decides; 16 MiB by default. */
  readonly maxBackpressure?: number | undefined
  /** `'close'` (default) terminates a connection past `maxBackpressure`, `'drop'` drops the new message. */
  readonly slowConsumer?: 'close' | 'drop' | undefined
  /** How many bytes of messages are read ahead of a consumer that is not ready; 262,144 by default. */
  readonly maxReadAhead?: number | undefined
  /** How many messages may be with an asynchronous `message` handler at once; 1 by default. */
  readonly concurrency?: number | undefined
  /** `'deliver'` (default) keeps messages for a consumer; `'discard'` is for endpoints that only send. */
  readonly incoming?: 'deliver' | 'discard' | undefined
  /**
   * `'owned'` (default): binary messages are yours. `'borrowed'`: they may be views that hold only until the handler or
   * listener returns, or, if it is asynchronous, until it first waits; one that has to wait for its consumer is owned.
   */
  readonly binary?: 'owned' | 'borrowed' | undefined
  /** permessage-deflate (RFC 7692): whether to offer it (a client, by default), or to take an offer (a server, off by default), and with what. */
  readonly perMessageDeflate?: PerMessageDeflateOptions | boolean | undefined
}

/** {@link ConnectionOptions}, checked and complete. */
export interface ConnectionSettings {
  readonly maxPayload: number
  readonly maxFragments: number
  readonly messageTimeout: number
  readonly closeTimeout: number
  readonly heartbeat: Required<{ [Key in keyof HeartbeatOptions]: number }> | undefined
  readonly idleTimeout: number
  readonly highWaterMark: number
  readonly maxBackpressure: number
  readonly slowConsumer: 'close' | 'drop'
  readonly maxReadAhead: number
  readonly concurrency: number
  readonly incoming: 'deliver' | 'discard'
  readonly binary: 'owned' | 'borrowed'
  readonly perMessageDeflate: DeflateSettings | undefined
}

const KIB = 1024

/**
 * Checks the options of connections and fills in the defaults.
 * @param heartbeatByDefault whether a connection of this end pings a silent peer unless told otherwise
 * @throws UsageError that names the option, what was expected and what came
 */
export function connectionSettings(options: ConnectionOptions, heartbeatByDefault: boolean): ConnectionSettings {
  const delay = (name: string, value: number | undefined, fallback: number, least = 0): number =>
    integerOption(name, value, fallback, least, LONGEST_DELAY)
  const maxBackpressure = integerOption('maxBackpressure', options.maxBackpressure, 16 * KIB * KIB)
  return Object.freeze({
    maxPayload: integerOption('maxPayload', options.maxPayload, DEFAULT_MAX_PAYLOAD, 0, LARGEST_MAX_PAYLOAD),
    maxFragments: integerOption('maxFragments', options.maxFragments, DEFAULT_MAX_FRAGMENTS, 1),
    messageTimeout: delay('messageTimeout', options.messageTimeout, 10_000),
    closeTimeout: delay('closeTimeout', options.closeTimeout, 10_000, 1),
    heartbeat: heartbeatSettings(options.heartbeat === undefined ? heartbeatByDefault : options.heartbeat, delay),
    idleTimeout: delay('idleTimeout', options.idleTimeout, 0),
    // Above `maxBackpressure` the next message is lost, so `send` says so before; and nobody is judged by what only waits for
    // the end of the turn.
    highWaterMark: Math.min(integerOption('highWaterMark', options.highWaterMark, 64 * KIB), maxBackpressure),
    maxBackpressure,
    slowConsumer: choice('slowConsumer', options.slowConsumer, ['close', 'drop']),
    maxReadAhead: integerOption('maxReadAhead', options.maxReadAhead, 256 * KIB, 1),
    concurrency: integerOption('concurrency', options.concurrency, 1, 1),
    incoming: choice('incoming', options.incoming, ['deliver', 'discard']),
    binary: choice('binary', options.binary, ['owned', 'borrowed']),
    perMessageDeflate: deflateSettings(options.perMessageDeflate),
  })
}

function heartbeatSettings(
  given: HeartbeatOptions | boolean,
  delay: (name: string, value: number | undefined, fallback: number, least: number) => number,
): ConnectionSettings['heartbeat'] {
  if (given === false) return undefined
  if (given !== true && (typeof given !== 'object' || given === null)) {
    throw usage('option heartbeat', 'a boolean or { interval, timeout } in ms', given)
  }
  const { interval, timeout }: HeartbeatOptions = given === true ? {} : given
  return {
    interval: delay('heartbeat.interval', interval, 30_000, 1),
    timeout: delay('heartbeat.timeout', timeout, 10_000, 1),
  }
}

/** Returns `value`, or the first choice if it is undefined. @throws UsageError if it is none of the choices */
export function choice<Choice extends string>(
  name: string,
  value: Choice | undefined,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const chosen = value ?? choices[0]
  if (!choices.includes(chosen)) {
    throw usage(`option ${name}`, choices.map((known) => `'${known}'`).join(' or '), value)
  }
  return chosen
}
